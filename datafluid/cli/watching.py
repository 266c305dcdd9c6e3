"""Waiting with progress: what ``wait``, ``load --wait`` and ``apply --wait`` have in common."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from datafluid.cli.output import echo
from datafluid.cli.progress import meter
from datafluid.errors import NotFound, OperationFailed, Timeout
from datafluid.waiting.telling import estimate_line

if TYPE_CHECKING:
    from datafluid.handles import DatasetHandle, LoadHandle
    from datafluid.model.status import DatasetStatus, OperationStatus

__all__ = ["cancel_operation", "watch_dataset", "watch_operation"]

#: Seconds that a cancelled operation gets to end.
_PATIENCE = 10.0


def watch_dataset(dataset: DatasetHandle, *, cached: float | None, timeout: float | None) -> DatasetStatus:
    """Wait until a dataset is Bound, or cached to a fraction, and show how far it is.

    Raises:
        Timeout: with what was seen last.
    """
    with meter(str(dataset.ref)) as report:

        def progress(status: DatasetStatus) -> None:
            told = [estimate_line(status.estimate)] if status.estimate is not None else []
            told += [f"waiting for {status.waiting_for}"] if status.waiting_for else []
            note = ", ".join([status.phase or "waiting", *filter(None, told)])
            note += f"; {status.reason}" if status.reason else ""
            # How long it takes is told as a range, in the note; what was cached before is no rate.
            report(status.cached, status.total, note=note, rate=0.0, eta=0.0)

        return dataset.wait(cached=cached, timeout=timeout, progress=progress)


def watch_operation(operation: LoadHandle, *, timeout: float | None, cancel: bool) -> OperationStatus:
    """Wait until an operation ends and show how far it is.

    Args:
        timeout: Seconds; None waits for ever.
        cancel: An interrupt cancels it: for the command that started it, not for one that only looks on.

    Raises:
        OperationFailed: it failed.
        Timeout: with what was seen last; the operation goes on.
    """
    with meter(str(operation.ref)) as report:

        def progress(status: OperationStatus) -> None:
            moved = status.progress
            if moved is None:
                note = status.phase or "waiting"
                report(None, None, note=f"{note}; {status.reason}" if status.reason else note)
                return
            of = "" if moved.files_total is None else f"/{moved.files_total}"
            if moved.files_total is None and not moved.files_done:  # a cluster tells bytes only
                report(
                    moved.bytes_done, moved.bytes_total, note=status.phase, rate=moved.rate or 0.0, eta=moved.eta or 0.0
                )
                return
            files = f"{moved.files_done}{of} files" + (f", {len(moved.errors)} errors" if moved.errors else "")
            report(moved.bytes_done, moved.bytes_total, note=files, rate=moved.rate, eta=moved.eta)

        try:
            return operation.wait(timeout=timeout, progress=progress)
        except KeyboardInterrupt:
            if cancel:
                cancel_operation(operation)
            raise


def cancel_operation(operation: LoadHandle) -> None:
    """Cancel an operation and see it end, so that nothing is left running; what it has loaded stays cached."""
    echo(f"{operation.ref}: cancelling; what is loaded stays cached.", file=sys.stderr)
    operation.cancel()
    with suppress(OperationFailed, Timeout, NotFound):
        operation.wait(timeout=_PATIENCE)
