"""Waiting until a dataset can be used: listen, judge, report, diagnose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from datafluid.errors import CacheFull, Forbidden, Invalid, NotFound, Timeout, Unavailable, Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, Cluster, ControlPlane, Manifest
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.listening import Heard, listen
from datafluid.waiting.outages import outlasting
from datafluid.waiting.telling import diagnosis, likeliest, newest_reason, reporter, where_to_look

if TYPE_CHECKING:
    from datafluid.model.growth import Growth
    from datafluid.model.readiness import Readiness
    from datafluid.model.status import DatasetStatus

__all__ = ["wait_for_dataset"]

_GRACE = 200.0  # seconds that phase Failed may last: Fluid looks again every 90 s and often takes it back


def wait_for_dataset(
    plane: ControlPlane,
    ref: Ref,
    *,
    cached: float | None,
    timeout: float | None,
    progress: bool | Callable[[DatasetStatus], None],
) -> DatasetStatus:
    """Behind `DatasetHandle.wait`."""
    if cached is not None and not 0.0 <= cached <= 1.0:
        raise Invalid(f"cached={cached:g} is no fraction.", hint="Write 0.9 for 90 %.")
    return _DatasetWait(plane, ref, cached, Deadline(timeout), reporter(ref, progress), bool(progress)).run()


@dataclass(slots=True)
class _DatasetWait:
    """One wait for a dataset: it listens to one object at a time, the one that tells next."""

    plane: ControlPlane
    ref: Ref
    cached: float | None
    deadline: Deadline
    report: Callable[[DatasetStatus], None]
    is_heard: bool
    seen: dict[str, Manifest | None] = field(default_factory=dict)
    blind_to: frozenset[str] = frozenset()
    failed_since: float | None = None
    growth: Growth | None = None
    said: DatasetStatus | None = None
    reason: str = ""
    reason_of: tuple[str, str] = ("", "")

    def run(self) -> DatasetStatus:
        self.seen["dataset"] = self.plane.get(self.ref)
        looking_at = "dataset"
        while True:
            state = self._listen(looking_at)
            if state is None:
                raise self._too_late()
            if state.ready and looking_at == "dataset":
                return self._status(state)
            # What the others tell may be younger than the dataset: it has the last word.
            looking_at = "dataset" if state.ready else state.look_at
            if looking_at == "dataset":
                self._look_again()

    def _look_again(self) -> None:
        self.seen["dataset"] = outlasting(self.ref, self.deadline, lambda: self.plane.get(self.ref))

    def _listen(self, what: str) -> Readiness | None:
        """Listen to one object until another one has to tell; None when the time is up."""
        for heard in self._heard(what):
            state = self._judge(what, heard)
            if state.ready or state.look_at != what:
                return state
        return self._judge_now() if what in self.blind_to else None

    def _heard(self, what: str) -> Iterator[Heard]:
        try:
            yield from listen(self.plane, self._ref_of(what), deadline=self.deadline, first=self.seen.get(what))
        except (Forbidden, Unsupported):  # no right to look, or a kind that is not served any more
            if what == "dataset":
                raise
            self.blind_to |= {what}

    def _ref_of(self, what: str) -> Ref:
        if what == "claim":
            return Ref("v1/PersistentVolumeClaim", self.ref.name, self.ref.namespace)
        if what == "runtime":
            from datafluid.model.status import DatasetStatus

            bound = DatasetStatus.parse(self.seen["dataset"] or {}).runtimes[0]
            return Ref(bound.kind, bound.name, bound.namespace or self.ref.namespace)
        return self.ref

    def _judge(self, what: str, heard: Heard) -> Readiness:
        self.seen[what] = None if heard.gone and what != "dataset" else heard.object
        if not heard.news and what != "dataset":
            self._look_again()
        state = self._judge_now()
        status = self._status(state)
        # Nothing is said of what was not looked at yet: it may well be there.
        told = status if state.look_at in self.seen else replace(status, waiting_for="")
        told = replace(told, reason=self._reason(state, status, heard))
        if told != self.said:
            self.said = told
            self.report(told)
        if what == "dataset" and heard.gone:
            raise NotFound(f"{self.ref} was deleted while it was {status.phase or 'new'}.", hint="Apply it again.")
        self._see_hope(state, status)
        return state

    def _judge_now(self) -> Readiness:
        from datafluid.model.readiness import readiness

        blind = self.blind_to if isinstance(self.plane, Cluster) else frozenset({"claim", "runtime"})
        return readiness(
            self.seen["dataset"] or {},
            claim=self.seen.get("claim"),
            runtime=self.seen.get("runtime"),
            blind_to=blind,
            cached=self.cached,
        )

    def _status(self, state: Readiness) -> DatasetStatus:
        from datafluid.model.growth import Growth
        from datafluid.model.status import DatasetStatus

        status = DatasetStatus.parse(self.seen["dataset"] or {})
        now = time.monotonic()
        self.growth = (self.growth or Growth()).seen(now, status.cached)
        goal = None if self.cached is None or status.total is None else int(self.cached * status.total)
        estimate = None if goal is None else self.growth.estimate(now, goal=goal)
        return replace(status, waiting_for=state.waiting_for, estimate=estimate)

    def _reason(self, state: Readiness, status: DatasetStatus, heard: Heard) -> str:
        """Why it is not ready, where that is known: told by a plane here, found out on a cluster that is quiet."""
        if (now := (status.phase, state.waiting_for)) != self.reason_of:
            self.reason, self.reason_of = "", now
        if state.ready or not self.is_heard or heard.object is None:
            return ""
        if isinstance(self.plane, Advances):
            return newest_reason(self.plane, self.seen["dataset"] or {}) if status.phase != "Bound" else ""
        if not heard.news and not self.reason:
            self.reason = likeliest(self.plane, self.seen["dataset"] or {})
        return self.reason

    def _see_hope(self, state: Readiness, status: DatasetStatus) -> None:
        """Raise where waiting longer will not help."""
        if state.unusable:
            raise Unsupported(f"{self.ref}: {state.unusable}", hint="Mend its mounts and apply it again.")
        if state.hopeless:
            raise CacheFull(
                f"{self.ref}: {state.hopeless}",
                hint=f"Scale its runtime out, give its levels more quota, or wait for cached={_reachable(status):.2f}.",
            )
        now = time.monotonic()
        self.failed_since = None if status.phase != "Failed" else self.failed_since or now
        if self.failed_since is not None and now - self.failed_since >= _GRACE:
            told = diagnosis(self.plane, self.seen["dataset"] or {}, status.phase)
            raise Unavailable(
                f"{self.ref} has been Failed for {now - self.failed_since:.0f} s: {told}", hint=where_to_look(self.ref)
            )

    def _too_late(self) -> Timeout:
        self._look_again()  # or tell that the plane does not answer
        status = self._status(self._judge_now())
        told = diagnosis(self.plane, self.seen["dataset"] or {}, status.phase)
        waits = f", waiting for {status.waiting_for}" if status.waiting_for else ""
        wanted = "ready" if self.cached is None else f"cached to {self.cached:.0%}"
        return Timeout(
            f"{self.ref} is not {wanted} after {self.deadline}{waits}; seen last: {told}",
            hint=where_to_look(self.ref),
            last_seen=status.phase or "no phase",
        )


def _reachable(status: DatasetStatus) -> float:
    """The largest fraction, in whole percents, that has room in the cache."""
    return int(100 * (status.capacity or 0) / (status.total or 1)) / 100
