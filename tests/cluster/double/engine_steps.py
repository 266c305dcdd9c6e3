"""What JuiceFS and Alluxio have in common: workers, figures that are synced every 90 s, labels on nodes."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.engine.reconcile.values import status_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.engine import size
from tests.cluster.double.nodelabels import node_labels
from tests.cluster.double.statuses import cache_states, count_fuses, count_masters, count_workers, told, workload
from tests.cluster.double.traits import ALLUXIO, Identity, Trait, replicas_of
from tests.cluster.double.world import Patch, Remember, Step, Tell, World, do

PERIOD = 90.0
CALCULATING = "[Calculating]"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def changed(runtime: Manifest, status: Manifest, then: float = 0.03) -> Iterator[Step]:
    """Write a status where it differs from what is there."""
    present = runtime.get("status") or {}
    if status != present:
        yield do(Patch(Ref.of(runtime), {"status": dict.fromkeys(set(present) - set(status)) | status}), then=then)


def scaled(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Give the worker StatefulSet its replicas, and at first its affinity."""
    workers = workload(world, runtime, "worker")
    assert workers is not None
    wanted, present = replicas_of(runtime), workers["spec"]["replicas"]
    if "affinity" not in workers["spec"]["template"]["spec"]:
        pod = {"template": {"spec": {"affinity": _affinity(dataset)}}}
        yield do(Patch(Ref.of(workers), {"spec": {"replicas": wanted, **pod}}))
    if wanted == present:
        return
    status = status_of(runtime)
    told(status, "WorkersScaledOut" if wanted > present else "WorkersScaledIn", world)
    status["desiredWorkerNumberScheduled"] = wanted
    yield do(
        Patch(Ref.of(workers), {"spec": {"replicas": wanted}}),
        Patch(Ref.of(runtime), {"status": status}),
        Tell(
            Ref.of(runtime), "Normal", "Succeed", f"Runtime scaled {'out' if wanted > present else 'in'}.", trait.kind
        ),
    )


def _affinity(dataset: Manifest) -> Manifest:
    identity = Identity.of(dataset)
    expression = {"key": identity.key("f-"), "operator": "In", "values": ["true"]}
    node: Manifest = {_PREFERRED: [{"weight": 100, "preference": {"matchExpressions": [expression]}}]}
    if required := (dataset["spec"].get("nodeAffinity") or {}).get("required"):
        node[_REQUIRED] = required
    exclusive = (dataset["spec"].get("placement") or "Exclusive") == "Exclusive"
    key = {"key": "fluid.io/dataset", "operator": "Exists"}
    mine = {"key": "fluid.io/dataset-placement", "operator": "In", "values": ["Exclusive"]}
    apart = {
        "labelSelector": {"matchExpressions": [key if exclusive else mine]},
        "topologyKey": "kubernetes.io/hostname",
    }
    return {"nodeAffinity": node, "podAntiAffinity": {_REQUIRED: [apart]}}


def figures_due(world: World, runtime: Manifest) -> bool:
    """Whether the engine is asked again: every 90 s."""
    return world.now >= world.remembered(Ref.of(runtime), "synced") + PERIOD * world.faults.slow - 0.001


def in_sync(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """The numbers whenever it looks; the figures when they are due; then rest until they are due again."""
    ref = Ref.of(runtime)
    yield from scaled(world, trait, runtime, dataset)
    status = status_of(runtime)
    if trait is ALLUXIO:
        count_masters(world, runtime, status)
    count_workers(world, runtime, status)
    count_fuses(world, runtime, status)
    yield from changed(runtime, status)
    if figures_due(world, runtime):
        yield from measured(world, dataset, 0.0, mark="counted")
        yield from figures(world, trait, runtime, dataset)
        if trait is ALLUXIO:
            from tests.cluster.double import mounting

            yield from mounting.steps(world, runtime, dataset)
        yield from health(world, dataset)
        yield do(Remember(ref, "synced", world.now))
    yield from node_labels(world, trait, runtime, dataset)
    rest = world.remembered(ref, "synced") + PERIOD * world.faults.slow - world.now
    yield Step(again=max(rest / world.faults.slow, 0.01))


def figures(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Ask the engine, write what it says on the runtime, and copy it to the Dataset."""
    identity = Identity.of(dataset)
    if identity.name in world.faults.stalled:
        return
    states = cache_states(world, trait, runtime, world.engine.of(identity.namespace, identity.name))
    if trait is ALLUXIO and (dataset.get("status") or {}).get("ufsTotal") == CALCULATING:
        states["cachedPercentage"] = ""
    yield from changed(runtime, status_of(runtime) | {"cacheStates": states}, then=0.01)
    if (dataset.get("status") or {}).get("cacheStates") != states:
        yield do(Patch(identity.ref, {"status": {"cacheStates": states}}))


def measured(world: World, dataset: Manifest, after: float, *, mark: str) -> Iterator[Step]:
    """``ufsTotal`` and ``fileNum``: first that they are being counted, later what they are."""
    identity = Identity.of(dataset)
    status = dataset.get("status") or {}
    known = world.engine.of(identity.namespace, identity.name)
    if "ufsTotal" not in status:
        counting = {"fileNum": CALCULATING, "ufsTotal": CALCULATING}
        yield do(Patch(identity.ref, {"status": counting}), Remember(identity.ref, mark, world.now + after), then=0.02)
    if status.get("ufsTotal") == CALCULATING and world.now >= world.remembered(identity.ref, mark):
        yield do(Patch(identity.ref, {"status": {"fileNum": str(known.files), "ufsTotal": size(known.total)}}))


def health(world: World, dataset: Manifest) -> Iterator[Step]:
    """On request, a Dataset that fails at one sync and is Bound again at the next."""
    identity = Identity.of(dataset)
    if identity.name not in world.faults.flapping:
        return
    phase = (dataset.get("status") or {}).get("phase")
    if not world.remembered(identity.ref, "failed"):
        yield Step(
            (Patch(identity.ref, {"status": {"phase": "Failed"}}), Remember(identity.ref, "failed", 1.0)),
            again=20.0,
            busy=20.0,
        )
    if phase == "Failed":
        yield do(Patch(identity.ref, {"status": {"phase": "Bound"}}))
