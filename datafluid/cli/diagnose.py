"""``datafluid diagnose``: why a dataset is not what it should be."""

from __future__ import annotations

import os
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.errors import ExitCode
from datafluid.cli.output import as_json, echo
from datafluid.cli.session import Session, command

if TYPE_CHECKING:
    from datafluid.diagnosis import Diagnosis

__all__ = ["register"]


class _Format(StrEnum):
    text = "text"
    json = "json"
    html = "html"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def diagnose(
        session: Session,
        what: Annotated[
            str,
            typer.Argument(metavar="KIND/NAME", help="dataset/NAME; a runtime or an operation leads to its dataset."),
        ],
        name: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=completion.names)] = None,
        output: Annotated[_Format, typer.Option("-o", "--output", help="Format.")] = _Format.text,
        archive: Annotated[
            Path | None,
            typer.Option("--archive", metavar="FILE", help="Also write all that was seen, secrets masked, as .tar.gz."),
        ] = None,
    ) -> None:
        """Say why a dataset is not what it should be: the likely cause first, what was seen, what to run next.

        Exit code 0: nothing certain is wrong, 1: something is.
        """
        ref = session.ref(*(word for word in (what, name) if word), example="datafluid diagnose dataset/NAME")
        found = _aimed(session.client.diagnose(ref.name, kind=ref.kind, namespace=ref.namespace), session)
        _show(found, output)
        if archive is not None:
            _write(archive, found.archive())
        if any(cause.certain for cause in found.causes):
            raise typer.Exit(ExitCode.FAILURE)


def _aimed(found: Diagnosis, session: Session) -> Diagnosis:
    """With commands for the cluster that was looked at: the next one may delete."""
    causes = tuple(replace(cause, command=session.aimed(cause.command)) for cause in found.causes)
    return replace(found, causes=causes)


def _show(found: Diagnosis, output: _Format) -> None:
    if output is _Format.json:
        as_json(found.as_dict())
    elif output is _Format.html:
        echo(found.html())
    else:
        for line in found.text().splitlines():
            echo(line)


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
