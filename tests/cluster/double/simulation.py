"""The double on a dictionary with a simulated clock: an hour in a moment, the same every time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence

from datafluid.model.ref import Ref
from tests.cluster.double.crash import restarted
from tests.cluster.double.store import Entry, Store
from tests.cluster.double.world import Change, Controller, Faults, World, Write

_LATENCY = 0.004  # seconds until a watcher has heard of a change
_MOST_LOOKS = 200_000


class Simulation:
    """Runs controllers over a store of its own.

    Args:
        controllers: Who lives in this cluster.
        start: Seconds since the epoch at which it begins.
        faults: How the controllers misbehave.
    """

    def __init__(self, controllers: Sequence[Controller], *, start: float, faults: Faults | None = None) -> None:
        self.world = World({}, start, faults=faults or Faults())
        self.store = Store(self.world)
        self.start = start
        self._controllers = {each.name: each for each in controllers}
        self._queue: list[tuple[float, int, str, Ref]] = []
        self._due: dict[tuple[str, Ref], float] = {}
        self._busy: dict[tuple[str, Ref], float] = {}
        self._turns = itertools.count()

    @property
    def log(self) -> list[Entry]:
        """Everything that happened, in order."""
        return self.store.log

    def submit(self, *writes: Write) -> None:
        """Write as a user."""
        for write in writes:
            self._heard(self.store.write(write))

    def run(self, until: float) -> None:
        """Let time pass up to ``until`` seconds after the start."""
        end = self.start + until
        for _ in range(_MOST_LOOKS):
            if not self._queue or self._queue[0][0] > end:
                self.world.now = end
                return
            due, _, name, ref = heapq.heappop(self._queue)
            if self._due.get((name, ref)) == due:
                del self._due[name, ref]
                self.world.now = max(self.world.now, due)
                self._look(self._controllers[name], ref)
        raise AssertionError(f"the controllers run in circles at {self.world.now - self.start:.2f} s")

    def restart(self, names: Iterable[str]) -> None:
        """Let controllers look at all they know, as after a restart of their process."""
        restarted(self.world)
        for name in names:
            for manifest in list(self.world.objects.values()):
                for woken in self._controllers[name].wakes(self.world, Change("ADDED", manifest)):
                    self._wake(name, woken, 0.2)

    def _look(self, controller: Controller, ref: Ref) -> None:
        if controller.rests(self.world):
            return
        step = controller.look(self.world, ref)
        key = (controller.name, ref)
        slow = self.world.faults.slow
        self._busy[key] = self.world.now + step.busy * slow
        if step.again is not None:
            self._wake(controller.name, ref, step.again * slow)
        for write in step.writes:
            self._heard(self.store.write(write))

    def _heard(self, change: Change | None) -> None:
        if change is None:
            return
        for controller in self._controllers.values():
            for ref in controller.wakes(self.world, change):
                self._wake(controller.name, ref, _LATENCY)

    def _wake(self, name: str, ref: Ref, after: float) -> None:
        key = (name, ref)
        due = max(self.world.now + after, self._busy.get(key, 0.0))
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._queue, (due, next(self._turns), name, ref))
