"""``datafluid delete``: remove objects."""

from __future__ import annotations

from typing import Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.lint import read_source
from datafluid.cli.output import echo
from datafluid.cli.session import Session, command, slashed
from datafluid.errors import Invalid, NotFound
from datafluid.model.ref import Ref

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def delete(
        session: Session,
        kind: Annotated[str | None, typer.Argument(metavar="[KIND]", autocompletion=completion.kinds)] = None,
        names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", autocompletion=completion.names)] = None,
        files: Annotated[
            list[str] | None,
            typer.Option("-f", "--filename", metavar="FILE", help="Delete what these declare."),
        ] = None,
        cascade: Annotated[
            bool,
            typer.Option("--cascade/--no-cascade", help="Also what it owns: runtime, operations, cache."),
        ] = True,
        wait: Annotated[
            bool, typer.Option("--wait/--no-wait", help="Until nothing of a dataset is left: volume, claim, runtime.")
        ] = True,
        timeout: Annotated[float, typer.Option("--timeout", min=0.0, help="Seconds to wait at most.")] = 300.0,
        missing_ok: Annotated[bool, typer.Option("--ignore-not-found", help="Nothing there is no error.")] = False,
    ) -> None:
        """Delete objects, and with a dataset its runtime, its operations and its cached bytes.

        Exit code 4 when something holds it for longer than the timeout; the message says who.
        """
        for ref in _refs(session, kind, names or [], files or []):
            try:
                if ref.kind == "Dataset":
                    dataset = session.client.dataset(ref.name, namespace=ref.namespace)
                    dataset.delete(cascade=cascade, wait=wait, timeout=timeout)
                else:
                    session.client.plane.delete(ref, cascade=cascade)
            except NotFound:
                if not missing_ok:
                    raise
                continue
            echo(f"{ref.kind.lower()}.data.fluid.io/{ref.name} deleted")


def _refs(session: Session, kind: str | None, names: list[str], files: list[str]) -> list[Ref]:
    if files and kind is None:
        from datafluid.model.manifest import load

        objects = [model.manifest() for name in files for model in load(read_source(name))]
        refs = [Ref.of(each) for each in objects]
        return [session.client.ref(ref.kind, ref.name, namespace=ref.namespace) for ref in reversed(refs)]
    kind, names = slashed(kind, names)
    if kind is None or not names or files:
        raise Invalid("delete needs either KIND NAME or -f FILE.", hint="Write `datafluid delete dataset NAME`.")
    return [session.client.ref(kind, name) for name in names]
