"""How results reach stdout: ``-o table|wide|yaml|json|name``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, MutableSequence, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from datafluid.cli.escape import safe

if TYPE_CHECKING:
    from datafluid.model.lint import Finding

__all__ = [
    "Output",
    "OutputOption",
    "Report",
    "ReportOption",
    "age",
    "as_data",
    "as_json",
    "as_manifests",
    "as_yaml",
    "counted",
    "echo",
    "paint",
    "paint_diff",
    "percent",
    "print_manifests",
    "size",
    "table",
    "tick",
    "warn",
]


class Output(StrEnum):
    """How objects are printed."""

    table = "table"
    wide = "wide"
    yaml = "yaml"
    json = "json"
    name = "name"


class Report(StrEnum):
    """How everything that is not an object is printed."""

    table = "table"
    yaml = "yaml"
    json = "json"
    name = "name"


OutputOption = Annotated[Output, typer.Option("-o", "--output", help="Format; wide has more columns.")]
ReportOption = Annotated[Report, typer.Option("-o", "--output", help="Format.")]

_COLOURS = {
    **dict.fromkeys(("Bound", "Ready", "Complete", "True", "ok", "cached", "Normal"), typer.colors.GREEN),
    **dict.fromkeys(("Failed", "error", "fail", "corrupt", "Warning"), typer.colors.RED),
    **dict.fromkeys(
        ("NotBound", "NotReady", "PartialReady", "Pending", "Executing", "warn", "warning"),
        typer.colors.YELLOW,
    ),
}


def echo(text: object = "", *, file: TextIO | None = None) -> None:
    """Print one line that may hold text from outside."""
    print(safe(text), file=file or sys.stdout)


def warn(findings: Iterable[Finding]) -> None:
    """What lint warns of, on standard error, a line each."""
    for finding in findings:
        if finding.severity == "warning":
            echo(f"Warning: {finding.code} {finding.placed()} {finding.hint}".rstrip(), file=sys.stderr)


def paint(word: str) -> str:
    """A word of ours in its colour (green, yellow, red) where the terminal shows colours; else as it is."""
    colour = _COLOURS.get(word)
    return typer.style(word, fg=colour) if colour and _colourful() else word


def _colourful() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def table(
    headers: Sequence[str], rows: Iterable[Sequence[object]], *, widths: MutableSequence[int] | None = None
) -> None:
    """Print aligned columns as kubectl does: three spaces apart, never cut, wide characters counted as two.

    Args:
        widths: Those of the columns so far, of a table that is printed bit by bit; kept up. Empty at its begin, where
            the header is printed.
    """
    from rich.cells import cell_len

    cells = [[safe("-" if cell is None or cell == "" else cell) for cell in row] for row in rows]
    lines = [[header.upper() for header in headers], *cells]
    begun = bool(widths)
    before = widths or [0] * len(headers)
    now = [max(width, *map(cell_len, column)) for width, column in zip(before, zip(*lines, strict=True), strict=True)]
    if widths is not None:
        widths[:] = now
    for number, line in enumerate(lines):
        if begun and not number:
            continue
        padded = [
            (paint(cell) if number else cell) + " " * (width - cell_len(cell))
            for cell, width in zip(line, now, strict=True)
        ]
        print("   ".join(padded).rstrip())


def as_json(data: object) -> None:
    """Print JSON. Everything beyond ASCII is written as an escape, so nothing in it can steer a terminal."""
    print(json.dumps(data, indent=2, default=_plain).replace("\x7f", "\\u007f"))


def as_yaml(documents: Iterable[object]) -> None:
    """Print YAML documents; characters that could steer a terminal are written as escapes."""
    import yaml

    for number, document in enumerate(documents):
        plain = json.loads(json.dumps(document, default=_plain))
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)
        if not text.replace("\n", "").isprintable():
            text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=False, width=110)
        print(("---\n" if number else "") + text, end="")


def as_data(data: object, output: StrEnum) -> bool:
    """Print data as JSON, or as one YAML document, where ``-o`` says so; whether it was printed."""
    if output == "json":
        as_json(data)
    elif output == "yaml":
        as_yaml([data])
    else:
        return False
    return True


def print_manifests(manifests: Sequence[Mapping[str, Any]], output: Report) -> None:
    """Print manifests for ``kubectl apply -f -``, or only their names."""
    if output is Report.yaml:
        as_yaml(manifests)
    elif output is Report.json:
        as_json({"apiVersion": "v1", "kind": "List", "items": list(manifests)})
    else:
        for each in manifests:
            echo(each["metadata"]["name"])


def as_manifests(documents: Iterable[Mapping[str, Any]], *, text: str | None = None) -> None:
    """Print manifests as people write them; with characters that could steer a terminal, as `as_yaml` does.

    Args:
        documents: The manifests.
        text: How somebody has written them.
    """
    from datafluid.model.manifest import dump

    objects = list(documents)
    text = dump(objects) if text is None else text
    if text.replace("\n", "").replace("\t", "").isprintable():
        print(text, end="\n" if text and not text.endswith("\n") else "")
    else:
        as_yaml(objects)


def paint_diff(lines: Iterable[str]) -> None:
    """Print a unified diff, coloured where the terminal shows colours."""
    colours = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}
    for line in lines:
        colour = colours.get(line[:1]) if _colourful() else None
        print(typer.style(safe(line), fg=colour) if colour else safe(line))


def _plain(value: object) -> object:
    """What `json` cannot write by itself."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return str(value)


def size(count: float | None) -> str | None:
    """Bytes as Fluid writes them; None stays None.

    Example:
        >>> size(1288490189)
        '1.20GiB'
    """
    from datafluid.model.quantity import format_size

    return None if count is None else format_size(int(count))


def percent(fraction: float | None) -> str | None:
    """A fraction as a percentage, cut and not rounded: 100.0% means all of it.

    Example:
        >>> percent(0.9999), percent(1.0), percent(None)
        ('99.9%', '100.0%', None)
    """
    return None if fraction is None else f"{int(fraction * 1000) / 10:.1f}%"


def counted(number: int, thing: str) -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "file"), counted(2, "file")
        ('1 file', '2 files')
    """
    return f"{number} {thing}{'' if number == 1 else 's'}"


def age(seconds: float | None) -> str | None:
    """A duration as kubectl writes it: two units at most.

    Example:
        >>> [age(5), age(185), age(7300), age(200000)]
        ['5s', '3m5s', '2h1m', '2d7h']
    """
    if seconds is None:
        return None
    rest = max(0, int(seconds))
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def tick(moment: datetime) -> str:
    """A run of a schedule, in the schedule's own zone and, where that is another one, in UTC.

    Example:
        >>> from datetime import timedelta, timezone
        >>> tick(datetime(2026, 7, 3, 3, tzinfo=timezone(timedelta(hours=8))))
        '2026-07-03 03:00+08:00 (2026-07-02 19:00 UTC)'
    """
    utc = moment.astimezone(UTC)
    if moment.utcoffset() == utc.utcoffset():
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"{moment.isoformat(' ', 'minutes')} ({utc:%Y-%m-%d %H:%M} UTC)"
