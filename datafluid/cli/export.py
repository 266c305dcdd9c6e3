"""``datafluid export``: a loaded dataset as plain files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.output import counted, echo
from datafluid.cli.session import Session, command

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def export(
        session: Session,
        dataset: Annotated[str, typer.Argument(metavar="NS/DATASET", autocompletion=completion.datasets)],
        directory: Annotated[str, typer.Argument(metavar="DIR", help="New, empty, or exported before.")],
        remove: Annotated[bool, typer.Option("--remove", help="Take the links away and unpin the files.")] = False,
    ) -> None:
        """Publish a loaded dataset as symlinks under its real names, for programs that need paths.

        The files stay pinned in the cache until the export is removed. Running it again follows the dataset.
        """
        handle = session.dataset(dataset)
        if remove:
            handle.unexport(directory)
            echo(f"{handle.uri} is no longer at {directory}")
            return
        done = handle.export(directory)
        for path in done.skipped:
            echo(f"skipped: {path}: no directory can hold that name", file=sys.stderr)
        echo(f"{counted(done.files, 'file')} of {handle.uri} at {done.directory}")
