"""``datafluid lint`` and ``datafluid crds``: manifests without a plane."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from datafluid.cli.errors import ExitCode, complain
from datafluid.cli.escape import safe
from datafluid.cli.output import Report, ReportOption, as_json, counted, echo, paint, print_manifests
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.model.lint import Finding

__all__ = ["objects_of", "read_source", "register"]


class _Format(StrEnum):
    text = "text"
    json = "json"


class _Plane(StrEnum):
    embedded = "embedded"
    kubernetes = "kubernetes"


def read_source(name: str) -> str:
    """The text of a manifest file; ``-`` is standard input.

    Raises:
        NotFound: it is not there.
        Invalid: it is a directory, or not UTF-8.
        OSError: it cannot be read.
    """
    from datafluid.model.source import read_file

    return sys.stdin.read() if name == "-" else read_file(Path(name))


def objects_of(text: str, name: str) -> list[Mapping[str, Any]]:
    """The objects of a manifest file, those of a ``List`` one by one.

    Args:
        text: What is in it.
        name: What messages call it.

    Raises:
        Invalid: it is no YAML, or something in it is no object.
    """
    from datafluid.model.documents import parse
    from datafluid.model.manifest import members

    found: list[Mapping[str, Any]] = []
    for document in parse(text):
        if not isinstance(document.data, Mapping):
            raise Invalid(
                f"{name}, line {document.line}: it is no manifest.", hint="Write a mapping with kind and spec."
            )
        for each in members(document.data):
            if not isinstance(each, Mapping) or not isinstance(each.get("metadata") or {}, Mapping):
                hint = "Write a mapping with kind, metadata and spec."
                raise Invalid(f"{name}, line {document.line}: an object, or its metadata, is no mapping.", hint=hint)
            found.append(each)
    return found


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def lint(
        session: Session,
        files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Manifests; - is standard input.")],
        output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.text,
        strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
        plane: Annotated[_Plane | None, typer.Option("--plane", help="Check for this plane; both by default.")] = None,
        cluster: Annotated[
            bool,
            typer.Option("--cluster", help="Also look at the context's cluster: neighbours, quotas, nodes, kinds."),
        ] = False,
    ) -> None:
        """Say what is wrong, or will go wrong silently, with manifests.

        Exit code 0: clean, 1: errors found, 2: a file cannot be read, 3: a file is not there.
        """
        found: list[tuple[str, Finding]] = []
        unread, read = ExitCode.OK, 0
        for name in files:
            try:
                text = read_source(name)
            except (OSError, Invalid) as error:
                unread = max(unread, ExitCode.USAGE, complain(error))
                continue
            read += 1
            findings = session.client.lint(text) if cluster else _findings(text, plane)
            found += [(name, finding) for finding in findings]
        if output is _Format.json:
            as_json([{**asdict(finding), "file": name} for name, finding in found])
        else:
            _tell(found, read)
        if unread:
            raise typer.Exit(unread)
        bad = {"error", "warning"} if strict else {"error"}
        if any(finding.severity in bad for _, finding in found):
            raise typer.Exit(ExitCode.FAILURE)

    @command(app)
    def crds(
        session: Session,
        kinds: Annotated[list[str] | None, typer.Argument(metavar="[KIND]...", help="All when none is given.")] = None,
        output: ReportOption = Report.yaml,
    ) -> None:
        """Print the CustomResourceDefinitions, generated from the models."""
        from datafluid.model.crds import crd
        from datafluid.model.kinds import KINDS, find_kind

        wanted = [find_kind(kind).kind for kind in kinds or KINDS]
        print_manifests([crd(kind) for kind in wanted], output)


def _findings(text: str, plane: _Plane | None) -> Iterable[Finding]:
    from datafluid.model.lint import lint

    return lint(text, plane=plane.value if plane else None)


def _tell(found: list[tuple[str, Finding]], files: int) -> None:
    for name, finding in found:
        where = f"{name}:{finding.line}" if finding.line else name
        place = f" {safe(finding.path)}" if finding.path else ""
        print(f"{safe(where)}: {paint(finding.severity)} {finding.code}{place}: {safe(finding.message)}")
        if finding.hint:
            echo(f"    {finding.hint}")
    counts = [
        counted(sum(finding.severity == severity for _, finding in found), severity)
        for severity in ("error", "warning")
    ]
    if files:
        echo(f"{counted(files, 'file')}: {', '.join(counts)}.", file=sys.stderr)
