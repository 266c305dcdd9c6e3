"""The next step of a data operation: ``Pending`` -> ``Executing`` -> ``Complete | Failed``, as Fluid words it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.engine.reconcile.values import (
    Decision,
    Note,
    RunSeen,
    condition,
    go_duration,
    parse_time,
    status_of,
    with_condition,
)
from datafluid.plane.port import Manifest

__all__ = [
    "CANCEL",
    "FINISHED",
    "ONCE",
    "OperationSeen",
    "expires_at",
    "finish",
    "is_cancelled",
    "keep_running",
    "outcome_events",
    "step_once",
    "unsupported",
]

CANCEL = "datafluid.io/cancel"
ONCE = 0
_MOST_ATTEMPTS = 4  # one start and three more, like a Job with backoffLimit 3
FINISHED = ("Complete", "Failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationSeen:
    """Everything that an operation's next step depends on.

    Args:
        operation: The object.
        datasets: What it works on, by namespace and name; None for one that does not exist.
        predecessor: What ``runAfter`` names; None when it does not exist.
        unsupported: Why this plane cannot do it; "" when it can.
        runtime_type: The type of the dataset's runtime, for messages.
        runs: Its runs, newest first.
        start_turns: Whether due turns of a schedule may be started now; only `serve` and `run_due` do.
    """

    operation: Manifest
    datasets: Mapping[tuple[str, str], Manifest | None]
    predecessor: Manifest | None = None
    unsupported: str = ""
    runtime_type: str = ""
    runs: tuple[RunSeen, ...] = ()
    start_turns: bool = False
    now: float

    @property
    def is_cron(self) -> bool:
        """Whether it runs on a schedule."""
        return bool(self.operation["spec"].get("policy") == "Cron")

    @property
    def active(self) -> tuple[RunSeen, ...]:
        """Runs that have not ended."""
        return tuple(run for run in self.runs if run.active)

    @property
    def label(self) -> str:
        """``DataLoad warm``, as Fluid's events say it."""
        return f"{self.operation['kind']} {self.operation['metadata']['name']}"


def step_once(seen: OperationSeen) -> Decision:
    """The steps of an operation that runs once."""
    status = status_of(seen.operation)
    if status["phase"] in FINISHED:
        return _expire(seen)
    run = next((each for each in seen.runs if each.scheduled == ONCE), None)
    if run is None:
        return _begin(seen, status)
    if run.active:
        return keep_running(seen, run)
    finish(status, seen, run, since=parse_time(seen.operation["metadata"]["creationTimestamp"]) or run.started)
    return Decision(status=status, events=outcome_events(seen, run))


def keep_running(seen: OperationSeen, run: RunSeen) -> Decision:
    """A run that has not ended: pass on a wish to cancel, start a dead process again, give up in the end."""
    if is_cancelled(seen.operation) and not run.cancelled:
        return Decision(cancel=(run.scheduled,))
    if run.alive:
        return Decision()
    if run.cancelled:
        return Decision(end=((run.scheduled, "Cancelled", "It was cancelled."),))
    if run.attempts >= _MOST_ATTEMPTS:
        message = f"Its process ended {run.attempts} times without any progress; see the logs directory of the home."
        return Decision(end=((run.scheduled, "BackoffLimitExceeded", message),))
    return Decision(resume=(run.scheduled,))


def finish(status: Manifest, seen: OperationSeen, run: RunSeen, *, since: float) -> None:
    """Put the end of a run into a status."""
    ended = run.ended or seen.now
    status["phase"] = run.phase
    status["duration"] = go_duration(ended - since)
    if run.progress is not None:
        status["progress"] = dict(run.progress)
    status["conditions"] = [each for each in status.get("conditions") or () if each["type"] not in FINISHED]
    with_condition(status, condition(run.phase, True, run.reason, run.message), ended, stamp="lastProbeTime")


def is_cancelled(operation: Mapping[str, Any]) -> bool:
    """Whether somebody asked for it to stop."""
    return (operation["metadata"].get("annotations") or {}).get(CANCEL) == "true"


def outcome_events(seen: OperationSeen, run: RunSeen) -> tuple[Note, ...]:
    """The events that end a run."""
    if run.phase == "Complete":
        return (Note(type="Normal", reason="DataOperationSucceed", message=f"{seen.label} succeeded"),)
    return (
        _warning("DataOperationExecutionFailed", run.message),
        _warning("DataOperationFailed", f"{seen.label} failed"),
    )


def _begin(seen: OperationSeen, status: Manifest) -> Decision:
    if status["phase"] == "Pending":
        status["phase"] = "Executing"
        return Decision(status=status, begin=() if seen.unsupported else (ONCE,))
    return unsupported(seen, status)


def unsupported(seen: OperationSeen, status: Manifest) -> Decision:
    """Fluid's answer to an operation that a runtime cannot do, with the reason where it can be read."""
    kind = seen.operation["kind"]
    status["phase"] = "Failed"
    with_condition(
        status, condition("Failed", True, "DataOperationNotSupport", seen.unsupported), seen.now, stamp="lastProbeTime"
    )
    notes = (
        _warning("DataOperationNotSupport", f"RuntimeType {seen.runtime_type} not support {kind}: {seen.unsupported}"),
        _warning("DataOperationFailed", f"{seen.label} failed"),
    )
    return Decision(status=status, events=notes)


def _expire(seen: OperationSeen) -> Decision:
    """``ttlSecondsAfterFinished``."""
    end = expires_at(seen.operation)
    return Decision(remove=end is not None and seen.now >= end)


def expires_at(operation: Mapping[str, Any]) -> float | None:
    """When a finished operation is to be deleted; None when it stays or has not ended."""
    ttl = operation["spec"].get("ttlSecondsAfterFinished")
    status = operation.get("status") or {}
    if ttl is None or status.get("phase") not in FINISHED or operation["spec"].get("policy") == "Cron":
        return None
    times = [each["lastTransitionTime"] for each in status["conditions"] if each["type"] in FINISHED]
    ended = parse_time(times[0]) if times else None
    return None if ended is None else ended + ttl


def _warning(reason: str, message: str) -> Note:
    return Note(type="Warning", reason=reason, message=message)
