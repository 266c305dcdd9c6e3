"""``datafluid watch``: changes as they come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.objects import show
from datafluid.cli.output import Output, OutputOption
from datafluid.cli.session import Session, command

if TYPE_CHECKING:
    from datafluid.plane.port import Manifest

__all__ = ["follow", "register"]

_TABLES = (Output.table, Output.wide)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def watch(
        session: Session,
        kind: Annotated[
            str, typer.Argument(help="Name, plural or short name.", autocompletion=completion.kinds)
        ] = "dataset",
        name: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=completion.names)] = None,
        output: OutputOption = Output.table,
        everywhere: Annotated[bool, typer.Option("-A", "--all-namespaces", help="In all namespaces.")] = False,
        timeout: Annotated[
            float | None, typer.Option("--timeout", min=0.0, help="Seconds; for ever by default.")
        ] = None,
    ) -> None:
        """Print objects as they are, and again whenever they change, until interrupted.

        It goes on when the connection is lost or the server restarts.
        """
        follow(session, kind, name, everywhere=everywhere, output=output, timeout=timeout)


def follow(
    session: Session,
    kind: str,
    name: str | None,
    *,
    everywhere: bool,
    output: Output,
    timeout: float | None = None,
) -> None:
    """Print what a watch tells, one object each time."""
    client = session.client
    ref = client.ref(kind, name or "")
    namespace = None if everywhere else ref.namespace
    widths: list[int] = []
    for event in client.watch(ref.kind, namespace=namespace, name=name, timeout=timeout):
        if event.type != "BOOKMARK":
            shown = _gone(event.object) if event.type == "DELETED" and output in _TABLES else event.object
            show([shown], output, one=True, namespaces=everywhere, widths=widths)
            sys.stdout.flush()


def _gone(manifest: Manifest) -> Manifest:
    """How a table shows what was deleted."""
    return {**manifest, "status": {**(manifest.get("status") or {}), "phase": "deleted"}}
