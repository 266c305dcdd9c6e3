"""Moves declared objects forward: observe, ask the pure steps, commit their decision, carry it out.

No transaction is open while the world is observed, so nobody waits for a slow under-store. What was observed is
committed only if the object is still the one that was looked at; else it is looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import time
from typing import Any

from datafluid.engine.reconcile.dataset import (
    CALCULATING,
    DatasetSeen,
    Resolution,
    needs_probe,
    resolve,
    step_dataset,
    tell_reachable,
)
from datafluid.engine.reconcile.flow import step_operation
from datafluid.engine.reconcile.operation import OperationSeen
from datafluid.engine.reconcile.relations import runtime_of, unsupported_reason, working_on
from datafluid.engine.reconcile.runtime import step_runtime
from datafluid.engine.reconcile.tiers import wanted_paths
from datafluid.engine.reconcile.values import Decision, Totals, status_of
from datafluid.engine.records import Records
from datafluid.engine.registry import Registry
from datafluid.engine.surroundings import Surroundings
from datafluid.errors import Conflict, Invalid
from datafluid.model.graph import predecessor_of
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets, physical_refs, references_to
from datafluid.plane.port import Manifest

__all__ = ["Controller"]

_MOST_ROUNDS = 50  # a bound that no sane object reaches; it keeps a mistake from spinning for ever
_COUNT_SECONDS = 2.0


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

    def advance(self, ref: Ref, *, start_turns: bool = False) -> tuple[Ref, ...]:
        """Take every step that is possible now for an object, what it depends on, and what waits for it.

        Args:
            start_turns: Also begin turns of schedules that are due.

        Returns:
            What changed, each once, in the order of its first step.
        """
        changed: dict[Ref, None] = {}
        for _ in range(_MOST_ROUNDS):
            moved = [each for each in self._line(ref) if self.step(each, start_turns=start_turns)]
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
                    self._commit(records, ref, manifest, replace(decision, events=tuple(events)))
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
            return step_dataset(self._see_dataset(ref, manifest))
        if ref.kind in OPERATION_KINDS:
            return step_operation(self._see_operation(manifest, start_turns))
        if ref.kind.endswith("Runtime"):
            dataset = self.registry.find(Ref("Dataset", ref.name, ref.namespace))
            binding = self.registry.find_binding(ref.namespace or "", ref.name)
            return step_runtime(manifest, dataset, binding, self.clock())
        return Decision()

    def _see_dataset(self, ref: Ref, dataset: Manifest) -> DatasetSeen:
        everything = self.registry.objects()
        runtime = runtime_of(dataset, everything)
        stored = self.registry.find_binding(ref.namespace or "", ref.name)
        resolution = self._resolve(dataset, runtime)
        probe = totals = None
        if needs_probe(dataset, resolution, stored) and resolution.binding is not None:
            probe = self.surroundings.probe(resolution.binding)
            if not probe.error:
                totals = self._first_count(dataset, runtime, resolution)
        return DatasetSeen(
            dataset=dataset,
            runtime=runtime,
            resolution=resolution,
            stored=stored,
            probe=probe,
            totals=totals,
            references=tuple(references_to(ref, everything)),
            operations=len(working_on(ref, everything)),
            now=self.clock(),
        )

    def _resolve(self, dataset: Manifest, runtime: Manifest | None) -> Resolution:
        metadata = dataset["metadata"]
        physical = {key: self.registry.find_binding(*key) for key in physical_refs(dataset)}
        try:
            paths = wanted_paths(runtime)
        except Invalid:
            paths = []
        stored = self.registry.find_binding(metadata["namespace"], metadata["name"])
        machine = self.surroundings.machine(paths)
        return resolve(dataset, runtime, physical, machine, stored, self.surroundings.ignored_options(dataset))

    def _first_count(self, dataset: Manifest, runtime: Manifest | None, resolution: Resolution) -> Totals | None:
        policy = (((runtime or {}).get("spec") or {}).get("management") or {}).get("metadataSyncPolicy") or {}
        known = (dataset.get("status") or {}).get("ufsTotal") or CALCULATING
        if policy.get("autoSync") is False or known != CALCULATING or resolution.binding is None:
            return None
        return self.surroundings.count(resolution.binding, seconds=_COUNT_SECONDS)

    def _see_operation(self, operation: Manifest, start_turns: bool) -> OperationSeen:
        names = operation_datasets(operation)
        datasets = {key: self.registry.find(Ref("Dataset", key[1], key[0])) for key in names}
        predecessor = predecessor_of(operation)
        uid = operation["metadata"]["uid"]
        runs = [
            replace(run, alive=run.active and self.surroundings.alive(uid, run.scheduled))
            for run in self.registry.runs(uid)
        ]
        # A process ends its run before it lets go of the lock: what looks dead is looked up once more.
        if any(run.active and not run.alive for run in runs):
            ended = {run.scheduled: run for run in self.registry.runs(uid) if not run.active}
            runs = [ended.get(run.scheduled, run) for run in runs]
        return OperationSeen(
            operation=operation,
            datasets=datasets,
            predecessor=self.registry.find(predecessor) if predecessor else None,
            unsupported=unsupported_reason(operation),
            runtime_type=_runtime_type(datasets.values()),
            runs=tuple(runs),
            start_turns=start_turns,
            now=self.clock(),
        )

    def _line(self, ref: Ref) -> list[Ref]:
        """An object with everything it depends on before it, and what waits for it after it."""
        line: dict[Ref, None] = {}
        self._add(ref, line)
        everything = self.registry.objects()
        if ref.kind == "Dataset":
            line |= dict.fromkeys(working_on(ref, everything))
            line |= dict.fromkeys(_referring(ref, everything))
        for each in [each for each in line if each.kind == "Dataset"]:
            runtime = runtime_of({"metadata": {"name": each.name, "namespace": each.namespace}}, everything)
            if runtime is not None:
                line[Ref.of(runtime)] = None
        return list(line)

    def _add(self, ref: Ref, line: dict[Ref, None]) -> None:
        if ref in line:
            return
        manifest = self.registry.find(ref)
        if manifest is None:
            return
        if ref.kind == "Dataset":
            before = [Ref("Dataset", name, namespace) for namespace, name in physical_refs(manifest)]
        elif ref.kind in OPERATION_KINDS:
            before = [Ref("Dataset", name, namespace) for namespace, name in operation_datasets(manifest)]
            predecessor = predecessor_of(manifest)
            before += [predecessor] if predecessor else []
        else:
            before = [Ref("Dataset", ref.name, ref.namespace)] if ref.kind.endswith("Runtime") else []
        line[ref] = None  # before its own dependencies: a circle ends here
        for each in before:
            self._add(each, line)
        line.pop(ref)
        line[ref] = None

    def _commit(self, records: Records, ref: Ref, seen: Manifest, decision: Decision) -> None:
        current = records.find(ref)
        if current is None or current["metadata"]["resourceVersion"] != seen["metadata"]["resourceVersion"]:
            raise Conflict(f"{ref} changed meanwhile.")
        uid, now = seen["metadata"]["uid"], self.clock()
        for note in decision.events:
            records.record(uid, note, now)
        for tick in decision.begin:
            records.begin_run(uid, tick, now)
        for tick, message in decision.miss:
            records.miss_run(uid, tick, "MissSchedule", message, now)
        for tick in decision.cancel:
            records.cancel_run(uid, tick)
        for tick, reason, message in decision.end:
            records.end_run(uid, tick, phase="Failed", reason=reason, message=message, now=now)
        if decision.keep_runs is not None:
            records.forget_runs(uid, complete=decision.keep_runs[0], others=decision.keep_runs[1])
        if decision.unbind:
            records.unbind(uid)
        if decision.binding is not None:
            records.bind(decision.binding)
        if decision.remove:
            records.remove(ref)
        elif (new := _changed(current, decision)) != current:
            records.put(new)

    def _start(self, uid: str, tick: int) -> bool:
        """Start the process of a run; the attempt is counted before, so that one that dies at once counts too."""
        with self.registry.transaction() as records:
            records.attempt_run(uid, tick)
        return self.surroundings.start(uid, tick)


def _changed(manifest: Manifest, decision: Decision) -> Manifest:
    metadata = dict(manifest["metadata"])
    if decision.labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **decision.labels}
    if decision.finalizers is not None:
        metadata["finalizers"] = list(decision.finalizers)
    if decision.owner is not None:
        metadata["ownerReferences"] = [_owner_reference(decision.owner)]
    if decision.drop_annotations:
        kept = metadata.get("annotations") or {}
        metadata["annotations"] = {key: kept[key] for key in kept if key not in decision.drop_annotations}
    changed = {**manifest, "metadata": metadata}
    return changed if decision.status is None else {**changed, "status": decision.status}


def _referring(dataset: Ref, everything: Iterable[Manifest]) -> Iterable[Ref]:
    """The datasets that mount this one: they are bound to what it is bound to."""
    for each in references_to(dataset, everything):
        namespace, _, name = each.partition("/")
        yield Ref("Dataset", name, namespace)


def _owner_reference(owner: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }


def _runtime_type(datasets: Iterable[Manifest | None]) -> str:
    for dataset in datasets:
        for runtime in ((dataset or {}).get("status") or {}).get("runtimes") or ():
            return str(runtime["type"])
    return "datafluid"
