"""Operations on a schedule on a cluster. What runs there is the CronJob that Fluid made, so that is read and changed.

Fluid copies the schedule once and never looks at it again, has no time zone, and shows neither a suspension nor, for a
DataProcess, any run but the first. All of that is in the CronJob and its Jobs.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from datafluid.errors import Conflict, Forbidden, NotFound, Timeout
from datafluid.model.names import OperationNames
from datafluid.model.ref import Ref
from datafluid.model.status import parse_time
from datafluid.plane.finding import find
from datafluid.plane.port import Cluster, ControlPlane, Manifest, Run
from datafluid.waiting.deadline import Deadline, seconds_told
from datafluid.waiting.listening import listen

if TYPE_CHECKING:
    from datafluid.model.schedule import Schedule

__all__ = ["TIME_ZONE", "cron_job_ref", "history", "make_effective", "next_runs", "resume", "stop_runs", "suspend"]

TIME_ZONE = "datafluid.io/time-zone"
_SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_ENDS = {"Complete": "Complete", "SuccessCriteriaMet": "Complete", "Failed": "Failed", "FailureTarget": "Failed"}


def cron_job_ref(operation: Ref) -> Ref:
    """The CronJob behind an operation on a schedule.

    Example:
        >>> str(cron_job_ref(Ref("DataLoad", "nightly", "team")))
        'CronJob team/nightly-loader-job'
    """
    name = OperationNames.of(operation.kind, operation.name).job
    return Ref("batch/v1/CronJob", name or operation.name, operation.namespace)


def suspend(plane: ControlPlane, operation: Ref) -> None:
    """Let the schedule rest; a run in progress ends normally.

    Raises:
        Conflict: Fluid has not made the CronJob yet.
    """
    _change(plane, operation, {"suspend": True})


def resume(plane: ControlPlane, operation: Ref, *, now: datetime) -> datetime | None:
    """Let it go on.

    Returns:
        The tick that was missed meanwhile, which Kubernetes makes up for at once; None when none was.

    Raises:
        Conflict: Fluid has not made the CronJob yet.
    """
    cron = _must(plane, operation)
    missed = _missed(cron, now) if cron["spec"].get("suspend") else None
    _change(plane, operation, {"suspend": False})
    return missed


def next_runs(plane: ControlPlane, operation: Manifest, count: int, *, after: datetime) -> list[datetime]:
    """The next ticks, by the CronJob's own schedule; by the operation's while there is no CronJob."""
    cron = find(plane, cron_job_ref(Ref.of(operation)))
    if cron is not None:
        return _schedule_of(cron).next_runs(after, count)
    return _schedule(operation["spec"]["schedule"], _zone_of(operation)).next_runs(after, count)


def make_effective(plane: ControlPlane, operation: Manifest, *, timeout: float = 0.0) -> bool:
    """Bring the CronJob to the operation's schedule and time zone; Fluid itself never does that.

    Args:
        timeout: Seconds to wait for Fluid to make the CronJob.

    Returns:
        Whether it was changed.

    Raises:
        Timeout: there is no CronJob yet, though ``timeout`` is not 0.
    """
    try:
        cron = _await(plane, Ref.of(operation), timeout)
    except Forbidden:  # who may not look at CronJobs has Fluid's own: the first schedule, in UTC
        return False
    if cron is None:
        return False
    zone = (operation["metadata"].get("annotations") or {}).get(TIME_ZONE)
    wanted = {"schedule": operation["spec"]["schedule"], "timeZone": zone}  # without one it is the controller's own
    changes = {key: value for key, value in wanted.items() if cron["spec"].get(key) != value}
    if changes:
        _change(plane, Ref.of(operation), changes)
    return bool(changes)


def history(plane: ControlPlane, operation: Ref) -> list[Run]:
    """Its runs, newest first, as far as Kubernetes has kept their Jobs."""
    return sorted(map(_run, _jobs(plane, operation)), key=lambda run: run.scheduled or run.started, reverse=True)


def stop_runs(plane: ControlPlane, operation: Ref) -> None:
    """Delete the Jobs that have not ended; the schedule goes on."""
    for job in _jobs(plane, operation):
        if _run(job).ended is None:
            with suppress(NotFound):
                plane.delete(Ref.of(job))


def _jobs(plane: ControlPlane, operation: Ref) -> list[Manifest]:
    cron = find(plane, cron_job_ref(operation))
    if cron is None:
        return []
    uid = cron["metadata"]["uid"]
    jobs = plane.list("batch/v1/Job", namespace=operation.namespace)
    return [job for job in jobs if any(owner["uid"] == uid for owner in job["metadata"].get("ownerReferences") or ())]


def _run(job: Manifest) -> Run:
    status = job.get("status") or {}
    scheduled = parse_time((job["metadata"].get("annotations") or {}).get(_SCHEDULED_AT))
    started = parse_time(status.get("startTime")) or parse_time(job["metadata"]["creationTimestamp"])
    ends = [each for each in status.get("conditions") or () if each["type"] in _ENDS and each["status"] == "True"]
    ended = ends[-1] if ends else None
    at = parse_time(ended.get("lastTransitionTime")) if ended is not None else None
    return Run(
        scheduled=scheduled.timestamp() if scheduled is not None else None,
        started=started.timestamp() if started is not None else 0.0,
        ended=at.timestamp() if at is not None else None,
        phase=_ENDS[ended["type"]] if ended is not None else "Executing",
        message=str(ended.get("message") or "") if ended is not None else "",
    )


def _missed(cron: Manifest, now: datetime) -> datetime | None:
    status, metadata = cron.get("status") or {}, cron["metadata"]
    since = parse_time(status.get("lastScheduleTime")) or parse_time(metadata["creationTimestamp"]) or now
    missed = _schedule_of(cron).latest_due(since, now)
    term = cron["spec"].get("startingDeadlineSeconds")
    is_late = missed is not None and term is not None and (now - missed.astimezone(UTC)).total_seconds() > term
    return None if is_late else missed


def _schedule_of(cron: Manifest) -> Schedule:
    return _schedule(cron["spec"]["schedule"], cron["spec"].get("timeZone") or "UTC")


def _schedule(expression: str, time_zone: str) -> Schedule:
    from datafluid.model.schedule import Schedule

    return Schedule(expression, time_zone)


def _zone_of(operation: Manifest) -> str:
    zone: str = (operation["metadata"].get("annotations") or {}).get(TIME_ZONE, "UTC")
    return zone


def _await(plane: ControlPlane, operation: Ref, timeout: float) -> Manifest | None:
    if timeout <= 0:
        return find(plane, cron_job_ref(operation))
    for heard in listen(plane, cron_job_ref(operation), deadline=Deadline(timeout)):
        if heard.object is not None and not heard.gone:
            return heard.object
    raise Timeout(
        f"Fluid has made no CronJob of {operation} within {seconds_told(timeout)}.",
        hint=f"`datafluid describe {operation.kind.lower()} {operation.name} -n {operation.namespace}` tells more.",
        last_seen="no CronJob",
    )


def _must(plane: ControlPlane, operation: Ref) -> Manifest:
    cron = find(plane, cron_job_ref(operation))
    if cron is None:
        raise Conflict(f"{operation} has no CronJob yet.", hint="Fluid makes it once its dataset is Bound.")
    return cron


def _change(plane: ControlPlane, operation: Ref, spec: dict[str, Any]) -> None:
    _must(plane, operation)
    if isinstance(plane, Cluster):
        plane.patch(cron_job_ref(operation), {"spec": spec})
