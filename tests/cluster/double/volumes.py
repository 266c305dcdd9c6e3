"""A dataset's PersistentVolume and claim, and the labels on the nodes that cache it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datafluid.model.names import exclusive_value
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.engine import size
from tests.cluster.double.traits import Identity, Trait, by_medium, physical_of
from tests.cluster.double.world import Create, Patch, Step, World, do

_COUNT = "fluid.io/dataset-num"
_EXCLUSIVE = "fluid_exclusive"
_CAPACITY = "100Pi"


def volumes(world: World, trait: Trait, dataset: Manifest) -> Iterator[Step]:
    """The steps that make both, the claim a moment after the volume."""
    identity = Identity.of(dataset)
    if world.get(identity.volume) is None:
        yield do(Create(_volume(world, trait, dataset)), then=0.2)
    if world.get(identity.claim) is None:
        yield do(Create(_claim(trait, dataset)), then=0.02)


def _metadata(identity: Identity) -> Manifest:
    labels = {"fluid.io/dataset-id": identity.id, identity.key("s-"): "true"}
    return {"labels": labels, "annotations": {"CreatedBy": "fluid"}}


def _volume(world: World, trait: Trait, dataset: Manifest) -> Manifest:
    identity = Identity.of(dataset)
    source, path = physical_of(dataset) or (identity.ref, "")
    physical = world.objects[source]
    real = Identity.of(physical)
    attributes = {
        "fluid_path": f"/runtime-mnt/{trait.type}/{real.namespace}/{real.name}/{trait.fuse_directory}",
        "mount_pod_node_selector_key": real.key("f-"),
        "mount_type": trait.mount_type or _file_system(world, real),
        "runtime_name": real.name,
        "runtime_namespace": real.namespace,
    } | ({"fluid_sub_path": path} if path else {})
    handle = f"{real.namespace}-{real.name}"
    spec = _common(dataset) | {
        "capacity": {"storage": _CAPACITY},
        "claimRef": {"namespace": identity.namespace, "name": identity.name},
        "csi": {"driver": "fuse.csi.fluid.io", "volumeHandle": handle, "volumeAttributes": attributes},
        "persistentVolumeReclaimPolicy": "Retain",
    }
    metadata = {"name": identity.volume.name, **_metadata(identity)}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec}


def _claim(trait: Trait, dataset: Manifest) -> Manifest:
    identity = Identity.of(dataset)
    metadata = {"name": identity.name, "namespace": identity.namespace, **_metadata(identity)}
    if reference := physical_of(dataset):
        physical = reference[0]
        named = {"referring-name": physical.name, "referring-namespace": str(physical.namespace)}
        metadata["labels"] |= {f"fluid.io/dataset.{key}": value for key, value in named.items()}
    if trait.type == "juicefs":
        metadata["labels"]["fuse.runtime.fluid.io/generation"] = "1"
    request = {"resources": {"requests": {"storage": _CAPACITY}}, "volumeName": identity.volume.name}
    spec = _common(dataset) | request
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def _common(dataset: Manifest) -> dict[str, Any]:
    modes = dataset["spec"].get("accessModes") or ["ReadOnlyMany"]
    return {"accessModes": modes, "storageClassName": "fluid", "volumeMode": "Filesystem"}


def _file_system(world: World, identity: Identity) -> str:
    runtime = world.objects[Ref("ThinRuntime", identity.name, identity.namespace)]
    profile = world.objects[Ref("ThinRuntimeProfile", runtime["spec"]["profileName"])]
    found: str = profile["spec"]["fileSystemType"]
    return found


def node_labels(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """The steps that label the nodes with a worker, one at a time."""
    identity = Identity.of(dataset)
    for pod in world.of("v1/Pod", identity.namespace):
        if pod["metadata"].get("labels", {}).get("role") != f"{trait.type}-worker" or not pod["spec"].get("nodeName"):
            continue
        node = world.get(Ref("v1/Node", pod["spec"]["nodeName"]))
        mine = pod["metadata"]["labels"].get("release") == identity.name
        if node is None or not mine or identity.key("s-") in node["metadata"]["labels"]:
            continue
        labels = _node_labels(trait, runtime, dataset)
        labels[_COUNT] = str(int(node["metadata"]["labels"].get(_COUNT, "0")) + 1)
        yield do(Patch(Ref.of(node), {"metadata": {"labels": labels}}), then=0.25)


def _node_labels(trait: Trait, runtime: Manifest, dataset: Manifest) -> dict[str, str]:
    identity = Identity.of(dataset)
    sizes = by_medium(runtime)
    sizes["t"] = sum(sizes.values())
    labels = {identity.key("s-"): "true", identity.key(f"s-{trait.type}-"): "true"}
    labels |= {identity.key(f"s-h-{trait.type}-{letter}-"): _short(number) for letter, number in sizes.items()}
    if (dataset["spec"].get("placement") or "Exclusive") == "Exclusive":
        labels[_EXCLUSIVE] = exclusive_value(identity.namespace, identity.name, uid=identity.uid)
    return labels


def node_labels_gone(world: World, trait: Trait, identity: Identity) -> Iterator[Step]:
    """The steps that take the labels away again; ``fluid_exclusive`` goes only where it names this dataset."""
    mine = {identity.key(kind) for kind in ("s-", f"s-{trait.type}-", *(f"s-h-{trait.type}-{x}-" for x in "mdt"))}
    value = exclusive_value(identity.namespace, identity.name, uid=identity.uid)
    for node in world.of("v1/Node"):
        present = node["metadata"]["labels"]
        if identity.key("s-") not in present:
            continue
        gone: dict[str, str | None] = dict.fromkeys(mine & set(present))
        left = int(present.get(_COUNT, "1")) - 1
        gone[_COUNT] = str(left) if left else None
        if present.get(_EXCLUSIVE) == value:
            gone[_EXCLUSIVE] = None
        yield do(Patch(Ref.of(node), {"metadata": {"labels": gone}}), then=0.1)


def _short(number: int) -> str:
    """A capacity as node labels have it: ``2GiB``."""
    return size(number).replace(".00", "")
