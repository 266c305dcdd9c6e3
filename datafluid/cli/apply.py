"""``datafluid apply``: declare objects."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli.output import Output, OutputOption, echo, warn
from datafluid.cli.session import Session, command
from datafluid.cli.watching import watch_dataset, watch_operation

if TYPE_CHECKING:
    from datafluid.client import Applied, Client

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def apply(
        session: Session,
        files: Annotated[
            list[str],
            typer.Option("-f", "--filename", metavar="FILE", help="Manifests; - is standard input."),
        ],
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and change nothing.")] = False,
        adopt: Annotated[bool, typer.Option("--adopt", help="Take over fields that another manager owns.")] = False,
        replace: Annotated[bool, typer.Option("--replace", help="Run an operation that has ended again.")] = False,
        wait: Annotated[bool, typer.Option("--wait", help="Until datasets are Bound and operations done.")] = False,
        timeout: Annotated[
            float, typer.Option("--timeout", min=0.0, help="Seconds that --wait waits at most.")
        ] = 600.0,
        output: OutputOption = Output.table,
    ) -> None:
        """Create the objects in a manifest, or change them to what it says.

        Everything is linted first; nothing is applied when anything is wrong. Warnings are told on stderr.
        """
        sources = [sys.stdin.read() if name == "-" else Path(name) for name in files]
        applied = session.client.apply(sources, dry_run=dry_run, adopt=adopt, replace=replace)
        warn(applied.findings)
        _tell(session.client, applied, output, dry_run)
        if wait and not dry_run:
            _wait(session.client, applied, timeout)


def _tell(client: Client, applied: Applied, output: Output, dry_run: bool) -> None:
    if output in (Output.table, Output.wide, Output.name):
        for ref in applied.refs:
            what = "" if output is Output.name else " checked (dry run)" if dry_run else " applied"
            echo(f"{ref.kind.lower()}.data.fluid.io/{ref.name}{what}")
        return
    from datafluid.cli.objects import show

    show([client.plane.get(ref) for ref in applied.refs], output)


def _wait(client: Client, applied: Applied, timeout: float) -> None:
    from datafluid.handles import LoadHandle
    from datafluid.model.names import OPERATION_KINDS
    from datafluid.waiting.deadline import Deadline

    deadline = Deadline(timeout)
    for ref in applied.refs:
        if ref.kind == "Dataset":
            watch_dataset(client.dataset(ref.name, namespace=ref.namespace), cached=None, timeout=deadline.left())
    for ref in applied.refs:
        if ref.kind in OPERATION_KINDS:
            operation = LoadHandle(client.plane, ref)
            if not operation.is_cron:
                watch_operation(operation, timeout=deadline.left(), cancel=False)
