"""The turns of an operation with ``policy: Cron``.

Fluid leaves turns to a Kubernetes CronJob, which has `suspend`, `concurrencyPolicy`, `startingDeadlineSeconds` and
a time zone; Fluid's own kinds do not. Here they are annotations ``datafluid.io/...`` with the CronJob's meaning:

- every turn begins at most once: the tick is the key of its run;
- of the turns that a sleeping machine missed, only the last one is run;
- with ``Forbid`` a tick that comes while a run goes on is passed over; ``Replace`` stops that run first;
- a schedule that is resumed or changed counts from then on, never backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from datafluid.engine.reconcile.operation import (
    CANCEL,
    OperationSeen,
    finish,
    is_cancelled,
    keep_running,
    outcome_events,
    unsupported,
)
from datafluid.engine.reconcile.values import (
    Decision,
    Note,
    condition,
    find_condition,
    parse_time,
    rfc3339,
    status_of,
    with_condition,
)
from datafluid.errors import Invalid
from datafluid.model.schedule import Schedule
from datafluid.plane.port import Manifest

__all__ = ["CronSettings", "next_turn", "step_cron"]

_PREFIX = "datafluid.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class CronSettings:
    """What the manifest says about turns.

    Args:
        suspended: Nothing is started.
        concurrency: ``Forbid``, ``Allow`` or ``Replace``.
        deadline: How many seconds late a turn may begin; None: any.
        keep_complete: How many ended runs the history keeps.
        keep_failed: How many failed or missed ones.
    """

    schedule: Schedule
    suspended: bool = False
    concurrency: str = "Forbid"
    deadline: float | None = None
    keep_complete: int = 3
    keep_failed: int = 1

    @classmethod
    def of(cls, operation: Mapping[str, Any]) -> CronSettings:
        """Read the spec and the annotations.

        Raises:
            Invalid: the schedule, the time zone or a number is wrong.
        """
        annotations = operation["metadata"].get("annotations") or {}

        def text(name: str, default: str) -> str:
            return str(annotations.get(_PREFIX + name, default))

        def number(name: str, default: str) -> int:
            value = text(name, default)
            if not value.isascii() or not value.isdigit():
                raise Invalid(f"annotation {_PREFIX}{name}: {value!r} is no number.", hint="Write digits.")
            return int(value)

        concurrency = text("concurrency-policy", "Forbid")
        if concurrency not in ("Forbid", "Allow", "Replace"):
            raise Invalid(
                f"annotation {_PREFIX}concurrency-policy: {concurrency!r}.", hint="Write Forbid, Allow or Replace."
            )
        has_deadline = f"{_PREFIX}starting-deadline-seconds" in annotations
        return cls(
            schedule=Schedule(operation["spec"].get("schedule") or "", text("time-zone", "UTC")),
            suspended=text("suspend", "false") == "true",
            concurrency=concurrency,
            deadline=number("starting-deadline-seconds", "0") if has_deadline else None,
            keep_complete=number("successful-history-limit", "3"),
            keep_failed=number("failed-history-limit", "1"),
        )


def step_cron(seen: OperationSeen) -> Decision:
    """The next step of a scheduled operation."""
    status = status_of(seen.operation)
    if status["phase"] == "Failed" and not seen.runs:
        return Decision()  # it was refused; only another spec helps
    if status["phase"] == "Pending" and not seen.runs:
        status["phase"] = "Executing"  # until its first run ends, as in Fluid
        return Decision(status=status)
    if seen.unsupported:
        return unsupported(seen, status)
    try:
        settings = CronSettings.of(seen.operation)
    except Invalid as error:
        note = Note(type="Warning", reason="DataOperationExecutionFailed", message=str(error))
        return Decision(events=(note,))
    _tell_schedule(status, settings, seen.now)
    if status != seen.operation.get("status"):
        return Decision(status=status)
    return _ended(seen, status, settings) or _running(seen) or _phase_of_run(seen, status) or _turn(seen, settings)


def next_turn(operation: Mapping[str, Any], now: float) -> float | None:
    """When the next turn of a scheduled operation is due; None when it has none."""
    status = operation.get("status") or {}
    if operation["spec"].get("policy") != "Cron" or status.get("phase", "") == "":
        return None
    try:
        settings = CronSettings.of(operation)
    except Invalid:
        return None
    return None if settings.suspended else settings.schedule.next_after(_moment(now)).timestamp()


def _tell_schedule(status: Manifest, settings: CronSettings, now: float) -> None:
    """The condition whose transition time is the moment from which ticks count."""
    schedule = settings.schedule
    text = f"{schedule.expression} {schedule.time_zone}"
    reason, message = ("Suspended", text) if settings.suspended else ("Scheduled", text)
    old = find_condition(status, "Scheduled")
    if old is not None and (old["reason"], old["message"]) == (reason, message):
        return
    new = condition("Scheduled", not settings.suspended, reason, message)
    with_condition(status, new, now, stamp="lastProbeTime")
    changed = find_condition(status, "Scheduled")
    if changed is not None:
        changed["lastTransitionTime"] = rfc3339(now)


def _ended(seen: OperationSeen, status: Manifest, settings: CronSettings) -> Decision | None:
    """The newest run has ended and the status does not say so yet."""
    run = next((each for each in seen.runs if each.phase != "Missed"), None)
    if run is None or run.active or run.ended is None:
        return None
    tick = rfc3339(run.scheduled)
    told = find_condition(status, run.phase)
    if status.get("lastScheduleTime") == tick and status["phase"] == run.phase and told is not None:
        return None
    finish(status, seen, run, since=run.started)
    status["lastScheduleTime"] = tick
    if run.phase == "Complete":
        status["lastSuccessfulTime"] = rfc3339(run.ended)
    done = (CANCEL,) if is_cancelled(seen.operation) else ()
    return Decision(
        status=status,
        events=outcome_events(seen, run),
        drop_annotations=done,
        keep_runs=(settings.keep_complete, settings.keep_failed),
    )


def _running(seen: OperationSeen) -> Decision | None:
    """What the runs that go on need."""
    for run in seen.active:
        decision = keep_running(seen, run)
        if decision != Decision():
            return decision
    if is_cancelled(seen.operation) and not seen.active:
        return Decision(drop_annotations=(CANCEL,))
    return None


def _phase_of_run(seen: OperationSeen, status: Manifest) -> Decision | None:
    """Show the newest run that goes on: Pending, then Executing, with the conditions of the last one kept."""
    run = next(iter(seen.active), None)
    if run is None:
        return None
    tick = rfc3339(run.scheduled)
    if status.get("lastScheduleTime") != tick:
        again = status["phase"] in ("Complete", "Failed")
        status |= {"lastScheduleTime": tick, "phase": "Pending" if again else "Executing"}
        if again:
            status["duration"] = "-"
        status.pop("progress", None)
        return Decision(status=status)
    if status["phase"] == "Pending":
        status["phase"] = "Executing"
        return Decision(status=status)
    return None


def _turn(seen: OperationSeen, settings: CronSettings) -> Decision:
    """Begin the turn that is due, if one is."""
    if settings.suspended or not seen.start_turns:
        return Decision()
    due = settings.schedule.latest_due(_moment(_since(seen)), _moment(seen.now))
    if due is None:
        return Decision()
    tick = int(due.timestamp())
    if settings.deadline is not None and seen.now - tick > settings.deadline:
        return _missed(tick, f"Missed scheduled time to start a job: {rfc3339(tick)}", settings)
    if seen.active and settings.concurrency == "Forbid":
        running = rfc3339(seen.active[0].scheduled)
        return _missed(tick, f"Not starting a new run because the one of {running} goes on", settings)
    if seen.active and settings.concurrency == "Replace":
        return Decision(cancel=tuple(run.scheduled for run in seen.active if not run.cancelled))
    return Decision(begin=(tick,))


def _since(seen: OperationSeen) -> float:
    """The moment after which ticks count; one that lies in the future (the clock was set back) does not count."""
    told = find_condition(seen.operation.get("status"), "Scheduled") or {}
    known = [parse_time(told.get("lastTransitionTime")), *(float(run.scheduled) for run in seen.runs)]
    past = [moment for moment in known if moment is not None and moment <= seen.now]
    return max(past, default=seen.now)


def _missed(tick: int, message: str, settings: CronSettings) -> Decision:
    note = Note(type="Warning", reason="MissSchedule", message=message)
    kept = (settings.keep_complete, settings.keep_failed)
    return Decision(miss=((tick, message),), events=(note,), keep_runs=kept)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
