"""A cluster in memory in which one Alluxio dataset is as it should be, and ways to break it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.client import Client
from datafluid.context import Context
from datafluid.diagnosis import Diagnosis, Picture, collect, diagnose
from datafluid.model.ref import Ref
from datafluid.plane.port import Event
from datafluid.testing import InMemoryPlane

API = "data.fluid.io/v1alpha1"
NOW = 1_800_000_000.0
TIMES = {"creationTimestamp": "2027-01-15T07:00:00Z"}
DELETED = {"metadata": {"deletionTimestamp": "2027-01-15T07:59:00Z"}}
Object = dict[str, Any]

DATASET, RUNTIME = Ref("Dataset", "demo", "team"), Ref("AlluxioRuntime", "demo", "team")
MASTER, WORKER, FUSE = (Ref("v1/Pod", f"demo-{part}-0", "team") for part in ("master", "worker", "fuse"))
APP, CLAIM = Ref("v1/Pod", "app", "team"), Ref("v1/PersistentVolumeClaim", "demo", "team")
WORKERS = Ref("apps/v1/StatefulSet", "demo-worker", "team")
HOOK = Ref("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "fluid-pod-admission-webhook")
CONTROLLER = Ref("apps/v1/Deployment", "dataset-controller", "fluid-system")


def obj(ref: Ref, **fields: Any) -> Object:
    """An object, as a server holds it."""
    metadata = {"name": ref.name, "uid": f"uid-{ref.bare_kind}-{ref.name}", **TIMES, **fields.pop("metadata", {})}
    if ref.namespace:
        metadata["namespace"] = ref.namespace
    return {"apiVersion": ref.api_version, "kind": ref.bare_kind, "metadata": metadata, **fields}


def pod_of(part: str, *, node: str = "n1", **status: Any) -> Object:
    """A pod of Fluid's, running."""
    labels = {"fluid.io/managed-by": "fluid", "release": "demo", "role": f"alluxio-{part}"}
    if part == "worker":
        labels["fluid.io/dataset"] = "team-demo"
    resources = {"requests": {"memory": "4Gi"}, "limits": {"memory": "4Gi"}}
    container = {"name": f"alluxio-{part}", "image": "alluxio/alluxio:2.9.0", "resources": resources}
    return obj(
        Ref("v1/Pod", f"demo-{part}-0", "team"),
        metadata={"labels": labels},
        spec={"nodeName": node, "containers": [container]},
        status={"phase": "Running", **status},
    )


def user_pod(name: str = "app", *, node: str = "n1", labels: Mapping[str, str] | None = None, **more: Any) -> Object:
    """A pod of a user that mounts the dataset and was injected."""
    return obj(
        Ref("v1/Pod", name, "team"),
        metadata={
            "labels": {"fuse.serverful.fluid.io/inject": "true", **(labels or {})},
            "annotations": more.pop("annotations", {"fluid.io/datasets-in-use": "demo"}),
        },
        spec={
            "nodeName": node,
            "containers": [{"name": "main", "image": "busybox"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "demo"}}],
            **more.pop("spec", {}),
        },
        status={"phase": "Running", **more},
    )


def operation(kind: str = "DataLoad", name: str = "warm", *, status: Any = None, **spec: Any) -> Object:
    """An operation on the dataset."""
    named = {"name": "demo", "namespace": "team"}
    target: Object = {"dataset": named}
    if kind == "DataBackup":
        target = {"dataset": "demo"}
    elif kind == "DataMigrate":
        target = {"from": {"externalStorage": {"uri": "s3://old/data"}}, "to": {"dataset": named}}
    return obj(Ref(kind, name, "team"), spec={**target, **spec}, status=status or {})


def container(part: str, **status: Any) -> Object:
    """The status of the one container of a part's pod."""
    return {"containerStatuses": [{"name": f"alluxio-{part}", "image": "alluxio/alluxio:2.9.0", **status}]}


