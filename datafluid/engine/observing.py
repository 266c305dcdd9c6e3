"""What the controller looks at before a step: the registry, and the world as `Surroundings` show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.dataset import CALCULATING, DatasetSeen, Resolution, needs_probe, resolve
from datafluid.engine.reconcile.operation import OperationSeen
from datafluid.engine.reconcile.relations import runtime_of, unsupported_reason, working_on
from datafluid.engine.reconcile.tiers import wanted_paths
from datafluid.engine.reconcile.values import Totals
from datafluid.engine.registry import Registry
from datafluid.engine.surroundings import Surroundings
from datafluid.errors import Invalid
from datafluid.model.graph import predecessor_of
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets, physical_refs, references_to
from datafluid.plane.port import Manifest

__all__ = ["Observer"]

_COUNT_SECONDS = 2.0


class Observer:
    """Looks at what the steps of one home depend on.

    Args:
        registry: What is declared.
        surroundings: The machine, the under-stores, the processes.
        clock: Seconds since the epoch; asked when everything else was seen.
    """

    def __init__(self, registry: Registry, surroundings: Surroundings, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._surroundings = surroundings
        self._clock = clock

    def dataset(self, dataset: Manifest) -> DatasetSeen:
        """Everything that the next step of a Dataset depends on; its mounts are tried where that is needed."""
        ref = Ref.of(dataset)
        everything = self._registry.objects()
        runtime = runtime_of(dataset, everything)
        stored = self._registry.find_binding(ref.namespace or "", ref.name)
        resolution = self._resolve(dataset, runtime, stored)
        probe = totals = None
        if needs_probe(dataset, resolution, stored) and resolution.binding is not None:
            probe = self._surroundings.probe(resolution.binding)
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
            now=self._clock(),
        )

    def _resolve(self, dataset: Manifest, runtime: Manifest | None, stored: Binding | None) -> Resolution:
        physical = {key: self._registry.find_binding(*key) for key in physical_refs(dataset)}
        try:
            paths = wanted_paths(runtime)
        except Invalid:
            paths = []
        machine = self._surroundings.machine(paths)
        return resolve(dataset, runtime, physical, machine, stored, self._surroundings.ignored_options(dataset))

    def _first_count(self, dataset: Manifest, runtime: Manifest | None, resolution: Resolution) -> Totals | None:
        """What the mounts hold, where nobody has counted it and nothing says not to."""
        policy = (((runtime or {}).get("spec") or {}).get("management") or {}).get("metadataSyncPolicy") or {}
        known = (dataset.get("status") or {}).get("ufsTotal") or CALCULATING
        if policy.get("autoSync") is False or known != CALCULATING or resolution.binding is None:
            return None
        return self._surroundings.count(resolution.binding, seconds=_COUNT_SECONDS)

    def operation(self, operation: Manifest, *, start_turns: bool) -> OperationSeen:
        """Everything that the next step of a data operation depends on."""
        names = operation_datasets(operation)
        datasets = {key: self._registry.find(Ref("Dataset", key[1], key[0])) for key in names}
        predecessor = predecessor_of(operation)
        uid = operation["metadata"]["uid"]
        runs = [
            replace(run, alive=run.active and self._surroundings.alive(uid, run.scheduled))
            for run in self._registry.runs(uid)
        ]
        # A process ends its run before it lets go of the lock: what looks dead is looked up once more.
        if any(run.active and not run.alive for run in runs):
            ended = {run.scheduled: run for run in self._registry.runs(uid) if not run.active}
            runs = [ended.get(run.scheduled, run) for run in runs]
        return OperationSeen(
            operation=operation,
            datasets=datasets,
            predecessor=self._registry.find(predecessor) if predecessor else None,
            unsupported=unsupported_reason(operation),
            runtime_type=_runtime_type(datasets.values()),
            runs=tuple(runs),
            start_turns=start_turns,
            now=self._clock(),
        )


def _runtime_type(datasets: Iterable[Manifest | None]) -> str:
    for dataset in datasets:
        for runtime in ((dataset or {}).get("status") or {}).get("runtimes") or ():
            return str(runtime["type"])
    return "datafluid"
