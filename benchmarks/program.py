"""A benchmark as a program: its options, its tables as Markdown and JSON, and the document that shows them."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.races import Fact, Result, Table

__all__ = ["main"]

_HEADINGS = ("what", "through", "ms", "peer", "ms", "ratio", "lowest", "highest", "aim")
_Sizes = TypeVar("_Sizes")


def main(measure: Callable[[_Sizes], list[Table]], usual: _Sizes, small: _Sizes, arguments: list[str] | None) -> int:
    """Run a benchmark as a program; 1 when a fact is out of its bounds.

    Args:
        measure: Does it.
        usual: The sizes; each field is an option.
        small: The sizes of ``--small``.
    """
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    parser.add_argument("--document", type=Path, metavar="FILE", help="also put the tables into this Markdown file")
    parser.add_argument("--small", action="store_true", help="a quick run, for tests: its times mean nothing")
    for each in fields(usual):  # type: ignore[arg-type]
        value = getattr(usual, each.name)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=type(value), help=f"usually {value!r}")
    options = vars(parser.parse_args(arguments))
    given = {each.name: options[each.name] for each in fields(usual) if options[each.name] is not None}  # type: ignore[arg-type]
    sizes = replace(small if options["small"] else usual, **given)  # type: ignore[type-var]
    warnings.simplefilter("ignore", ResourceWarning)
    tables = measure(sizes)
    for table in tables:
        print(f"## {table.title}\n\n{markdown(table)}")
    if options["json"] is not None:
        document = _results(tables, sizes, small=options["small"])
        options["json"].write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if options["document"] is not None:
        _put_into(options["document"], tables)
    return 0 if all(fact.holds for table in tables for fact in table.facts) else 1


def markdown(table: Table) -> str:
    """The results, the further rows and the facts of a table, each as a table of Markdown."""
    parts = []
    if table.results:
        parts.append(_grid(_HEADINGS, map(_result, table.results)))
    if table.rows:
        parts.append(_grid(table.headings, table.rows))
    if table.facts:
        parts.append(_grid(("count", "value", "must be"), map(_fact, table.facts)))
    return "\n".join(parts)


def _grid(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, ("---",) * len(headings), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _result(result: Result) -> tuple[str, ...]:
    ours, theirs = (f"{seconds * 1000:.1f}" for seconds in (result.ours_seconds, result.peer_seconds))
    ratios = (f"{ratio:.2f}" for ratio in (result.ratio, result.lowest, result.highest))
    aim = "" if result.bound is None else f"≤ {result.bound:.2f}"
    return (result.name, result.ours, ours, result.peer, theirs, *ratios, aim)


def _fact(fact: Fact) -> tuple[str, ...]:
    bounds = [f"≥ {fact.at_least:g}"] if fact.at_least is not None else []
    bounds += [f"≤ {fact.at_most:g}"] if fact.at_most is not None else []
    return (fact.name, f"{fact.value:.6g}", ", ".join(bounds))


def _results(tables: Iterable[Table], sizes: Any, *, small: bool) -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "small": small,
        "sizes": asdict(sizes),
        "tables": [asdict(table) for table in tables],
    }


# -- the document


def _put_into(document: Path, tables: Iterable[Table]) -> None:
    """Replace what stands between ``<!-- table: title -->`` and ``<!-- end -->``, and the line about the machine."""
    text = document.read_text(encoding="utf-8")
    blocks = {f"table: {table.title}": markdown(table) for table in tables} | {"machine": _machine() + "\n"}
    for name, block in blocks.items():
        between = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = between.sub(lambda found, block=block: f"{found[1]}\n{block}\n{found[2]}", text)  # type: ignore[misc]
    document.write_text(text, encoding="utf-8")


def _machine() -> str:
    from datafluid.agent.mounts import filesystem_type

    words = {key: value for line in _lines("/proc/cpuinfo") for key, value in [_pair(line)]}
    memory = dict(map(_pair, _lines("/proc/meminfo"))).get("MemTotal", "0 kB").split()[0]
    disk = filesystem_type(Path(tempfile.gettempdir()))
    processor = words.get("model name", platform.processor() or "unknown")
    system = f"{platform.system()} {platform.release().partition('-')[0]}, {disk}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores of {processor}, {int(memory) >> 20} GiB, {system}."


def _lines(path: str) -> Iterator[str]:
    try:
        yield from Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition(":")
    return key.strip(), value.strip()
