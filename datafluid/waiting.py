"""Waiting for a dataset or an operation: watch, report, diagnose. One loop serves both."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from datafluid.errors import NotFound, OperationFailed, Timeout
from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, ControlPlane, Manifest

if TYPE_CHECKING:
    from datafluid.model.status import DatasetStatus, OperationStatus

__all__ = ["Deadline", "wait_for_dataset", "wait_for_operation"]

_GONE = "gone"  # marks the last state of an object that was deleted meanwhile
_LONGEST_LOOK = 1.0  # seconds between two looks when no change is reported: dead workers announce nothing


class Deadline:
    """Seconds that are left; None is for ever. Starts at once."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds left, never below 0; None without an end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self._end is not None and time.monotonic() >= self._end


class _Status(Protocol):
    @property
    def phase(self) -> str: ...


_S = TypeVar("_S", bound=_Status)


def wait_for_dataset(
    plane: ControlPlane,
    ref: Ref,
    *,
    cached: float | None,
    timeout: float | None,
    progress: bool | Callable[[DatasetStatus], None],
) -> DatasetStatus:
    """Behind `DatasetHandle.wait`."""
    from datafluid.model.status import DatasetStatus

    def done(status: DatasetStatus) -> bool:
        if status.phase != "Bound":
            return False
        return cached is None or (status.fraction is not None and status.fraction >= cached)

    wanted = "Bound" if cached is None else f"cached to {cached:.0%}"
    deadline = Deadline(timeout)
    states = _states(plane, ref, None, deadline)
    return _wait(plane, ref, states, DatasetStatus.parse, done, wanted, deadline, _reporter(ref, progress))


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
    is_cron = first["spec"].get("policy") == "Cron"
    before = OperationStatus.parse(first)

    def done(status: OperationStatus) -> bool:
        if status.phase not in ("Complete", "Failed"):
            return False
        return not is_cron or status.last_schedule_time != before.last_schedule_time or before.phase == "Executing"

    last: Manifest = first

    def parse(found: Manifest) -> OperationStatus:
        nonlocal last
        last = found
        return OperationStatus.parse(found)

    deadline = Deadline(timeout)
    states = _states(plane, ref, first, deadline)
    status = _wait(plane, ref, states, parse, done, "finished", deadline, _reporter(ref, progress))
    if status.phase == "Failed":
        raise OperationFailed(f"{ref} failed: {_diagnosis(plane, last, status)}", hint=_describe(ref))
    return status


def _wait(
    plane: ControlPlane,
    ref: Ref,
    states: Iterator[Manifest],
    parse: Callable[[Manifest], _S],
    done: Callable[[_S], bool],
    wanted: str,
    deadline: Deadline,
    report: Callable[[_S], None],
) -> _S:
    last: Any = None
    for manifest in states:
        status = parse(manifest)
        if status != last:
            report(status)
            last = status
        if done(status):
            return status
        if manifest.get(_GONE):
            raise NotFound(f"{ref} was deleted while it was {status.phase or 'new'}.", hint="Apply it again.")
    raise Timeout(
        f"{ref} is not {wanted} after {deadline.seconds:g} s; seen last: {_diagnosis(plane, manifest, status)}",
        hint=_describe(ref),
        last_seen=status.phase or "no phase",
    )


def _states(plane: ControlPlane, ref: Ref, first: Manifest | None, deadline: Deadline) -> Iterator[Manifest]:
    """What the object is now, and each time that it has changed, until the time is up; at least once.

    A plane with controllers of its own is asked once and then listened to.
    """
    if isinstance(plane, Advances):
        return _advanced(plane, ref, deadline)
    return _told(plane, ref, first or plane.get(ref), deadline)


def _advanced(plane: ControlPlane, ref: Ref, deadline: Deadline) -> Iterator[Manifest]:
    seen: Manifest | None = None
    while True:
        if isinstance(plane, Advances):
            plane.advance(ref)
        seen = _look(plane, ref, seen)
        yield seen
        if deadline.passed:
            return
        _until_change(plane, ref, seen, deadline)


def _told(plane: ControlPlane, ref: Ref, seen: Manifest, deadline: Deadline) -> Iterator[Manifest]:
    yield seen
    since = seen["metadata"]["resourceVersion"]
    for event in plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, since=since, timeout=deadline.left()):
        if event.type == "DELETED":
            last = event.object if "spec" in event.object else seen  # one that was missed has left only its name
            yield {**last, _GONE: True}
            return
        if event.type != "BOOKMARK":
            seen = event.object
            yield seen


def _look(plane: ControlPlane, ref: Ref, seen: Manifest | None) -> Manifest:
    """The object; one that was deleted since it was seen, by its ttl for example, as it was at last."""
    try:
        return plane.get(ref)
    except NotFound:
        if seen is None:
            raise
        since = seen["metadata"].get("resourceVersion")
        for event in plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, since=since, timeout=0.0):
            if event.type == "DELETED" and event.object["metadata"]["uid"] == seen["metadata"]["uid"]:
                return {**event.object, _GONE: True}
        return {**seen, _GONE: True}


def _until_change(plane: ControlPlane, ref: Ref, manifest: Manifest, deadline: Deadline) -> None:
    left = deadline.left()
    patience = _LONGEST_LOOK if left is None else min(_LONGEST_LOOK, left)
    since = manifest["metadata"].get("resourceVersion")
    for event in plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, since=since, timeout=patience):
        if event.type != "BOOKMARK":
            return


def _diagnosis(plane: ControlPlane, manifest: Manifest, status: _Status) -> str:
    """What a user would look up next: the condition that says why, else the newest warning."""
    phase = status.phase or "no phase yet"
    for condition in reversed((manifest.get("status") or {}).get("conditions") or ()):
        told = (condition.get("type"), condition.get("status"))
        if told in (("Failed", "True"), ("Ready", "False")) and condition.get("message"):
            return f"{phase}; {condition.get('reason')}: {condition['message']}"
    warnings = [] if manifest.get(_GONE) else [e for e in plane.events(Ref.of(manifest)) if e.type == "Warning"]
    newest = max(warnings, key=lambda event: event.last_seen, default=None)
    return f"{phase}; {newest.reason}: {newest.message}" if newest else f"{phase}."


def _describe(ref: Ref) -> str:
    return f"`datafluid describe {ref.kind.lower()} {ref.name} -n {ref.namespace}` tells more."


def _reporter(ref: Ref, progress: bool | Callable[[Any], None]) -> Callable[[Any], None]:
    if callable(progress):
        return progress
    if not progress:
        return lambda status: None

    said = ""

    def to_stderr(status: Any) -> None:
        nonlocal said
        if (line := _line(status)) != said:
            said = line
            print(f"{ref}: {line}", file=sys.stderr)  # noqa: T201  # progress=True asked for it

    return to_stderr


def _line(status: Any) -> str:
    moved = getattr(status, "progress", None)
    if moved is not None and moved.bytes_total:
        return f"{status.phase} {moved.bytes_done / moved.bytes_total:.0%} ({moved.files_done} files)"
    fraction = getattr(status, "fraction", None)
    return f"{status.phase} {fraction:.0%} cached" if fraction is not None else str(status.phase or "waiting")
