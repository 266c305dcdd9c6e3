"""Hearing of one object: the transport below every wait. What is heard is judged elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from datafluid.errors import Forbidden, NotFound, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.finding import find
from datafluid.plane.port import Advances, ControlPlane, Manifest, WatchEvent
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.outages import breathe, outlasting

__all__ = ["Heard", "listen"]

_SILENCES = (15.0, 30.0, 60.0)  # seconds without news after which to look around; the last for ever
_LONGEST_LOOK = 1.0  # seconds between two looks on a plane that has no controllers: dead workers announce nothing


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


def listen(plane: ControlPlane, ref: Ref, *, deadline: Deadline, first: Manifest | None = None) -> Iterator[Heard]:
    """What an object is now, then each time that it changes, and now and then that it does not.

    A plane with controllers of its own is asked once and then listened to. Ends when the time is up. A plane that goes
    away meanwhile is waited for.

    Args:
        plane: Where it is.
        ref: The object; it need not exist yet.
        deadline: When to stop.
        first: The object as it was read already.

    Raises:
        Timeout: at the end the plane could not be reached.
    """
    if isinstance(plane, Advances):
        return _advanced(plane, ref, deadline)
    return _told(plane, ref, deadline, first)


def _told(plane: ControlPlane, ref: Ref, deadline: Deadline, seen: Manifest | None) -> Iterator[Heard]:
    if seen is not None:
        yield Heard(object=seen)
    for event in _unless_away(plane, ref, seen, deadline):
        if event.type == "QUIET":
            yield Heard(object=seen, news=False)
        elif event.type == "DELETED":
            last = event.object if "spec" in event.object else seen  # one that was missed has left only its name
            yield Heard(object=last, gone=True)
            seen = None
        elif event.type != "BOOKMARK":
            seen = event.object
            yield Heard(object=seen)


def _unless_away(plane: ControlPlane, ref: Ref, seen: Manifest | None, deadline: Deadline) -> Iterator[WatchEvent]:
    """Changes and silences; where the plane cannot be reached, they go on from the last one when it can be again."""
    since = None if seen is None else seen["metadata"]["resourceVersion"]
    while not deadline.passed:
        try:
            for event in _watched(plane, ref, since, deadline.left(), _SILENCES):
                since = event.version
                yield event
        except Unavailable:
            breathe(deadline, 0)
            with suppress(NotFound, Forbidden):  # an answer
                outlasting(ref, deadline, partial(plane.get, ref))


def _watched(
    plane: ControlPlane, ref: Ref, since: str | None, timeout: float | None, quiet: Sequence[float] = ()
) -> Iterator[WatchEvent]:
    return plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, since=since, timeout=timeout, quiet=quiet)


def _advanced(plane: ControlPlane, ref: Ref, deadline: Deadline) -> Iterator[Heard]:
    seen: Manifest | None = None
    while True:
        found = outlasting(ref, deadline, lambda: _advanced_once(plane, ref))
        if found is None and seen is not None:
            yield Heard(object=outlasting(ref, deadline, partial(_last, plane, ref, seen)), gone=True)
        else:
            yield Heard(object=found, news=found != seen)
        seen = found
        if deadline.passed:
            return
        try:
            _until_change(plane, ref, seen, deadline)
        except Unavailable:  # the next look tells
            breathe(deadline, 0)


def _advanced_once(plane: ControlPlane, ref: Ref) -> Manifest | None:
    if isinstance(plane, Advances):
        plane.advance(ref)
    return find(plane, ref)


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
