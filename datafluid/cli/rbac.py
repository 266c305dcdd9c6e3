"""``datafluid rbac``: what to grant on a cluster."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from datafluid.cli.output import Report, ReportOption, print_manifests
from datafluid.cli.session import Session, command

__all__ = ["register"]


class _Purpose(StrEnum):
    airflow = "airflow"
    kfp = "kfp"
    notebook = "notebook"
    reader = "reader"
    submit = "submit"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def rbac(
        session: Session,
        purpose: Annotated[_Purpose, typer.Option("--for", help="Who it is for.")],
        name: Annotated[str | None, typer.Option("--name", help="Name of the roles.")] = None,
        account: Annotated[
            str | None,
            typer.Option("--service-account", metavar="NAME", help="Bind the roles to this one."),
        ] = None,
        cluster: Annotated[
            bool,
            typer.Option("--cluster", help="Also what has no namespace: nodes, volumes, profiles."),
        ] = False,
        diagnose: Annotated[bool, typer.Option("--diagnose", help="Also what `datafluid diagnose` looks at.")] = False,
        workloads: Annotated[
            list[str] | None,
            typer.Option("--workload", metavar="GROUP/VERSION/KIND", help="What submit submits; else Jobs."),
        ] = None,
        output: ReportOption = Report.yaml,
    ) -> None:
        """Print the smallest Role that a purpose needs, for `kubectl apply -f -`.

        The namespace is --namespace, or the context's own. Nothing reads Secrets.
        """
        from datafluid.context import resolve_context
        from datafluid.model.rbac import roles

        namespace = session.namespace or resolve_context(session.context).namespace
        found = roles(
            purpose.value,
            namespace=namespace,
            name=name,
            account=account,
            cluster=cluster,
            diagnose=diagnose,
            workloads=workloads or ["batch/v1/Job"],
        )
        print_manifests(found, output)
