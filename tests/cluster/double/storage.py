"""Kubernetes' own part in volumes: binding them, and keeping what is in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Patch,
    Step,
    World,
    deleting,
    do,
    finalized,
    first,
    without_finalizer,
)

_CLAIM, _VOLUME = "v1/PersistentVolumeClaim", "v1/PersistentVolume"
_PROTECTION = {_CLAIM: "kubernetes.io/pvc-protection", _VOLUME: "kubernetes.io/pv-protection"}


def controller() -> Controller:
    """The binder and both protections."""
    return Controller("volumes", _look, _wakes)


def _wakes(world: World, change: Change) -> Iterable[Ref]:
    ref = change.ref
    if ref.kind == _VOLUME:
        yield ref
        claim = change.object["spec"]["claimRef"]
        yield Ref(_CLAIM, claim["name"], claim["namespace"])
    elif ref.kind == _CLAIM:
        yield ref
        yield Ref(_VOLUME, change.object["spec"]["volumeName"])
    elif ref.kind == "v1/Pod" and change.type == "DELETED":
        yield from (Ref.of(each) for each in world.of(_CLAIM, ref.namespace) if deleting(each))


def _look(world: World, ref: Ref) -> Step:
    found = world.get(ref)
    if found is None:
        return NOTHING
    return first(_claim(world, found) if ref.kind == _CLAIM else _volume(world, found))


def _claim(world: World, claim: Manifest) -> Iterator[Step]:
    ref = Ref.of(claim)
    if deleting(claim):
        if not _in_use(world, ref) and finalized(claim, _PROTECTION[_CLAIM]):
            yield do(without_finalizer(claim, _PROTECTION[_CLAIM]))
        return
    volume = world.get(Ref(_VOLUME, claim["spec"]["volumeName"]))
    phase = (claim.get("status") or {}).get("phase")
    if phase is None:
        yield do(Patch(ref, {"status": {"phase": "Pending"}}), then=0.02)
    if volume is not None and phase != "Bound" and volume["spec"]["claimRef"].get("uid") == claim["metadata"]["uid"]:
        yield do(Patch(ref, {"status": {"phase": "Bound", "accessModes": claim["spec"]["accessModes"]}}))


def _volume(world: World, volume: Manifest) -> Iterator[Step]:
    ref = Ref.of(volume)
    wanted = volume["spec"]["claimRef"]
    claim = world.get(Ref(_CLAIM, wanted["name"], wanted["namespace"]))
    phase = (volume.get("status") or {}).get("phase")
    if deleting(volume):
        if phase != "Bound" and finalized(volume, _PROTECTION[_VOLUME]):
            yield do(without_finalizer(volume, _PROTECTION[_VOLUME]))
        return
    if claim is None and phase == "Bound":
        yield do(Patch(ref, {"status": {"phase": "Released"}}))
    if phase is None:
        yield do(Patch(ref, {"status": {"phase": "Available"}}), then=0.02)
    if claim is not None and phase == "Available" and not deleting(claim):
        bound = {"spec": {"claimRef": {"uid": claim["metadata"]["uid"]}}, "status": {"phase": "Bound"}}
        yield do(Patch(ref, bound))


def _in_use(world: World, claim: Ref) -> bool:
    for pod in world.of("v1/Pod", claim.namespace):
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for volume in pod["spec"].get("volumes") or ():
            if volume.get("persistentVolumeClaim", {}).get("claimName") == claim.name:
                return True
    return False
