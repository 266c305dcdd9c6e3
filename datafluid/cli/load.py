"""``datafluid load`` and ``datafluid wait``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from datafluid.cli import completion
from datafluid.cli.interrupts import held_back
from datafluid.cli.output import counted, echo, percent, size, tick
from datafluid.cli.session import Session, command
from datafluid.cli.watching import cancel_operation, watch_dataset, watch_operation
from datafluid.errors import Invalid

if TYPE_CHECKING:
    from datafluid.handles import LoadHandle

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def load(
        session: Session,
        dataset: Annotated[
            str,
            typer.Argument(metavar="NS/DATASET", help="Or a fluid:// URL.", autocompletion=completion.datasets),
        ],
        paths: Annotated[
            list[str] | None,
            typer.Argument(metavar="[PATH]...", help="Below the dataset; all of it by default."),
        ] = None,
        schedule: Annotated[
            str | None,
            typer.Option("--schedule", metavar="CRON", help="Load again at each tick: '0 3 * * *'."),
        ] = None,
        time_zone: Annotated[
            str | None,
            typer.Option("--time-zone", metavar="TZ", help="The schedule's IANA time zone; UTC by default."),
        ] = None,
        metadata: Annotated[bool, typer.Option("--metadata", help="Load listings only, no bytes.")] = False,
        name: Annotated[str | None, typer.Option("--name", help="Name of the DataLoad; made up by default.")] = None,
        wait: Annotated[bool, typer.Option("--wait", help="Watch it to its end; Ctrl-C cancels it.")] = False,
        timeout: Annotated[
            float | None,
            typer.Option("--timeout", min=0.0, help="Seconds that --wait waits; the load goes on after that."),
        ] = None,
    ) -> None:
        """Warm a dataset: bring its bytes into the cache, now or on a schedule."""
        if schedule is not None and wait:
            raise Invalid("--wait and --schedule exclude each other.", hint="Run `datafluid wait dataload NAME`.")
        uri = session.inside(dataset)
        handle = session.client.dataset(uri.dataset, namespace=uri.namespace)
        targets = [uri.path] * bool(uri.path) + (paths or [])
        with held_back() as interrupted:
            operation = handle.load(*targets, schedule=schedule, time_zone=time_zone, metadata=metadata, name=name)
        if interrupted():
            cancel_operation(operation)
            raise interrupted.error
        if wait:
            _finished(operation, timeout)
        else:
            _started(session, operation)

    @command(app)
    def wait(
        session: Session,
        target: Annotated[
            list[str],
            typer.Argument(metavar="NS/DATASET | KIND NAME", autocompletion=completion.datasets),
        ],
        cached: Annotated[
            float | None, typer.Option("--cached", min=0.0, max=1.0, help="Until this fraction is cached.")
        ] = None,
        timeout: Annotated[float, typer.Option("--timeout", min=0.0, help="Seconds to wait at most.")] = 600.0,
    ) -> None:
        """Wait until a dataset can be used (and is cached), or until an operation has ended.

        On a cluster that is: Bound, changed mounts in effect, its claim bound, all its workers and FUSE pods ready.

        Exit code 4 when the time is up.
        """
        ref = session.ref(*target, example="datafluid wait NAMESPACE/DATASET")
        if ref.kind == "Dataset":
            handle = session.client.dataset(ref.name, namespace=ref.namespace)
            status = watch_dataset(handle, cached=cached, timeout=timeout)
            echo(f"{ref}: {status.phase}, {percent(status.fraction) or 'unknown fraction'} cached")
        else:
            from datafluid.handles import LoadHandle

            _finished(LoadHandle(session.client.plane, ref), timeout, cancel=False)


def _finished(operation: LoadHandle, timeout: float | None, *, cancel: bool = True) -> None:
    status = watch_operation(operation, timeout=timeout, cancel=cancel)
    moved = status.progress
    what = "" if moved is None else f": {counted(moved.files_done, 'file')}, {size(moved.bytes_done)}"
    echo(f"{operation.ref} {status.phase}{what}")


def _started(session: Session, operation: LoadHandle) -> None:
    echo(f"dataload.data.fluid.io/{operation.name} created")
    if operation.is_cron:
        runs = ", ".join(tick(moment) for moment in operation.next_runs(3))
        who = "Its CronJob runs them" if operation.on_cluster else "`datafluid serve` or `datafluid run-due` runs them"
        echo(f"Next runs: {runs}. {who}.", file=sys.stderr)
    else:
        where = f"dataload {operation.name} -n {operation.ref.namespace}"
        echo(session.aimed(f"Watch it with `datafluid wait {where}`."), file=sys.stderr)
