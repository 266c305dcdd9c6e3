"""Moves declared objects forward: observe, ask the pure steps, commit their decision, carry it out.

No transaction is open while the world is observed, so nobody waits for a slow under-store. What was observed is
committed only if the object is still the one that was looked at; else it is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import time

from datafluid.engine.committing import commit
from datafluid.engine.observing import Observer
from datafluid.engine.reconcile.dataset import step_dataset, tell_reachable
from datafluid.engine.reconcile.flow import step_operation
from datafluid.engine.reconcile.order import dependency_order
from datafluid.engine.reconcile.runtime import step_runtime
from datafluid.engine.reconcile.values import Decision, status_of
from datafluid.engine.registry import Registry
from datafluid.engine.surroundings import Surroundings
from datafluid.errors import Conflict
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = ["Controller"]

_MOST_ROUNDS = 50  # a bound that no sane object reaches; it keeps a mistake from spinning for ever


class Controller:
    """The reconciler of one home.

    Args:
        registry: What is declared.
        surroundings: The machine, the under-stores, the processes.
        clock: Seconds since the epoch.
    """

    def __init__(self, registry: Registry, surroundings: Surroundings, *, clock: Callable[[], float] = time) -> None:
        self.registry = registry
        self.surroundings = surroundings
        self.clock = clock
        self._observer = Observer(registry, surroundings, clock)

    def advance(self, ref: Ref, *, start_turns: bool = False) -> tuple[Ref, ...]:
        """Take every step that is possible now for an object, what it depends on, and what waits for it.

        Args:
            start_turns: Also begin turns of schedules that are due.

        Returns:
            What changed, each once, in the order of its first step.
        """
        changed: dict[Ref, None] = {}
        for _ in range(_MOST_ROUNDS):
            line = dependency_order(ref, self.registry.objects())
            moved = [each for each in line if self.step(each, start_turns=start_turns)]
            changed |= dict.fromkeys(moved)
            if not moved:
                break
        return tuple(changed)

    def step(self, ref: Ref, *, start_turns: bool = False) -> bool:
        """Take one step; whether anything but events changed.

        Raises:
            Conflict: never: an object that changed meanwhile counts as a step, and is looked at again.
        """
        manifest = self.registry.find(ref)
        if manifest is None:
            return False
        decision = self._decide(ref, manifest, start_turns)
        uid, now = manifest["metadata"]["uid"], self.clock()
        events = [note for note in decision.events if self.registry.is_news(uid, note, now)]
        if decision.unbind:
            self.surroundings.forget(uid)  # before the commit: who dies in between leaves a dataset to be deleted
        if decision.writes or events:
            try:
                with self.registry.transaction() as records:
                    commit(records, manifest, replace(decision, events=tuple(events)), self.clock())
            except Conflict:
                return True
        if decision.binding is not None:  # after the commit: who begins to read from now on reads what is mounted now
            self.surroundings.forget(uid, but={mount.origin for mount in decision.binding.mounts})
        started = [tick for tick in (*decision.begin, *decision.resume) if self._start(uid, tick)]
        return decision.writes or bool(started)

    def count(self, ref: Ref, *, seconds: float) -> bool:
        """Find out how much the under-stores of a Bound dataset hold; whether that is known now."""
        manifest = self.registry.find(ref)
        binding = self.registry.find_binding(ref.namespace or "", ref.name)
        if manifest is None or binding is None:
            return False
        totals = self.surroundings.count(binding, seconds=seconds)
        if totals is None:
            return False
        with self.registry.transaction() as records:
            records.tell_totals(manifest["metadata"]["uid"], totals)
        return True

    def look_whether_reachable(self, ref: Ref) -> None:
        """Say in the status of a Bound dataset whether its under-stores answer, and since when they do not."""
        binding = self.registry.find_binding(ref.namespace or "", ref.name)
        if binding is None:
            return
        probe = self.surroundings.probe(binding)
        with self.registry.transaction() as records:
            manifest = records.find(ref)
            if manifest is None or (manifest.get("status") or {}).get("phase") != "Bound":
                return
            status = status_of(manifest)
            tell_reachable(status, probe.error, serve_stale=binding.serve_stale, now=self.clock())
            if status != manifest["status"]:
                records.put({**manifest, "status": status})

    def _decide(self, ref: Ref, manifest: Manifest, start_turns: bool) -> Decision:
        if ref.kind == "Dataset":
            return step_dataset(self._observer.dataset(manifest))
        if ref.kind in OPERATION_KINDS:
            return step_operation(self._observer.operation(manifest, start_turns=start_turns))
        if ref.kind.endswith("Runtime"):
            dataset = self.registry.find(Ref("Dataset", ref.name, ref.namespace))
            binding = self.registry.find_binding(ref.namespace or "", ref.name)
            return step_runtime(manifest, dataset, binding, self.clock())
        return Decision()

    def _start(self, uid: str, tick: int) -> bool:
        """Start the process of a run; the attempt is counted before, so that one that dies at once counts too."""
        with self.registry.transaction() as records:
            records.attempt_run(uid, tick)
        return self.surroundings.start(uid, tick)
