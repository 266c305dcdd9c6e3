"""``datafluid suspend``, ``datafluid resume`` and ``datafluid flow``: when operations run, and after which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.escape import safe
from datafluid.cli.output import echo, tick
from datafluid.cli.session import Session, command
from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.loads import LoadHandle

__all__ = ["register"]

_Operation = Annotated[list[str], typer.Argument(metavar="NS/DATALOAD | KIND NAME", autocompletion=completion.names)]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def suspend(session: Session, target: _Operation) -> None:
        """Let the schedule of an operation rest; a run in progress ends normally."""
        operation = _operation(session, target)
        operation.suspend()
        echo(f"{operation.ref} suspended")

    @command(app)
    def resume(session: Session, target: _Operation) -> None:
        """Let a suspended schedule go on.

        Kubernetes makes up at once for one run that was missed meanwhile; that is told.
        """
        operation = _operation(session, target)
        missed = operation.resume()
        echo(f"{operation.ref} resumed")
        if missed is not None:
            echo(f"The run of {tick(missed)} was missed and starts now.")
        echo(f"Next runs: {', '.join(tick(moment) for moment in operation.next_runs(3))}")

    @command(app)
    def flow(
        session: Session,
        target: Annotated[list[str], typer.Argument(metavar="NS/DATASET", autocompletion=completion.datasets)],
    ) -> None:
        """Draw the operations of a dataset: which runs after which, and what never will."""
        ref = session.ref(*target, example="datafluid flow NAMESPACE/DATASET")
        if ref.kind != "Dataset":
            raise Invalid(f"{ref} is no dataset.", hint="Write `datafluid flow NAMESPACE/DATASET`.")
        graph = session.client.dataset(ref.name, namespace=ref.namespace).operations()
        for line in str(graph).splitlines() or ["It has no operations."]:
            echo(safe(line))


def _operation(session: Session, target: list[str]) -> LoadHandle:
    from datafluid.loads import LoadHandle

    if len(target) == 1:
        target = ["dataload", *target]
    return LoadHandle(session.client.plane, session.ref(*target, example="datafluid suspend dataload NAME"))
