"""Hearing of one object: the transport below every wait. What is heard is judged elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datafluid.errors import NotFound, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, ControlPlane, Manifest, WatchEvent

__all__ = ["Deadline", "Heard", "Quiet", "listen"]

_SILENCES = (10.0, 20.0, 30.0, 60.0)  # seconds of quiet before a look around; the last for ever
_OUTAGE = 300.0  # seconds that a server which was heard before may be away, as within one watch
_LONGEST_LOOK = 1.0  # seconds between two looks on a plane that has no controllers: dead workers announce nothing


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


class Quiet:
    """How long to listen before looking around: longer each time that nothing was heard.

    `at_most` limits it, for those who have a term of their own.
    """

    def __init__(self) -> None:
        self._turns = 0
        self.at_most = float("inf")

    def __call__(self) -> float:
        """Seconds of silence after which to look around this time."""
        turn = min(self._turns, len(_SILENCES) - 1)
        self._turns += 1
        return min(_SILENCES[turn], self.at_most)

    def heard(self) -> None:
        """Something was: begin with short times again."""
        self._turns = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is known of an object now.

    Args:
        object: As it is, or as it was at last; None while there is none.
        gone: It was deleted.
        news: Whether it has changed; False when it was only quiet for long.
    """

    object: Manifest | None
    gone: bool = False
    news: bool = True


def listen(
    plane: ControlPlane, ref: Ref, *, deadline: Deadline, quiet: Callable[[], float], first: Manifest | None = None
) -> Iterator[Heard]:
    """What an object is now, then each time that it changes, and now and then that it does not.

    A plane with controllers of its own is asked once and then listened to. Ends when the time is up.

    Args:
        plane: Where it is.
        ref: The object; it need not exist yet.
        deadline: When to stop.
        quiet: Seconds of silence after which to say so, asked anew each time.
        first: The object as it was read already.
    """
    if isinstance(plane, Advances):
        return _advanced(plane, ref, deadline)
    return _told(plane, ref, deadline, quiet, first)


def _told(
    plane: ControlPlane, ref: Ref, deadline: Deadline, quiet: Callable[[], float], seen: Manifest | None
) -> Iterator[Heard]:
    since: str | None = None
    if seen is not None:
        since = seen["metadata"]["resourceVersion"]
        yield Heard(object=seen)
    answered = time.monotonic() if seen is not None else None
    while not deadline.passed:
        left, patience = deadline.left(), quiet()
        timeout = patience if left is None else min(left, patience)
        try:
            for event in _watched(plane, ref, since, timeout):
                since, answered = event.version, time.monotonic()
                if event.type == "DELETED":
                    last = event.object if "spec" in event.object else seen  # a missed one has left only its name
                    yield Heard(object=last, gone=True)
                    seen = None
                elif event.type != "BOOKMARK":
                    seen = event.object
                    yield Heard(object=seen)
        except Unavailable:
            if answered is None or time.monotonic() - answered > _OUTAGE:
                raise
            left = deadline.left()
            time.sleep(_LONGEST_LOOK if left is None else min(_LONGEST_LOOK, left))
            continue
        answered = time.monotonic()
        if not deadline.passed:
            yield Heard(object=seen, news=False)


def _watched(plane: ControlPlane, ref: Ref, since: str | None, timeout: float) -> Iterator[WatchEvent]:
    return plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, since=since, timeout=timeout)


def _advanced(plane: ControlPlane, ref: Ref, deadline: Deadline) -> Iterator[Heard]:
    seen: Manifest | None = None
    while True:
        if isinstance(plane, Advances):
            plane.advance(ref)
        found = _look(plane, ref)
        if found is None and seen is not None:
            yield Heard(object=_last(plane, ref, seen), gone=True)
        else:
            yield Heard(object=found, news=found != seen)
        seen = found
        if deadline.passed:
            return
        _until_change(plane, ref, seen, deadline)


def _look(plane: ControlPlane, ref: Ref) -> Manifest | None:
    try:
        return plane.get(ref)
    except NotFound:
        return None


def _last(plane: ControlPlane, ref: Ref, seen: Manifest) -> Manifest:
    """An object that was deleted since it was seen, by its ttl for example, as it was at last."""
    for event in _watched(plane, ref, seen["metadata"].get("resourceVersion"), 0.0):
        if event.type == "DELETED" and event.object["metadata"]["uid"] == seen["metadata"]["uid"]:
            return event.object
    return seen


def _until_change(plane: ControlPlane, ref: Ref, seen: Manifest | None, deadline: Deadline) -> None:
    left = deadline.left()
    patience = _LONGEST_LOOK if left is None else min(_LONGEST_LOOK, left)
    if seen is None:
        patience = min(patience, _LONGEST_LOOK / 20)  # nothing to go on from
        time.sleep(patience)
        return
    next(_watched(plane, ref, seen["metadata"].get("resourceVersion"), patience), None)  # a bookmark too: our turn
