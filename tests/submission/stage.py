"""A cluster in memory on which datasets get on: what Fluid's controllers would write, when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from datafluid import Client
from datafluid.context import Context
from datafluid.model.ref import Ref
from datafluid.placement import labels
from datafluid.plane.port import Manifest
from datafluid.testing import InMemoryPlane

NAMESPACE = "team"
FLIGHTS = Ref("Dataset", "flights", NAMESPACE)

DATASET: Manifest = {
    "apiVersion": "data.fluid.io/v1alpha1",
    "kind": "Dataset",
    "metadata": {"name": "flights"},
    "spec": {"mounts": [{"mountPoint": "s3://bucket/flights", "name": "flights"}]},
}
RUNTIME: Manifest = {
    "apiVersion": "data.fluid.io/v1alpha1",
    "kind": "AlluxioRuntime",
    "metadata": {"name": "flights"},
    "spec": {
        "replicas": 2,
        "tieredstore": {"levels": [{"mediumtype": "SSD", "path": "/mnt/ssd", "quota": "1Gi"}]},
    },
}
JOB: Manifest = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "train"},
    "spec": {
        "template": {
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": "none", "resources": {"requests": {"cpu": "1"}}}],
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "flights"}}],
            }
        }
    },
}
JOB_REF = Ref("batch/v1/Job", "train", NAMESPACE)


class Killed(BaseException):
    """The client is taken away, as ``kill -9`` would."""


class Stage(InMemoryPlane):
    """The plane. With ``lively`` every look moves the datasets on by one of Fluid's steps.

    Args:
        killed_at: Before this change, counted from 1, the client is killed; a negative one: after it.
    """

    def __init__(self, *, lively: bool = True, killed_at: int | None = None) -> None:
        super().__init__(lively=False)
        self.moving = lively
        self.killed_at = killed_at
        self.changes = 0
        self._inside = False
        for number in range(3):
            name = f"n{number}"
            super().apply(
                {
                    "apiVersion": "v1",
                    "kind": "Node",
                    "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
                    "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "20"}},
                }
            )

    def advance(self, ref: Ref) -> bool:
        return self.moving and self.get_on(ref)

    def get_on(self, ref: Ref) -> bool:
        """One step of Fluid's: Bound, then the claim, then the labels; a load is complete once its dataset is."""
        if ref.kind == "DataLoad":
            return self._load_gets_on(ref)
        dataset = next((each for each in self.list("Dataset") if Ref.of(each) == ref), None)
        if dataset is None:
            return False
        if not dataset.get("status"):
            runtimes = [{"name": ref.name, "namespace": ref.namespace, "type": "alluxio"}]
            mounts = dataset["spec"]["mounts"]
            self.set_status(ref, {"phase": "Bound", "conditions": [], "mounts": mounts, "runtimes": runtimes})
            return True
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Bound"}}
        if not self.list("v1/PersistentVolumeClaim", namespace=ref.namespace):
            metadata = {"name": ref.name, "namespace": ref.namespace, "annotations": {"CreatedBy": "fluid"}}
            InMemoryPlane.apply(self, {**claim, "metadata": metadata})
            return True
        return self.label(ref)

    def label(self, dataset: Ref, count: int = 2) -> bool:
        """Label the first nodes for a dataset."""
        key = labels(dataset.namespace or "", dataset.name).dataset
        wanted = [node for node in self.list("v1/Node")[:count] if key not in node["metadata"]["labels"]]
        for node in wanted:
            InMemoryPlane.patch(self, Ref.of(node), {"metadata": {"labels": {key: "true"}}})
        return bool(wanted)

    def cached(self, percent: str, dataset: Ref = FLIGHTS) -> None:
        """Let the dataset tell how much is cached."""
        status = self.get(dataset)["status"]
        states = {"cached": "1.00GiB", "cachedPercentage": percent, "cacheCapacity": "9.00GiB"}
        self.set_status(dataset, {**status, "ufsTotal": "2.00GiB", "cacheStates": states})

    def _load_gets_on(self, ref: Ref) -> bool:
        load = next((each for each in self.list("DataLoad") if Ref.of(each) == ref), None)
        dataset = self.list("Dataset")[:1]
        if load is None or load.get("status") or not dataset or not dataset[0].get("status"):
            return False
        self.set_status(ref, {"phase": "Complete", "conditions": [], "duration": "1s"})
        self.cached("100.0%", Ref.of(dataset[0]))
        return True

    # -- what the client does, and where it may be killed

    def apply(self, resource: Mapping[str, Any], **settings: Any) -> Manifest:
        if settings.get("dry_run"):
            return super().apply(resource, **settings)
        return self._changing(lambda: InMemoryPlane.apply(self, resource, **settings))

    def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        if dry_run:
            return super().create(resource, dry_run=True)
        return self._changing(lambda: InMemoryPlane.create(self, resource))

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        return self._changing(lambda: InMemoryPlane.patch(self, ref, changes, subresource=subresource))

    def _changing(self, change: Callable[[], Manifest]) -> Manifest:
        if self._inside:
            return change()
        self.changes += 1
        if self.killed_at == self.changes:
            raise Killed
        self._inside = True
        try:
            changed = change()
        finally:
            self._inside = False
        if self.killed_at == -self.changes:
            raise Killed
        return changed


def client(plane: InMemoryPlane) -> Client:
    """A client of the stage."""
    return Client(plane, Context(name="stage", plane="kubernetes", namespace=NAMESPACE))