class World:
    """A cluster. `World()` is in order; every method breaks or adds something and returns the world."""

    def __init__(self) -> None:
        self.plane = InMemoryPlane(lively=False, clock=lambda: NOW)
        for each in _in_order():
            self.put(each)

    def put(self, *objects: Object) -> World:
        """Put objects there as they are; nothing is validated."""
        for each in objects:
            self.plane.put(each)
        return self

    def change(self, ref: Ref, **changes: Any) -> World:
        """Change fields of an object by a merge patch."""
        self.plane.patch(ref, changes)
        return self

    def remove(self, *refs: Ref) -> World:
        """Take objects away without a trace."""
        for ref in refs:
            self.plane.patch(ref, {"metadata": {"finalizers": None}})  # it would only be marked
            self.plane.delete(ref, cascade=False)
        return self

    def told(self, ref: Ref, reason: str, message: str, *, type: str = "Warning", count: int = 1) -> World:
        """Record an event."""
        kind: Any = type
        self.plane.record(
            ref, Event(type=kind, reason=reason, message=message, count=count, first_seen=NOW - 60, last_seen=NOW - 5)
        )
        return self

    def unbind(self) -> World:
        """The dataset is not Bound, and its runtime has no worker yet."""
        self.plane.set_status(DATASET, {"phase": "NotBound", "conditions": []})
        self.plane.set_status(RUNTIME, {"masterPhase": "Ready", "workerPhase": "", "fusePhase": ""})
        return self

    def operate(self, kind: str, **options: Any) -> World:
        """Add an operation."""
        return self.put(operation(kind, **options))

    @property
    def client(self) -> Client:
        """A client of it."""
        return Client(self.plane, Context(name="prod", plane="kubernetes", namespace="team"))

    def look(self) -> Picture:
        """The picture of the dataset."""
        return collect(self.plane, DATASET, clock=lambda: NOW)

    def diagnose(self) -> Diagnosis:
        """What is wrong with the dataset."""
        return diagnose(self.look())


def _in_order() -> list[Object]:
    mount = {"mountPoint": "s3://bucket/data", "name": "data"}
    key = {"secretKeyRef": {"name": "keys", "key": "id"}}
    ids = {"fluid.io/dataset-id": "team-demo"}
    objects = [
        obj(
            DATASET,
            metadata={"finalizers": ["fluid-dataset-controller-finalizer"]},
            spec={"mounts": [{**mount, "encryptOptions": [{"name": "aws.accessKeyId", "valueFrom": key}]}]},
            status={
                "phase": "Bound",
                "mounts": [mount],
                "runtimes": [{"name": "demo", "namespace": "team", "type": "alluxio", "category": "Accelerate"}],
                "ufsTotal": "1.00GiB",
                "cacheStates": {
                    "cached": "1.00GiB",
                    "cacheCapacity": "4.00GiB",
                    "cachedPercentage": "100.0%",
                    "cacheHitRatio": "97.0%",
                    "localHitRatio": "90.0%",
                },
                "conditions": [],
            },
        ),
        obj(
            RUNTIME,
            metadata={"finalizers": ["alluxio-runtime-controller-finalizer"]},
            spec={
                "replicas": 1,
                "tieredstore": {"levels": [{"mediumtype": "MEM", "path": "/dev/shm", "quota": "4Gi"}]},
            },
            status={
                "masterPhase": "Ready",
                "masterNumberReady": 1,
                "desiredMasterNumberScheduled": 1,
                "workerPhase": "Ready",
                "workerNumberReady": 1,
                "desiredWorkerNumberScheduled": 1,
                "fusePhase": "Ready",
            },
        ),
        *(pod_of(part) for part in ("master", "worker", "fuse")),
        *(
            obj(Ref("apps/v1/StatefulSet", f"demo-{part}", "team"), metadata={"labels": ids})
            for part in ("master", "worker")
        ),
        obj(Ref("apps/v1/DaemonSet", "demo-fuse", "team"), metadata={"labels": ids}),
        obj(CLAIM, metadata={"labels": ids, "annotations": {"CreatedBy": "fluid"}}, status={"phase": "Bound"}),
        obj(Ref("v1/PersistentVolume", "team-demo"), metadata={"labels": ids}),
        obj(Ref("v1/Secret", "keys", "team"), data={"id": "Y2FuYXJ5LWluLWEtc2VjcmV0"}),
        obj(HOOK),
        obj(CONTROLLER, spec={"replicas": 1}, status={"availableReplicas": 1}),
        obj(Ref("v1/Namespace", "team")),
        user_pod(),
    ]
    for name in ("n1", "n2", "n3"):
        labels = {"fluid.io/s-team-demo": "true"} if name == "n1" else {}
        status = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"memory": "16Gi"}}
        objects.append(obj(Ref("v1/Node", name), metadata={"labels": labels}, status=status))
    return objects
