"""An AlluxioRuntime: masters, workers, and a controller that looks every 20 s until it is set up."""

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
    count_masters,
    count_workers,
    fresh,
    has,
    setup_duration,
    told,
    workload,
)
from tests.cluster.double.traits import ALLUXIO, Identity
from tests.cluster.double.volumes import volumes
from tests.cluster.double.world import Create, Patch, Remember, Step, World, do

_COUNTED_AFTER = 0.1
_GATEWAY = 39999


def steps(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Master, workers, Bound, volumes, figures: each only when the one before is ready."""
    identity = Identity.of(dataset)
    if workload(world, runtime, "worker") is None:
        yield do(*(Create(each) for each in runtime_chart(ALLUXIO, runtime, dataset)), then=0.05)
    if "cacheStates" not in (runtime.get("status") or {}):
        yield from _components(world, runtime, dataset)
    if (dataset.get("status") or {}).get("phase") in (None, "NotBound"):
        yield do(
            Patch(identity.ref, {"status": bound(world, ALLUXIO, runtime, dataset)}),
            Remember(Ref.of(runtime), "synced", world.now),
        )
    yield from volumes(world, ALLUXIO, dataset)
    if not has(runtime, "FusesReady"):
        status = status_of(runtime)
        told(status, "FusesReady", world)
        count_fuses(world, runtime, status)
        yield from changed(runtime, status | {"fuseReason": "Fuses are ready"}, then=0.1)
    if "cacheStates" not in dataset["status"]:
        yield do(Patch(identity.ref, {"status": {"cacheStates": runtime["status"]["cacheStates"]}}))
    yield from in_sync(world, ALLUXIO, runtime, dataset)


def _components(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    status = status_of(runtime)
    if not status:
        status = fresh()
        told(status, "MasterInitialized", world)
        count_masters(world, runtime, status)
        yield from changed(runtime, status, then=ALLUXIO.retry)
    if status["masterPhase"] != "Ready":
        count_masters(world, runtime, status)
        yield from changed(runtime, status)
        yield Step(again=ALLUXIO.retry)
    yield from measured(world, dataset, _COUNTED_AFTER, mark="counted")
    yield from scaled(world, ALLUXIO, runtime, dataset)
    if not has(runtime, "WorkersInitialized"):
        told(status, "WorkersInitialized", world)
        yield from changed(runtime, status, then=0.02)
    seen = has(runtime, "WorkersReady")
    count_workers(world, runtime, status)
    yield from changed(runtime, status, then=0.1)
    if status["workerPhase"] not in ("Ready", "PartialReady"):
        yield Step(again=ALLUXIO.retry if seen else 0.1)
    identity = Identity.of(dataset)
    states = cache_states(world, ALLUXIO, runtime, world.engine.of(identity.namespace, identity.name))
    more = {
        "cacheAffinity": cache_affinity(world, runtime),
        "cacheStates": states,
        "setupDuration": setup_duration(world, runtime),
    }
    if (runtime["spec"].get("apiGateway") or {}).get("enabled"):
        more["apiGateway"] = {"endpoint": f"{identity.name}-master-0.{identity.namespace}:{_GATEWAY}"}
    yield from changed(runtime, status | more, then=0.05)
