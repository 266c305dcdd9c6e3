"""Kubernetes' controllers of StatefulSets and DaemonSets, and its scheduler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.engine.reconcile.values import condition, rfc3339
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Create,
    Delete,
    Patch,
    Step,
    World,
    deleting,
    do,
    first,
    owner_of,
    owners,
)

_SETS = ("apps/v1/StatefulSet", "apps/v1/DaemonSet")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def controllers() -> list[Controller]:
    """Both set controllers, and the scheduler."""
    return [Controller("sets", _look_at_set, _wakes_set), Controller("scheduler", _schedule, _wakes_pod)]


def _wakes_set(world: World, change: Change) -> Iterable[Ref]:
    ref = change.ref
    if ref.kind in _SETS and change.declared:
        yield ref
    elif ref.kind == "v1/Pod":
        yield from (
            Ref(f"apps/v1/{o['kind']}", o["name"], ref.namespace)
            for o in owners(change.object)
            if o["kind"].endswith("Set")
        )
    elif ref.kind == "v1/Node" and change.type == "MODIFIED":
        yield from (Ref.of(each) for each in world.of("apps/v1/DaemonSet"))


def _look_at_set(world: World, ref: Ref) -> Step:
    found = world.get(ref)
    if found is None or deleting(found):
        return NOTHING
    return first(_stateful(world, found) if ref.bare_kind == "StatefulSet" else _daemons(world, found))


def _stateful(world: World, workload: Manifest) -> Iterator[Step]:
    wanted = [f"{workload['metadata']['name']}-{number}" for number in range(workload["spec"]["replicas"])]
    pods = {pod["metadata"]["name"]: pod for pod in world.owned(workload, "v1/Pod")}
    missing = [name for name in wanted if name not in pods]
    surplus = [pod for name, pod in pods.items() if name not in wanted and not deleting(pod)]
    if missing or surplus:
        made = [Create(_pod(workload, name, {"statefulset.kubernetes.io/pod-name": name})) for name in missing]
        yield do(*made, *(Delete(Ref.of(pod)) for pod in surplus), then=0.1)
    ready = sum(_is_ready(pod) for pod in pods.values())
    status = {"replicas": len(pods), "readyReplicas": ready, "availableReplicas": ready}
    yield from _reported(workload, status)


def _daemons(world: World, workload: Manifest) -> Iterator[Step]:
    selector = workload["spec"]["template"]["spec"].get("nodeSelector") or {}
    nodes = [n["metadata"]["name"] for n in world.of("v1/Node") if selector.items() <= n["metadata"]["labels"].items()]
    pods = {pod["spec"].get("nodeName"): pod for pod in world.owned(workload, "v1/Pod") if not deleting(pod)}
    made = [Create(_pod(workload, "", {}, node=node)) for node in nodes if node not in pods]
    gone = [Delete(Ref.of(pod)) for node, pod in pods.items() if node not in nodes]
    if made or gone:
        yield do(*made, *gone, then=0.02)
    ready = sum(_is_ready(pod) for pod in pods.values())
    status = {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": len(nodes),
        "numberReady": ready,
        "numberMisscheduled": 0,
    }
    yield from _reported(workload, status)


def _reported(workload: Manifest, status: Manifest) -> Iterator[Step]:
    present = workload.get("status") or {}
    if any(present.get(key, 0) != value for key, value in status.items()) or not present:
        yield do(Patch(Ref.of(workload), {"status": status}))


def _pod(workload: Manifest, name: str, labels: dict[str, str], *, node: str = "") -> Manifest:
    template = workload["spec"]["template"]
    metadata: Manifest = {
        **({"name": name} if name else {"generateName": f"{workload['metadata']['name']}-"}),
        "namespace": workload["metadata"]["namespace"],
        "labels": template["metadata"]["labels"] | labels,
        "ownerReferences": [owner_of(workload, controller=True, block=True)],
    }
    spec = template["spec"] | ({"nodeName": node} if node else {})
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _is_ready(pod: Manifest) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _wakes_pod(world: World, change: Change) -> Iterable[Ref]:
    if change.ref.kind == "v1/Pod" and change.type == "ADDED" and not change.object["spec"].get("nodeName"):
        yield change.ref
    elif change.ref.kind == "v1/Pod" and change.type == "DELETED":
        yield from (Ref.of(pod) for pod in world.of("v1/Pod") if not pod["spec"].get("nodeName"))


def _schedule(world: World, ref: Ref) -> Step:
    pod = world.get(ref)
    if pod is None or pod["spec"].get("nodeName") or deleting(pod):
        return NOTHING
    for node in world.of("v1/Node"):
        if not node["spec"].get("unschedulable") and _fits(world, pod, node):
            return do(Patch(ref, {"spec": {"nodeName": node["metadata"]["name"]}}))
    unschedulable = condition("PodScheduled", False, "Unschedulable", "no node fits") | {
        "lastTransitionTime": rfc3339(world.now)
    }
    return Step((Patch(ref, {"status": {"phase": "Pending", "conditions": [unschedulable]}}),), again=10.0)


def _fits(world: World, pod: Manifest, node: Manifest) -> bool:
    affinity = pod["spec"].get("affinity") or {}
    labels = node["metadata"]["labels"]
    if not (pod["spec"].get("nodeSelector") or {}).items() <= labels.items():
        return False
    terms = (affinity.get("nodeAffinity", {}).get(_REQUIRED) or {}).get("nodeSelectorTerms") or [{}]
    if not any(all(_matches(labels, each) for each in term.get("matchExpressions") or ()) for term in terms):
        return False
    here = [
        p
        for p in world.of("v1/Pod", pod["metadata"]["namespace"])
        if p["spec"].get("nodeName") == node["metadata"]["name"]
    ]
    apart = affinity.get("podAntiAffinity", {}).get(_REQUIRED) or []
    return not any(_selected(other, term) for term in apart for other in here)


def _selected(pod: Manifest, term: Manifest) -> bool:
    labels = pod["metadata"].get("labels") or {}
    return all(_matches(labels, each) for each in term["labelSelector"]["matchExpressions"])


def _matches(labels: dict[str, str], expression: Manifest) -> bool:
    present = expression["key"] in labels
    if expression["operator"] == "Exists":
        return present
    return present and labels[expression["key"]] in expression.get("values", ())
