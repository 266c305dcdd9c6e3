"""``datafluid contexts``: where one can work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from datafluid.cli.output import Report, ReportOption, as_json, as_yaml, echo, table
from datafluid.cli.session import Session, command
from datafluid.errors import DatafluidError

if TYPE_CHECKING:
    from datafluid.context import Context

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def contexts(session: Session, output: ReportOption = Report.table) -> None:
        """List the contexts: this machine, those of the config file, and those of the kubeconfig.

        The star marks the one that commands use when none is named. Nothing is contacted.
        """
        from datafluid.context import context_names, resolve_context

        current = resolve_context(session.context).name
        found = [_resolved(name) for name in context_names()]
        if output in (Report.json, Report.yaml):
            plain = [{"name": name, **_fields(each), "current": name == current} for name, each in found]
            if output is Report.json:
                as_json(plain)
            else:
                as_yaml(plain)
        elif output is Report.name:
            for name, _ in found:
                echo(name)
        else:
            rows = [("*" if name == current else " ", name, *_fields(each).values()) for name, each in found]
            table(("", "Name", "Plane", "Namespace", "Where"), rows)


def _resolved(name: str) -> tuple[str, Context | str]:
    """A context, or what is wrong with it."""
    from datafluid.context import resolve_context

    try:
        return name, resolve_context(name)
    except DatafluidError as error:
        return name, error.message


def _fields(context: Context | str) -> dict[str, str]:
    if isinstance(context, str):
        return {"plane": "-", "namespace": "-", "where": context}
    return {"plane": context.plane, "namespace": context.namespace, "where": _where(context)}


def _where(context: Context) -> str:
    if context.plane == "embedded":
        from datafluid.engine.home import home_path

        return str(home_path(context.home))
    if context.in_cluster:
        return "this pod's service account"
    from datafluid.plane.kubernetes.access import kube_contexts

    known = kube_contexts(context.kubeconfig)
    current = next((name for name, each in known.items() if each.is_current), None)
    named = context.kube_context or current
    found = known.get(named or "")
    if found is None:
        what = "no current context" if named is None else f"no context {named!r}"
        return f"{what} in {context.kubeconfig or 'the kubeconfig'}"
    return f"{named}, {found.server}"
