"""Waiting until an operation ends, and seeing when it never will."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from datafluid.clusters.crons import cron_job_ref, history
from datafluid.errors import Forbidden, NotFound, OperationFailed, Timeout
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest, Run
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.figures import LoadFigures
from datafluid.waiting.listening import listen
from datafluid.waiting.outages import outlasting
from datafluid.waiting.stuck import why_not_begun, why_stuck
from datafluid.waiting.telling import diagnosis, reporter, where_to_look

if TYPE_CHECKING:
    from datafluid.model.status import OperationStatus

__all__ = ["wait_for_operation"]


def wait_for_operation(
    plane: ControlPlane,
    ref: Ref,
    *,
    timeout: float | None,
    progress: bool | Callable[[OperationStatus], None],
) -> OperationStatus:
    """Wait until an operation ends, or a run of one on a schedule; this is `LoadHandle.wait`.

    Args:
        timeout: Seconds; None waits for ever.
        progress: True prints to standard error; a callable gets each new snapshot.

    Raises:
        NotFound: there is no such operation, or it was deleted meanwhile.
        OperationFailed: it failed, or never will end.
        Timeout: with what was seen last.
    """
    from datafluid.model.status import OperationStatus

    first = plane.get(ref)
    before = OperationStatus.parse(first)
    deadline, report = Deadline(timeout), reporter(ref, progress)
    if before.is_cron and isinstance(plane, Cluster):
        try:
            return _wait_for_run(plane, ref, before, deadline, report)
        except Forbidden:  # without its CronJob there is its status, which follows for a DataLoad at least
            pass
    status, last, said = before, first, None
    figures = LoadFigures(plane) if progress and isinstance(plane, Cluster) and ref.kind == "DataLoad" else None
    for heard in listen(plane, ref, deadline=deadline, first=first):
        last = heard.object or last
        status = OperationStatus.parse(last)
        if figures is not None:
            status = outlasting(ref, deadline, partial(figures.onto, status, last))
        if progress and not heard.news and not status.phase:
            status = replace(status, reason=outlasting(ref, deadline, partial(why_not_begun, plane, last)))
        if status != said:
            said = status
            report(status)
        if _has_ended(status, before):
            return _ended(plane, ref, last, status)
        if heard.gone or heard.object is None:
            raise NotFound(f"{ref} was deleted while it was {status.phase or 'new'}.", hint=_after_vanishing(last))
        if not heard.news and (stuck := outlasting(ref, deadline, partial(why_stuck, plane, last, status))):
            raise OperationFailed(f"{ref} does not get on: {stuck}", hint=where_to_look(ref))
    outlasting(ref, deadline, partial(plane.get, ref))  # or tell that the plane does not answer
    told = diagnosis(plane, last, status.phase) if status.phase else f"waiting; {why_not_begun(plane, last)}"
    raise Timeout(
        f"{ref} is not finished after {deadline}; seen last: {told}",
        hint=where_to_look(ref),
        last_seen=status.phase or "no phase",
    )


def _wait_for_run(
    plane: ControlPlane,
    ref: Ref,
    status: OperationStatus,
    deadline: Deadline,
    report: Callable[[OperationStatus], None],
) -> OperationStatus:
    """Wait until a run ends that had not ended before. Its Jobs tell: a DataProcess' status stays at the first run."""

    def runs_now() -> list[Run]:
        return outlasting(ref, deadline, partial(history, plane, ref))

    # One that somebody started by hand belongs to no tick: when it was started tells it from others.
    ended_before = {(run.scheduled, run.started) for run in runs_now() if run.ended is not None}
    report(status)
    for heard in listen(plane, cron_job_ref(ref), deadline=deadline):
        if heard.gone:
            raise NotFound(f"the CronJob of {ref} was deleted.", hint="Apply it again.")
        if heard.object is None:
            if stuck := outlasting(ref, deadline, lambda: why_stuck(plane, now := plane.get(ref), _parsed(now))):
                raise OperationFailed(f"{ref} does not get on: {stuck}", hint=where_to_look(ref))
            continue
        runs = [run for run in runs_now() if (run.scheduled, run.started) not in ended_before]
        now = replace(status, phase=runs[0].phase if runs else status.phase)
        if now != status:
            status = now
            report(status)
        if runs and runs[0].ended is not None:
            if runs[0].phase == "Failed":
                raise OperationFailed(f"a run of {ref} failed: {runs[0].message}", hint=where_to_look(ref))
            return replace(_parsed(outlasting(ref, deadline, partial(plane.get, ref))), phase="Complete")
    raise Timeout(f"no run of {ref} has ended within {deadline}.", hint=where_to_look(ref), last_seen=status.phase)


def _parsed(manifest: Manifest) -> OperationStatus:
    """The status of an operation."""
    from datafluid.model.status import OperationStatus

    return OperationStatus.parse(manifest)


def _has_ended(status: OperationStatus, before: OperationStatus) -> bool:
    """Whether it has ended; for one on a schedule, whether a run that had not ended before has."""
    if status.phase not in ("Complete", "Failed"):
        return False
    if not status.is_cron:
        return True
    if before.phase not in ("Complete", "Failed"):
        return True
    if status.last_schedule_time == before.last_schedule_time:
        return False
    # The schedule time of a new run may come while the phase is still that of the one before.
    if status.phase == "Complete" and status.last_successful_time and status.last_schedule_time:
        return status.last_successful_time >= status.last_schedule_time
    return True


def _ended(plane: ControlPlane, ref: Ref, last: Manifest, status: OperationStatus) -> OperationStatus:
    if status.phase == "Failed":
        raise OperationFailed(f"{ref} failed: {diagnosis(plane, last, status.phase)}", hint=where_to_look(ref))
    return status


def _after_vanishing(last: Manifest) -> str:
    if last["spec"].get("ttlSecondsAfterFinished") == 0:
        return "Its ttlSecondsAfterFinished is 0, so it may have ended well unseen: look at what it was to do."
    return "Apply it again."
