"""``datafluid scale``: more or fewer cache workers."""

from __future__ import annotations

from typing import Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.output import echo
from datafluid.cli.session import Session, command

__all__ = ["register"]

_MOST = 2**31 - 1  # what Kubernetes can count


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def scale(
        session: Session,
        target: Annotated[
            list[str],
            typer.Argument(metavar="NS/DATASET | KIND NAME", autocompletion=completion.datasets),
        ],
        replicas: Annotated[int, typer.Option("--replicas", min=0, max=_MOST, help="Cache workers from now on.")],
    ) -> None:
        """Set the number of cache workers of a dataset's runtime.

        Fluid follows within a minute and a half; `datafluid describe` shows how far it is.
        """
        ref = session.ref(*target, example="datafluid scale NAMESPACE/DATASET")
        if ref.kind == "Dataset":
            ref = session.client.dataset(ref.name, namespace=ref.namespace).scale(replicas)
        else:
            session.client.plane.scale(ref, replicas=replicas)
        echo(f"{ref.kind.lower()}.data.fluid.io/{ref.name} scaled to {replicas}")
