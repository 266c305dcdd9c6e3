"""The runtime controllers: from a runtime that is declared to a Dataset that is Bound, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.engine.reconcile.values import status_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double import alluxio, juicefs, reference, thin
from tests.cluster.double.charts import values
from tests.cluster.double.nodelabels import node_labels_gone
from tests.cluster.double.statuses import workload
from tests.cluster.double.traits import ALLUXIO, JUICEFS, Identity, Trait, no_quota, physical_of
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Create,
    Delete,
    Patch,
    Remember,
    Step,
    Tell,
    Wakes,
    World,
    deleting,
    do,
    finalized,
    first,
    owner_of,
    owners,
    with_finalizer,
    without_finalizer,
)

_CHART_KINDS = ("v1/Service", "apps/v1/StatefulSet", "apps/v1/DaemonSet", "v1/ConfigMap")
_MOST_TRIES = 3


def controller(trait: Trait) -> Controller:
    """The controller of one kind of runtime."""
    return Controller(f"{trait.type}runtime", lambda world, ref: _look(world, trait, ref), _wakes(trait))


def _wakes(trait: Trait) -> Wakes:
    def wakes(world: World, change: Change) -> Iterable[Ref]:
        ref = change.ref
        if ref.kind == trait.kind and change.declared:
            yield ref
        elif ref.kind == "Dataset" and change.type != "MODIFIED":
            mine = Ref(trait.kind, ref.name, ref.namespace)
            if world.get(mine) is not None:
                yield mine
        elif trait.woken and ref.kind in ("apps/v1/StatefulSet", "apps/v1/DaemonSet"):
            yield from (
                Ref(trait.kind, o["name"], ref.namespace) for o in owners(change.object) if o["kind"] == trait.kind
            )

    return wakes


def _look(world: World, trait: Trait, ref: Ref) -> Step:
    runtime = world.get(ref)
    if runtime is None:
        return NOTHING
    dataset = world.get(Ref("Dataset", ref.name, ref.namespace))
    if deleting(runtime):
        return first(_torn_down(world, trait, runtime, dataset)) if finalized(runtime, trait.finalizer) else NOTHING
    if dataset is None:
        waiting = "No dataset can be bound to the runtime, waiting."
        return Step((Tell(ref, "Warning", "ErrorProcessRuntime", waiting, trait.kind),), again=20.0)
    return first(_set_up(world, trait, runtime, dataset))


def _set_up(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    identity = Identity.of(dataset)
    refers = physical_of(dataset) is not None
    if problem := no_quota(runtime):
        yield _refused(world, runtime, problem)
    if not owners(runtime):
        yield do(Patch(Ref.of(runtime), {"metadata": {"ownerReferences": [owner_of(dataset)]}}))
    for each in (dataset, runtime):
        if "fluid.io/dataset-id" not in (each["metadata"].get("labels") or {}):
            yield do(Patch(Ref.of(each), {"metadata": {"labels": {"fluid.io/dataset-id": identity.id}}}))
    if not finalized(runtime, trait.finalizer):
        yield do(with_finalizer(runtime, trait.finalizer), then=0.02 if refers else world.helm * 0.3)
    if refers:
        yield from reference.steps(world, runtime, dataset)
        return
    made = values(trait, identity)
    if world.get(Ref.of(made)) is None:
        yield do(Create(made), then=world.helm * 0.7)
    engine = {"thin": thin, "juicefs": juicefs, "alluxio": alluxio}[trait.type]
    yield from engine.steps(world, runtime, dataset)


def _refused(world: World, runtime: Manifest, problem: str) -> Step:
    """Say so again and again, ever more slowly."""
    ref = Ref.of(runtime)
    tries = world.remembered(ref, "tries")
    where = (
        f'engine {ref.name} failed to get runtime info, error fail to build runtime info "{ref.namespace}/{ref.name}"'
    )
    news = Tell(ref, "Warning", "ErrorProcessRuntime", f"Process Runtime error {where}: {problem}", ref.kind)
    return Step((news, Remember(ref, "tries", tries + 1)), again=min(0.005 * 2**tries, 90.0))


def _torn_down(world: World, trait: Trait, runtime: Manifest, dataset: Manifest | None) -> Iterator[Step]:
    identity = Identity.of(runtime)
    refers = "controller" in (owners(runtime) or [{}])[0]
    if refers and (fuse := workload(world, runtime, "fuse")) is not None:
        yield do(Delete(Ref.of(fuse)))
    claim = world.get(identity.claim)
    if claim is not None and claim["metadata"].get("annotations", {}).get("CreatedBy") == "fluid":
        yield do(*(() if deleting(claim) else (Delete(identity.claim),)), then=0.1)
    if world.get(identity.volume) is not None:
        yield _volume_goes(world, identity)
    if refers:
        yield from reference.released(world, runtime)
    elif trait in (ALLUXIO, JUICEFS):
        yield from _engine_stops(world, trait, runtime)
        yield from node_labels_gone(world, trait, identity)
    mine = [each for kind in _CHART_KINDS for each in world.owned(runtime, kind)]
    if mine:
        yield do(*(Delete(Ref.of(each)) for each in mine), then=0.08)
    made = Ref("v1/ConfigMap", f"{identity.name}-{trait.type}-values", identity.namespace)
    if world.get(made) is not None:
        yield do(Delete(made))
    if dataset is not None and not deleting(dataset) and (dataset.get("status") or {}).get("runtimes"):
        yield do(Patch(Ref.of(dataset), {"status": _unbound(dataset)}))
    yield do(without_finalizer(runtime, trait.finalizer))


def _volume_goes(world: World, identity: Identity) -> Step:
    volume = world.objects[identity.volume]
    if deleting(volume):
        return do(then=0.1)
    if world.remembered(identity.volume, "released"):
        return do(Delete(identity.volume), then=1.1)
    return do(Remember(identity.volume, "released", 1.0), then=1.0)


def _engine_stops(world: World, trait: Trait, runtime: Manifest) -> Iterator[Step]:
    """Alluxio wants its cache empty first, and gives up after three tries."""
    ref = Ref.of(runtime)
    tries = world.remembered(ref, "tries")
    if trait is ALLUXIO and world.engine.of(str(ref.namespace), ref.name).cached and tries < _MOST_TRIES:
        problem = "Failed to shutdown engine to make sure if the remaining cache is cleaned up, check again"
        tell = Tell(ref, "Warning", "ErrorProcessRuntime", problem, trait.kind)
        yield Step((tell, Remember(ref, "tries", tries + 1)), again=20.0, busy=20.0)


def _unbound(dataset: Manifest) -> Manifest:
    kept = {"phase": "NotBound", "conditions": []}
    gone = {key: None for key in status_of(dataset) if key not in ("phase", "conditions", "mounts")}
    return kept | gone
