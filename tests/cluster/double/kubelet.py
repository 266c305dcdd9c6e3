"""The kubelet: pods become Ready after 1.5 s, pods of Jobs succeed 4 s later, deleted pods end at once.

A pod label ``sim.test/mode`` changes that: ``fail``, ``hang`` or ``pending``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.engine.reconcile.values import condition, rfc3339
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Patch,
    Remember,
    Step,
    Vanish,
    World,
    deleting,
    do,
    first,
    owners,
)

MODE = "sim.test/mode"
_STARTS = 1.5
_SUCCEEDS = 4.0
_FAILS = 3.0


def controller() -> Controller:
    """One kubelet for all nodes."""
    return Controller("kubelet", _look, _wakes)


def _wakes(world: World, change: Change) -> Iterable[Ref]:
    if change.ref.kind == "v1/Pod" and change.type != "DELETED":
        yield change.ref


def _look(world: World, ref: Ref) -> Step:
    pod = world.get(ref)
    if pod is None:
        return NOTHING
    if deleting(pod):
        return Step((Vanish(ref),))
    return first(_runs(world, pod))


def _runs(world: World, pod: Manifest) -> Iterator[Step]:
    ref, labels = Ref.of(pod), pod["metadata"].get("labels") or {}
    mode, phase = labels.get(MODE, ""), (pod.get("status") or {}).get("phase")
    if not pod["spec"].get("nodeName") or mode == "pending" or not _claims_are_bound(world, pod):
        if pod["spec"].get("nodeName") and mode != "pending":
            yield Step(again=0.5)
        return
    begun = world.remembered(ref, "begun")
    if not begun:
        yield do(Remember(ref, "begun", world.now), then=_STARTS)
    if world.now < begun + _STARTS * world.faults.slow - 0.001:
        yield Step(again=(begun + _STARTS * world.faults.slow - world.now) / world.faults.slow)
    crashing = labels.get("release") in world.faults.crash_looping or ref.name in world.faults.crash_looping
    if phase in (None, "Pending"):
        yield do(Patch(ref, {"status": _running(world, pod, ready=not crashing)}), then=0.01)
    if not any(owner["kind"] == "Job" for owner in owners(pod)) or mode == "hang" or phase != "Running":
        return
    started = world.remembered(ref, "begun") + _STARTS * world.faults.slow
    left = started + (_FAILS if mode == "fail" else _SUCCEEDS) * world.faults.slow - world.now
    if left > 0.001:
        yield Step(again=left / world.faults.slow)
    yield do(Patch(ref, {"status": {"phase": "Failed" if mode == "fail" else "Succeeded"}}))


def _running(world: World, pod: Manifest, *, ready: bool) -> Manifest:
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    stamp = {"lastTransitionTime": rfc3339(world.now)}
    conditions = [condition(kind, ready or "Ready" not in kind, "", "") | stamp for kind in kinds]
    state: Manifest = {"running": {"startedAt": rfc3339(world.now)}}
    if not ready:
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
    containers = [
        {"name": each["name"], "image": each["image"], "imageID": "", "ready": ready, "restartCount": 0, "state": state}
        for each in pod["spec"]["containers"]
    ]
    return {"phase": "Running", "conditions": conditions, "containerStatuses": containers}


def _claims_are_bound(world: World, pod: Manifest) -> bool:
    for volume in pod["spec"].get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            found = world.get(Ref("v1/PersistentVolumeClaim", claim["claimName"], pod["metadata"]["namespace"]))
            if found is None or (found.get("status") or {}).get("phase") != "Bound":
                return False
    return True
