"""A JuiceFSRuntime, community edition: workers, no master, figures from its FUSE pods."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.engine.reconcile.values import status_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.charts import runtime_chart
from tests.cluster.double.engine_steps import changed, in_sync, measured, scaled
from tests.cluster.double.statuses import (
    bound,
    cache_affinity,
    cache_states,
    count_fuses,
    count_workers,
    fresh,
    has,
    setup_duration,
    told,
    workload,
)
from tests.cluster.double.traits import JUICEFS, Identity
from tests.cluster.double.volumes import volumes
from tests.cluster.double.world import Create, Patch, Remember, Step, World, do

_COUNTED_AFTER = 18.0


def steps(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """From the chart to Bound, then its figures every 90 s."""
    ref, identity = Ref.of(runtime), Identity.of(dataset)
    if workload(world, runtime, "worker") is None:
        yield do(*(Create(each) for each in runtime_chart(JUICEFS, runtime, dataset)), then=0.04)
    if not has(runtime, "WorkersInitialized"):
        yield from scaled(world, JUICEFS, runtime, dataset)
        status = fresh()
        told(status, "WorkersInitialized", world)
        yield from changed(runtime, status, then=0.02)
    status = status_of(runtime)
    if "cacheStates" not in status:
        count_workers(world, runtime, status)
        yield from changed(runtime, status)
        if status["workerPhase"] not in ("Ready", "PartialReady"):
            yield Step(again=JUICEFS.retry)
        known = world.engine.of(identity.namespace, identity.name)
        status |= {
            "cacheAffinity": cache_affinity(world, runtime),
            "cacheStates": cache_states(world, JUICEFS, runtime, known),
            "setupDuration": setup_duration(world, runtime),
            "valueFile": f"{ref.name}-juicefs-values",
        }
        yield from changed(runtime, status, then=0.01)
    if (dataset.get("status") or {}).get("phase") in (None, "NotBound"):
        yield do(
            Patch(identity.ref, {"status": bound(world, JUICEFS, runtime, dataset)}), Remember(ref, "synced", world.now)
        )
    yield from volumes(world, JUICEFS, dataset)
    yield from measured(world, dataset, _COUNTED_AFTER, mark="counted")
    if not has(runtime, "FusesReady"):
        told(status, "FusesReady", world)
        count_fuses(world, runtime, status)
        yield from changed(runtime, status | {"fuseReason": "Fuses are ready"})
    yield from in_sync(world, JUICEFS, runtime, dataset)
