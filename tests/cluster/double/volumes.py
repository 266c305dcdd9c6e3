"""A dataset's PersistentVolume and claim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.traits import Identity, Trait, physical_of
from tests.cluster.double.world import Create, Step, World, do

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
