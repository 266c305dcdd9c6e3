"""A ThinRuntime without workers: a FUSE and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.engine.reconcile.values import status_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.charts import runtime_chart
from tests.cluster.double.statuses import bound, cache_states, count_fuses, fresh, has, setup_duration, told, workload
from tests.cluster.double.traits import THIN
from tests.cluster.double.volumes import volumes
from tests.cluster.double.world import Create, Patch, Step, Tell, World, do


def steps(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """From the chart to Bound, then whatever the DaemonSet reports."""
    ref = Ref.of(runtime)
    profile = Ref("ThinRuntimeProfile", runtime["spec"].get("profileName", ""))
    if world.get(profile) is None:
        problem = f'Failed to setup ddc engine due to error ThinRuntimeProfile.data.fluid.io "{profile.name}" not found'
        yield Step((Tell(ref, "Warning", "ErrorProcessRuntime", problem, "ThinRuntime"),), again=THIN.retry)
    if workload(world, runtime, "fuse") is None:
        yield do(*(Create(each) for each in runtime_chart(THIN, runtime, dataset)), then=0.02)
    status = status_of(runtime)
    if not status:
        status = fresh() | {
            "cacheStates": cache_states(world, THIN, runtime, world.engine.default),
            "fusePhase": "Ready",
            "setupDuration": setup_duration(world, runtime),
            "valueFile": f"{ref.name}-thin-values",
        }
        if mounts := (dataset.get("status") or {}).get("mounts"):  # of the runtime that it had before
            status["mounts"] = mounts
        told(status, "FusesInitialized", world)
        yield do(Patch(ref, {"status": status}))
    if (dataset.get("status") or {}).get("phase") in (None, "NotBound"):
        yield do(Patch(Ref.of(dataset), {"status": bound(world, THIN, runtime, dataset)}))
    yield from volumes(world, THIN, dataset)
    if not has(runtime, "FusesReady"):
        told(status, "FusesReady", world)
        yield do(Patch(ref, {"status": status | {"fuseReason": "Fuses are ready"}}))
    count_fuses(world, runtime, status)
    if status != runtime["status"]:
        yield do(Patch(ref, {"status": _replaced(runtime, status)}), then=0.03)


def _replaced(runtime: Manifest, status: Manifest) -> Manifest:
    """A merge patch that makes the status what it should be: what is gone is None."""
    return dict.fromkeys(set(runtime["status"]) - set(status)) | status
