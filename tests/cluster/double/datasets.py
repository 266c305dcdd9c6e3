"""The dataset controller: the finalizer, NotBound, the runtime of a reference dataset, and who blocks a deletion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.model.names import is_dns1035_label
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.crash import crashed
from tests.cluster.double.traits import DATASET_FINALIZER, Identity, physical_of
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Create,
    Patch,
    Remember,
    Step,
    Tell,
    World,
    deleting,
    do,
    finalized,
    first,
    owner_of,
    with_finalizer,
    without_finalizer,
)

_EVERY = 10.0  # seconds between two looks at a deletion that is blocked


def controller() -> Controller:
    """The controller of Datasets; it lives in the process that a DataBackup crashes."""
    return Controller("dataset", _look, _wakes, crashed)


def _wakes(world: World, change: Change) -> Iterable[Ref]:
    ref, before = change.ref, change.before or {}
    references = [(each.get("status") or {}).get("datasetRef") for each in (change.object, before)]
    if ref.kind == "Dataset" and (change.declared or (change.type == "MODIFIED" and references[0] != references[1])):
        yield ref


def _look(world: World, ref: Ref) -> Step:
    dataset = world.get(ref)
    if dataset is None:
        return NOTHING
    if deleting(dataset):
        return first(_deleted(world, dataset)) if finalized(dataset, DATASET_FINALIZER) else NOTHING
    return first(_kept(world, dataset))


def _kept(world: World, dataset: Manifest) -> Iterator[Step]:
    ref = Ref.of(dataset)
    if not is_dns1035_label(ref.name):
        return
    if not finalized(dataset, DATASET_FINALIZER):
        yield do(with_finalizer(dataset, DATASET_FINALIZER))
    if physical_of(dataset) is not None and world.get(Ref("ThinRuntime", ref.name, ref.namespace)) is None:
        yield do(Create(_runtime(dataset)))
    if not dataset.get("status"):
        yield do(Patch(ref, {"status": {"phase": "NotBound", "conditions": []}}))


def _runtime(dataset: Manifest) -> Manifest:
    """A reference dataset gets its ThinRuntime by itself."""
    identity = Identity.of(dataset)
    return {
        "apiVersion": dataset["apiVersion"],
        "kind": "ThinRuntime",
        "metadata": {
            "name": identity.name,
            "namespace": identity.namespace,
            "labels": {"fluid.io/dataset-id": identity.id},
            "ownerReferences": [owner_of(dataset, controller=True)],
        },
        "spec": {},
    }


def _deleted(world: World, dataset: Manifest) -> Iterator[Step]:
    ref = Ref.of(dataset)
    referring = (dataset.get("status") or {}).get("datasetRef") or []
    left = [name for name in referring if _there(world, name)]
    if referring and left != referring and world.remembered(ref, "blocked"):
        yield do(Patch(ref, {"status": {"datasetRef": left or None}}))
    if problem := _blocked(world, dataset):
        news = Tell(ref, "Warning", "ErrorDeleteDataset", problem, "Dataset")
        yield Step((news, Remember(ref, "blocked", 1)), again=_EVERY)
    else:
        yield do(without_finalizer(dataset, DATASET_FINALIZER))


def _there(world: World, name: str) -> bool:
    namespace, _, bare = name.partition("/")
    return world.get(Ref("Dataset", bare, namespace)) is not None


def _blocked(world: World, dataset: Manifest) -> str | None:
    namespace, name = dataset["metadata"]["namespace"], dataset["metadata"]["name"]
    for pod in world.of("v1/Pod", namespace):
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") and name in _claims(pod):
            user = f"Pod {pod['metadata']['name']} in Namespace {namespace}"
            return f"Failed to delete dataset because err: can not delete dataset because {user} is using it"
    if referring := (dataset.get("status") or {}).get("datasetRef"):
        return f"Failed to delete dataset because there are datasets [{' '.join(referring)}] mounted to it"
    return None


def _claims(pod: Manifest) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    return [each["persistentVolumeClaim"]["claimName"] for each in volumes if "persistentVolumeClaim" in each]
