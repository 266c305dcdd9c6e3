"""Running what is due: `serve` stays and does it for a whole home directory, `run_due` does it once.

Two of them never run a tick twice: the tick is a key in the registry. The lock of `serve` only keeps the second
one from doing work in vain; it stands by and takes over when the first is gone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from datafluid.engine.backoff import BacksOff
from datafluid.engine.controller import Controller
from datafluid.engine.locks import FileLock
from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.reconcile.cron import next_turn
from datafluid.engine.reconcile.operation import expires_at
from datafluid.engine.reconcile.values import rfc3339
from datafluid.engine.registry import Registry
from datafluid.engine.serving import serve_lock
from datafluid.errors import DatafluidError
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = ["Due", "Server", "run_due"]

_STANDBY_LOOK = 1.0
_LOOK = 0.25  # between two looks at the clock and the mapped counter
_IDLE = 30.0  # between two passes when nothing is due and nothing changes
_BUSY = 2.0  # the same while operations run: a process that dies tells nobody
_PROBE_PAUSE = 10.0  # between two tries to reach a dataset that is not Bound
_REACH_PAUSE = 60.0  # between two looks whether the stores of Bound datasets answer
_COUNT_SECONDS = 60.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What one pass did.

    Args:
        moved: Objects that took a step.
        running: Operations that run now.
        next_at: When the next turn or deletion is due, seconds since the epoch; None: nothing is planned.
    """

    moved: tuple[Ref, ...]
    running: tuple[Ref, ...]
    next_at: float | None


def run_due(plane: EmbeddedPlane, *, now: float | None = None, wait: bool = False) -> Due:
    """One pass: begin what is due, resume what died, delete what has expired.

    Args:
        now: The moment that counts as now; None asks the clock.
        wait: Stay until everything that runs has ended: systemd kills what a finished unit has left behind.
    """
    controller = plane.controller
    if now is not None:
        controller = Controller(plane.registry, controller.surroundings, clock=lambda: now)
    due = _pass(controller)
    while wait and due.running:
        time.sleep(_LOOK)
        moved = [each for ref in due.running for each in controller.advance(ref)]
        due = Due(
            moved=tuple(dict.fromkeys((*due.moved, *moved))),
            running=tuple(_running(controller)),
            next_at=due.next_at,
        )
    return due


class Server:
    """`datafluid serve`.

    Args:
        plane: The home to serve.
        tell: Gets a line for each thing worth telling.
    """

    def __init__(self, plane: EmbeddedPlane, *, tell: Callable[[str], None] = _log.info) -> None:
        self._plane = plane
        self._tell = tell
        patient = BacksOff(plane.controller.surroundings, pause=_PROBE_PAUSE)
        self._controller = Controller(plane.registry, patient, clock=plane.controller.clock)
        self._reached_at = 0.0
        self._told = self._states()

    def run(self, stop: Event) -> None:
        """Serve until ``stop`` is set; stand by while another one serves."""
        lock = serve_lock(self._plane.home)
        if not self._take(lock, stop):
            return
        try:
            self._tell(f"serving {self._plane.home.path}")
            while not stop.is_set():
                generation = self._plane.registry.generation
                self._sleep(stop, generation, self.turn())
        finally:
            lock.release()

    def turn(self) -> Due:
        """One pass with everything that a server does; `run` repeats it."""
        due = _pass(self._controller)
        self._tell_news()
        self._count()
        now = self._controller.clock()
        if now - self._reached_at >= _REACH_PAUSE:
            self._reached_at = now
            self._reach()
        return due

    def _tell_news(self) -> None:
        """What is otherwise than it was told last, whoever changed it: processes of loads end their runs themselves."""
        states = self._states()
        for ref in {**states, **self._told}:
            if (state := states.get(ref, "deleted")) != self._told.get(ref):
                self._tell(f"{ref}: {state}")
        self._told = states

    def _states(self) -> dict[Ref, str]:
        registry = self._plane.registry
        return {Ref.of(each): _state(each, registry) for each in _in_order(registry.objects())}

    def _take(self, lock: FileLock, stop: Event) -> bool:
        told = False
        while not lock.try_acquire():
            if not told:
                self._tell("another serve is running for this home; standing by")
                told = True
            if stop.wait(_STANDBY_LOOK):
                return False
        return True

    def _sleep(self, stop: Event, generation: int, due: Due) -> None:
        """Until something is due, something changed, or it is time to look after processes."""
        patience = _BUSY if due.running else _IDLE
        end = time.monotonic() + patience
        while not stop.wait(_LOOK) and time.monotonic() < end:
            if due.next_at is not None and self._controller.clock() >= due.next_at:
                return
            if self._plane.registry.generation != generation:
                return

    def _count(self) -> None:
        for dataset in self._plane.registry.objects("Dataset"):
            status = dataset.get("status") or {}
            if status.get("phase") == "Bound" and status.get("ufsTotal") == "[Calculating]":
                self._controller.count(Ref.of(dataset), seconds=_COUNT_SECONDS)

    def _reach(self) -> None:
        for dataset in self._plane.registry.objects("Dataset"):
            self._controller.look_whether_reachable(Ref.of(dataset))


def _pass(controller: Controller) -> Due:
    moved: dict[Ref, None] = {}
    for manifest in _in_order(controller.registry.objects()):
        ref = Ref.of(manifest)
        try:
            moved |= dict.fromkeys(controller.advance(ref, start_turns=True))
        except DatafluidError as error:  # one object that cannot be moved does not keep the others waiting
            _log.warning("%s: %s", ref, error)
    now = controller.clock()
    planned = [
        moment
        for manifest in controller.registry.objects()
        if manifest["kind"] in OPERATION_KINDS
        for moment in (next_turn(manifest, now), expires_at(manifest))
        if moment is not None
    ]
    return Due(moved=tuple(moved), running=tuple(_running(controller)), next_at=min(planned, default=None))


def _in_order(manifests: list[Manifest]) -> list[Manifest]:
    """Datasets first: what the others depend on."""
    return sorted(manifests, key=lambda manifest: manifest["kind"] != "Dataset")


def _running(controller: Controller) -> list[Ref]:
    return [
        Ref.of(manifest)
        for kind in OPERATION_KINDS
        for manifest in controller.registry.objects(kind)
        if any(run.active for run in controller.registry.runs(manifest["metadata"]["uid"]))
    ]


def _state(manifest: Manifest, registry: Registry) -> str:
    """The phase; of an operation with a schedule its newest turn, and of what failed also why."""
    if (manifest.get("spec") or {}).get("policy") != "Cron":
        return (manifest.get("status") or {}).get("phase") or "seen"
    run = next(iter(registry.runs(manifest["metadata"]["uid"])), None)
    if run is None:
        return "has a schedule"
    why = f": {run.message}" if run.message and run.phase != "Complete" else ""
    return f"turn of {rfc3339(run.scheduled)} {run.phase}{why}"
