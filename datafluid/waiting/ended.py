"""Waiting until an operation ends, and seeing when it never will."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from datafluid.clusters.crons import cron_job_ref, history
from datafluid.errors import Forbidden, NotFound, OperationFailed, Timeout
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets
from datafluid.plane.port import Cluster, ControlPlane, Manifest, Run
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.listening import listen
from datafluid.waiting.outages import outlasting
from datafluid.waiting.telling import diagnosis, reporter, where_to_look

if TYPE_CHECKING:
    from datafluid.model.filling import Filling
    from datafluid.model.status import OperationStatus

__all__ = ["wait_for_operation"]


def wait_for_operation(
    plane: ControlPlane,
    ref: Ref,
    *,
    timeout: float | None,
    progress: bool | Callable[[OperationStatus], None],
) -> OperationStatus:
    """Behind `LoadHandle.wait`."""
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
    figures = _Figures(plane) if progress and isinstance(plane, Cluster) and ref.kind == "DataLoad" else None
    for heard in listen(plane, ref, deadline=deadline, first=first):
        last = heard.object or last
        status = OperationStatus.parse(last)
        if figures is not None:
            status = outlasting(ref, deadline, partial(figures.onto, status, last))
        if progress and not heard.news and not status.phase:
            status = replace(status, reason=outlasting(ref, deadline, partial(_why_not_begun, plane, last)))
        if status != said:
            said = status
            report(status)
        if _has_ended(status, before):
            return _ended(plane, ref, last, status)
        if heard.gone or heard.object is None:
            raise NotFound(f"{ref} was deleted while it was {status.phase or 'new'}.", hint=_after_vanishing(last))
        if not heard.news and (stuck := outlasting(ref, deadline, partial(_stuck, plane, last, status))):
            raise OperationFailed(f"{ref} does not get on: {stuck}", hint=where_to_look(ref))
    outlasting(ref, deadline, partial(plane.get, ref))  # or tell that the plane does not answer
    told = diagnosis(plane, last, status.phase) if status.phase else f"waiting; {_why_not_begun(plane, last)}"
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
            if stuck := outlasting(ref, deadline, lambda: _stuck(plane, now := plane.get(ref), _parsed(now))):
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


class _Figures:
    """How far a load is on a cluster, where only its dataset tells: asked when the load changes, and now and then."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._filling: Filling | None = None

    def onto(self, status: OperationStatus, operation: Manifest) -> OperationStatus:
        """The status with what the dataset's cache tells as its progress."""
        from datafluid.model.filling import Filling
        from datafluid.model.status import DatasetStatus, Progress

        if status.phase != "Executing" or status.progress is not None:
            return status
        namespace, name = operation_datasets(operation)[0]
        try:
            dataset = DatasetStatus.parse(self._plane.get(Ref("Dataset", name, namespace)))
        except (NotFound, Forbidden):
            return status
        if dataset.cached is None:
            return status
        now = time.monotonic()
        self._filling = (self._filling or Filling()).seen(now, dataset.cached)
        estimate = self._filling.estimate(now, goal=dataset.total)
        rate = None if estimate.rate is None else sum(estimate.rate) / 2
        eta = None if estimate.eta is None else estimate.eta[1]
        moved = Progress(bytes_total=dataset.total, bytes_done=dataset.cached, rate=rate, eta=eta)
        return replace(status, progress=moved)


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


def _stuck(plane: ControlPlane, operation: Manifest, status: OperationStatus) -> str:
    """Why an operation that does not change never will: what only events and its predecessor tell."""
    with suppress(NotFound, Forbidden):  # it went this moment, or one may wait and not look around: no reason to stop
        return _reason_to_stop(plane, operation, status)
    return ""


def _why_not_begun(plane: ControlPlane, operation: Manifest) -> str:
    """What keeps its dataset from being Bound: no operation begins before."""
    for namespace, name in operation_datasets(operation):
        ref = Ref("Dataset", name, namespace)
        try:
            dataset = plane.get(ref)
        except NotFound:
            return f"there is no {ref}"
        except Forbidden:
            continue
        phase = (dataset.get("status") or {}).get("phase")
        if phase != "Bound":
            return f"{ref} is {diagnosis(plane, dataset, phase or 'not bound yet')}"
    return ""


def _reason_to_stop(plane: ControlPlane, operation: Manifest, status: OperationStatus) -> str:
    if status.phase == "Executing":
        failures = [each for each in plane.events(Ref.of(operation)) if each.reason == "DataOperationExecutionFailed"]
        newest = max(failures, key=lambda event: event.last_seen, default=None)
        return f"{newest.reason}: {newest.message}" if newest else ""
    if not status.phase and not isinstance(plane, Cluster) and (unusable := _unusable(plane, operation)):
        return unusable
    after = operation["spec"].get("runAfter")
    if status.phase == "Pending" and status.waiting and after:
        predecessor = Ref(after["kind"], after["name"], after.get("namespace") or operation["metadata"]["namespace"])
        if (plane.get(predecessor).get("status") or {}).get("phase") == "Failed":
            return f"it runs after {predecessor}, which has failed."
    return ""


def _unusable(plane: ControlPlane, operation: Manifest) -> str:
    """Why a dataset of an operation can never be Bound as it is declared; "" where it may be. Fluid never tells."""
    from datafluid.model.readiness import readiness

    for namespace, name in operation_datasets(operation):
        ref = Ref("Dataset", name, namespace)
        if unusable := readiness(plane.get(ref), claim=None, runtime=None).unusable:
            return f"{ref}: {unusable}"
    return ""
