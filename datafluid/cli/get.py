"""``datafluid get``: list objects."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.errors import ExitCode
from datafluid.cli.objects import show, show_by_context
from datafluid.cli.output import Output, OutputOption, echo
from datafluid.cli.session import Session, command, slashed
from datafluid.cli.watch import follow
from datafluid.errors import Forbidden, Invalid, Unsupported

if TYPE_CHECKING:
    from datafluid.plane.port import Manifest

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def get(
        session: Session,
        kind: Annotated[
            str | None,
            typer.Argument(
                metavar="[KIND]",
                help="Name, plural or short name; several with commas.",
                autocompletion=completion.kinds,
            ),
        ] = None,
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", autocompletion=completion.names)] = None,
        output: OutputOption = Output.table,
        everywhere: Annotated[bool, typer.Option("-A", "--all-namespaces", help="In all namespaces.")] = False,
        selector: Annotated[
            str | None,
            typer.Option("-l", "--selector", metavar="KEY=VALUE,...", help="Only with these labels."),
        ] = None,
        watch: Annotated[bool, typer.Option("-w", "--watch", help="Then print changes as they come.")] = False,
        all_contexts: Annotated[bool, typer.Option("--all-contexts", help="In all contexts, side by side.")] = False,
    ) -> None:
        """List objects, with the columns that kubectl prints for them.

        Without KIND: everything there is.
        """
        kind, names = slashed(kind, names)
        kinds = _kinds(kind)
        if all_contexts:
            if names or watch:
                raise Invalid("--all-contexts lists; it takes no NAME and no --watch.", hint="Name one --context.")
            _in_all_contexts(session, kinds, everywhere, _labels(selector), output)
            return
        if names:
            found = [session.client.get(each, name) for each in kinds for name in names]
        else:
            found = _list(session, kinds, everywhere, _labels(selector))
        if found or output is Output.json:
            show(found, output, one=bool(names) and len(found) == 1, namespaces=everywhere)
        elif not watch:
            where = "" if everywhere else f" in namespace {session.client.context.namespace}"
            echo(f"No {kind or 'object'} found{where}.", file=sys.stderr)
        if watch:
            _watch(session, kinds, names, everywhere, output)


def _in_all_contexts(
    session: Session, kinds: Sequence[str], everywhere: bool, labels: dict[str, str] | None, output: Output
) -> None:
    """One that cannot be asked is told on stderr; the exit code is 1 only when none could be."""
    from datafluid.clusters.several import holdings

    found = holdings(kinds, namespace=session.namespace, everywhere=everywhere, selector=labels)
    show_by_context({each.context: each.objects for each in found if each.error is None}, output)
    for each in found:
        if each.error is not None:
            echo(f"context {each.context} cannot be asked: {each.error.message}", file=sys.stderr)
    if all(each.error is not None for each in found):
        raise typer.Exit(ExitCode.FAILURE)


def _kinds(text: str | None) -> list[str]:
    from datafluid.model.kinds import KINDS, find_kind

    if text is None or text in ("all", "fluid"):
        return list(KINDS)
    return [find_kind(one).kind for one in text.split(",")]


def _list(session: Session, kinds: Sequence[str], everywhere: bool, labels: dict[str, str] | None) -> list[Manifest]:
    """What there is. Of many kinds those that a cluster does not serve, or does not show, are left out."""
    from datafluid.model.kinds import find_kind

    own = None if everywhere else session.client.context.namespace
    found: list[Manifest] = []
    for kind in kinds:
        try:
            found += session.client.list(kind, namespace=own if find_kind(kind).namespaced else None, selector=labels)
        except Unsupported:
            if len(kinds) == 1:
                raise
        except Forbidden as error:
            if len(kinds) == 1:
                raise
            echo(f"{kind} is left out: {error.message}", file=sys.stderr)
    return found


def _labels(text: str | None) -> dict[str, str] | None:
    if text is None:
        return None
    labels = {}
    for term in text.split(","):
        key, equals, value = term.partition("=")
        if not equals or key.endswith("!"):
            raise Invalid(f"{term!r} is not KEY=VALUE.", hint="Write -l team=vision,tier=gold.")
        labels[key.strip()] = value.lstrip("=").strip()
    return labels


def _watch(session: Session, kinds: Sequence[str], names: Sequence[str], everywhere: bool, output: Output) -> None:
    if len(kinds) != 1 or len(names) > 1:
        raise Invalid("only one kind, or one object, can be watched.", hint="Write `datafluid get dataset --watch`.")
    follow(session, kinds[0], names[0] if names else None, everywhere=everywhere, output=output)
