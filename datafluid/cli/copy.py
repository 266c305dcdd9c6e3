"""``datafluid copy``: a dataset's declaration from one context to another."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.output import as_yaml, counted, echo
from datafluid.cli.session import Session, command

if TYPE_CHECKING:
    from datafluid.model.copying import CopyPlan

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def copy(
        session: Session,
        dataset: Annotated[str, typer.Argument(metavar="NS/DATASET", autocompletion=completion.datasets)],
        to: Annotated[
            str, typer.Option("--to", metavar="CONTEXT", help="Where it shall go.", autocompletion=completion.contexts)
        ],
        into: Annotated[
            str | None, typer.Option("--into", metavar="NAMESPACE", help="The namespace there; its own by default.")
        ] = None,
        anyway: Annotated[bool, typer.Option("--anyway", help="Apply although something must change first.")] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Apply nothing: print the manifests, to be changed and applied.")
        ] = False,
    ) -> None:
        """Declare a dataset and its runtime in another context too.

        What must change there is named: Secrets, claims, local paths, node labels, storage classes, references,
        runtime kinds. No data and no Secret is copied; the copy fills its own cache.
        """
        import datafluid
        from datafluid.clusters.copying import copy_to, planned_copy

        target = datafluid.connect(to)
        plan = planned_copy(session.client, session.dataset(dataset).ref, target, namespace=into)
        _tell(plan)
        if dry_run:
            as_yaml(plan.manifests)
            return
        for ref in copy_to(target, plan, anyway=anyway).refs:
            echo(f"{ref.kind.lower()}.data.fluid.io/{ref.name} applied in context {to}, namespace {ref.namespace}")


def _tell(plan: CopyPlan) -> None:
    """What is to be seen to, on stderr: stdout may be a manifest."""
    for change in plan.changes:
        echo(
            f"{'must change' if change.must else 'check'}: {change.kind} {change.path}: {change.message}",
            file=sys.stderr,
        )
    if plan.obstacles:
        echo(f"{counted(len(plan.obstacles), 'thing')} must change first.", file=sys.stderr)
