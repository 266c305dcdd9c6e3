"""A reference dataset: no engine of its own, the volume of another dataset under a second name."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.engine.reconcile.values import status_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.statuses import bound, workload
from tests.cluster.double.traits import THIN, physical_of
from tests.cluster.double.volumes import volumes
from tests.cluster.double.world import Create, Patch, Remember, Step, Tell, World, do, owner_of

_BALLOON = {"fluid.io/fuse-balloon": "true"}


def steps(world: World, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Register with the physical dataset, copy what a sidecar would need, make the volume, be Bound."""
    found = physical_of(dataset)
    assert found is not None
    physical = world.get(found[0])
    if physical is None or (physical.get("status") or {}).get("phase") != "Bound":
        yield Step(again=20.0)
        return
    name = f"{dataset['metadata']['namespace']}/{dataset['metadata']['name']}"
    referring = physical["status"].get("datasetRef") or []
    if name not in referring:
        remember = Remember(Ref.of(runtime), "physical", found[0])
        yield do(remember, Patch(found[0], {"status": {"datasetRef": [*referring, name]}}), then=0.02)
    copies = list(_copies(world, found[0], runtime, dataset))
    if copies:
        yield do(*(Create(each) for each in copies), then=0.02)
    yield from volumes(world, THIN, dataset)
    if (dataset.get("status") or {}).get("phase") in (None, "NotBound"):
        yield do(Patch(Ref.of(dataset), {"status": bound(world, THIN, runtime, dataset)}), then=0.02)
    if not runtime.get("status"):
        source = world.objects[Ref("ThinRuntime", found[0].name, found[0].namespace)]
        mounts = {"mounts": dataset["spec"]["mounts"]}
        yield do(Patch(Ref.of(runtime), {"status": status_of(source) | mounts}))


def _copies(world: World, physical: Ref, runtime: Manifest, dataset: Manifest) -> Iterator[Manifest]:
    metadata = runtime["metadata"]
    source = world.get(Ref("apps/v1/DaemonSet", f"{physical.name}-fuse", physical.namespace))
    if source is None or workload(world, runtime, "fuse") is not None:
        return
    template = source["spec"]["template"] | {"spec": source["spec"]["template"]["spec"] | {"nodeSelector": _BALLOON}}
    yield {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {
            "name": f"{metadata['name']}-fuse",
            "namespace": metadata["namespace"],
            "labels": {"fluid.io/dataset-id": dataset["metadata"]["labels"]["fluid.io/dataset-id"]},
            "ownerReferences": [owner_of(dataset)],
        },
        "spec": source["spec"] | {"template": template},
    }


def released(world: World, runtime: Manifest) -> Iterator[Step]:
    """Take the reference off the physical dataset; when that is gone already there is no way on."""
    metadata, ref = runtime["metadata"], Ref.of(runtime)
    source = world.remembered(ref, "physical")
    if not source:
        return
    physical = world.get(source)
    if physical is None:
        problem = f'Failed to shutdown engine Dataset.data.fluid.io "{source.name}" not found'
        yield Step((Tell(ref, "Warning", "ErrorProcessRuntime", problem, "ThinRuntime"),), again=5.0)
        return
    name = f"{metadata['namespace']}/{metadata['name']}"
    referring = physical["status"].get("datasetRef") or []
    if name in referring:
        rest = [each for each in referring if each != name]
        yield do(Patch(source, {"status": {"datasetRef": rest or None}}))
