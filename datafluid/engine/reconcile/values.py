"""The values that steps take and give, and the few words that every status is made of."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from datafluid.engine.binding import Binding
from datafluid.plane.port import Manifest

__all__ = [
    "Decision",
    "Note",
    "RunSeen",
    "Totals",
    "condition",
    "drop_condition",
    "find_condition",
    "go_duration",
    "parse_time",
    "rfc3339",
    "status_of",
    "with_condition",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An event to record; one that was recorded lately is not recorded again."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSeen:
    """One run of an operation as the registry has it.

    Args:
        scheduled: Seconds since the epoch of the tick that it belongs to; 0 for an operation that runs once.
        started: When it was started.
        ended: When it ended; None while it has not.
        phase: ``Executing``, ``Complete``, ``Failed``, or ``Missed`` for a tick that was passed over.
        alive: Its process holds the lock.
        attempts: How often a process was started for it since it last made progress.
        cancelled: It was told to stop.
    """

    scheduled: int = 0
    started: float = 0.0
    ended: float | None = None
    phase: str = "Executing"
    reason: str = ""
    message: str = ""
    progress: Mapping[str, Any] | None = None
    alive: bool = False
    attempts: int = 0
    cancelled: bool = False

    @property
    def active(self) -> bool:
        """Whether it has still to end."""
        return self.ended is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How much the under-stores hold. ``size`` is Fluid's text, such as ``443.50MiB``."""

    size: str
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to change, in one transaction, and what to do after it is committed.

    Args:
        status: The whole new status; None leaves it alone.
        labels: Labels to set.
        finalizers: The whole new list; None leaves it alone.
        owner: The object that shall own this one.
        drop_annotations: Annotations that were requests and are done with.
        events: Events to record on the object.
        binding: The binding to store.
        unbind: Remove the stored binding.
        begin: Ticks whose runs begin (0 for an operation that runs once).
        miss: Ticks that are passed over, each with the reason.
        resume: Ticks whose process is dead and is started again.
        end: Ticks of runs that end by this decision, each with reason and message of the failure.
        cancel: Ticks of runs that are told to stop.
        keep_runs: How many complete and how many other runs the history keeps from now on.
        remove: The object goes, and what it owns.
    """

    status: Manifest | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    finalizers: tuple[str, ...] | None = None
    owner: Manifest | None = None
    drop_annotations: tuple[str, ...] = ()
    events: tuple[Note, ...] = ()
    binding: Binding | None = None
    unbind: bool = False
    begin: tuple[int, ...] = ()
    miss: tuple[tuple[int, str], ...] = ()
    resume: tuple[int, ...] = ()
    end: tuple[tuple[int, str, str], ...] = ()
    cancel: tuple[int, ...] = ()
    keep_runs: tuple[int, int] | None = None
    remove: bool = False

    @property
    def writes(self) -> bool:
        """Whether anything but events changes."""
        return (
            self.status is not None
            or self.finalizers is not None
            or self.owner is not None
            or self.binding is not None
            or self.unbind
            or self.remove
            or bool(self.labels or self.drop_annotations or self.begin or self.miss or self.end or self.cancel)
        )


def rfc3339(moment: float) -> str:
    """A moment as Kubernetes writes it.

    Example:
        >>> rfc3339(0)
        '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str | None) -> float | None:
    """The moment that `rfc3339` wrote; None for nothing."""
    return datetime.fromisoformat(text).timestamp() if text else None


def go_duration(seconds: float) -> str:
    """A duration as Fluid prints it, in whole seconds.

    Example:
        >>> go_duration(88.4), go_duration(7200)
        ('1m28s', '2h0m0s')
    """
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole, 3600)
    minutes, rest = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def condition(kind: str, status: bool, reason: str, message: str) -> Manifest:
    """A condition without times; `with_condition` adds them."""
    return {"type": kind, "status": "True" if status else "False", "reason": reason, "message": message}


def with_condition(status: Manifest, new: Mapping[str, Any], now: float, *, stamp: str = "lastUpdateTime") -> None:
    """Put a condition into a status; its transition time moves only when what it says has changed.

    Args:
        stamp: The name of the second time: ``lastUpdateTime`` on datasets, ``lastProbeTime`` elsewhere.
    """
    conditions = status.setdefault("conditions", [])
    old = find_condition(status, new["type"])
    if old is not None and all(old.get(key) == new[key] for key in ("status", "reason", "message")):
        return
    moment = rfc3339(now)
    same = old is not None and old.get("status") == new["status"] and new["reason"] == old.get("reason")
    since = old["lastTransitionTime"] if same and old is not None else moment
    complete = {**new, stamp: moment, "lastTransitionTime": since}
    if old is None:
        conditions.append(complete)
    else:
        conditions[conditions.index(old)] = complete


def drop_condition(status: Manifest, kind: str) -> None:
    """Take a condition out of a status."""
    conditions = status.get("conditions")
    if conditions:
        conditions[:] = [each for each in conditions if each["type"] != kind]


def find_condition(status: Mapping[str, Any] | None, kind: str) -> Manifest | None:
    """The condition of a type, or None."""
    found: Sequence[Manifest] = (status or {}).get("conditions") or ()
    return next((each for each in found if each.get("type") == kind), None)


def status_of(manifest: Mapping[str, Any]) -> Manifest:
    """A copy of an object's status that may be changed."""
    return copy.deepcopy(dict(manifest.get("status") or {}))
