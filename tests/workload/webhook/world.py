"""A small cluster to preview in: bound Alluxio datasets with their claims, volumes and FUSE."""

from __future__ import annotations

from typing import Any

from datafluid.placement import labels

__all__ = ["SERVERFUL", "SERVERLESS", "around", "dataset", "pod", "reference"]

#: What Fluid's definitions require of the status of a runtime.
_STATUS: dict[str, Any] = {
    **{f"{which}{part}NumberScheduled": 0 for which in ("current", "desired") for part in ("Master", "Worker", "Fuse")},
    **{f"{part}NumberReady": 0 for part in ("master", "worker", "fuse")},
    **{f"{part}Phase": "Ready" for part in ("master", "worker", "fuse")},
    "valueFile": "values",
}
SERVERFUL, SERVERLESS = "fuse.serverful.fluid.io/inject", "serverless.fluid.io/inject"


def around(*names: str, namespace: str = "team", **spec: Any) -> list[dict[str, Any]]:
    """All objects of these datasets."""
    return [each for name in names for each in dataset(name, namespace=namespace, **spec)]


def dataset(
    name: str,
    *,
    namespace: str = "team",
    phase: str = "Bound",
    zone: str | None = None,
    fuse_selector: dict[str, str] | None = None,
) -> list[dict[str, Any]]:
    """A dataset, its runtime, claim, volume and the DaemonSet of its FUSE."""
    metadata = {"name": name, "namespace": namespace}
    fluid = "data.fluid.io/v1alpha1"
    runtimes = [{"name": name, "namespace": namespace, "type": "alluxio", "category": "Accelerate"}]
    terms = [{"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": [zone]}]}]
    near = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    runtime: dict[str, Any] = {"apiVersion": fluid, "kind": "AlluxioRuntime", "metadata": metadata, "spec": {}}
    runtime["spec"]["fuse"] = {"nodeSelector": fuse_selector or {}}
    runtime["status"] = _STATUS | ({"cacheAffinity": near} if zone else {})
    declared = {
        "apiVersion": fluid,
        "kind": "Dataset",
        "metadata": metadata,
        "spec": {"mounts": [{"mountPoint": f"s3://{name}", "name": name}]},
        "status": {"phase": phase, "runtimes": runtimes, "conditions": []},
    }
    return [declared, runtime, *_volumes(name, namespace, runtime_of=(namespace, name)), _daemon_set(name, namespace)]


def reference(name: str, physical: str, *, namespace: str = "team", owner: str = "data") -> list[dict[str, Any]]:
    """A dataset that stands for one of another namespace."""
    metadata = {"name": name, "namespace": namespace}
    fluid = "data.fluid.io/v1alpha1"
    runtimes = [{"name": name, "namespace": namespace, "type": "thin", "category": "Accelerate"}]
    declared = {
        "apiVersion": fluid,
        "kind": "Dataset",
        "metadata": metadata,
        "spec": {"mounts": [{"mountPoint": f"dataset://{owner}/{physical}", "name": name}]},
        "status": {"phase": "Bound", "runtimes": runtimes},
    }
    runtime = {"apiVersion": fluid, "kind": "ThinRuntime", "metadata": metadata, "spec": {}}
    return [declared, runtime, *_volumes(name, namespace, runtime_of=(owner, physical))]


def pod(*claims: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    """A pod that mounts claims and that the webhook sees."""
    volumes = [{"name": f"v-{claim}", "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    mounts = [{"name": f"v-{claim}", "mountPath": f"/data/{claim}"} for claim in claims]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "app", "namespace": "team", "labels": labels or {SERVERFUL: "true"}},
        "spec": {
            "containers": [{"name": "main", "image": "busybox:1.36", "volumeMounts": mounts}],
            "volumes": volumes,
            **spec,
        },
    }


def _volumes(name: str, namespace: str, *, runtime_of: tuple[str, str]) -> list[dict[str, Any]]:
    owner, physical = runtime_of
    ours = {**labels(namespace, name).pvc}
    if runtime_of != (namespace, name):
        ours |= {"fluid.io/dataset.referring-name": physical, "fluid.io/dataset.referring-namespace": owner}
    attributes = {
        "fluid_path": f"/runtime-mnt/alluxio/{owner}/{physical}/alluxio-fuse",
        "mount_type": "fuse.alluxio-fuse",
    }
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": namespace, "labels": ours},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "volumeName": f"{namespace}-{name}",
            "storageClassName": "fluid",
            "resources": {"requests": {"storage": "100Pi"}},
        },
        "status": {"phase": "Bound"},
    }
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{namespace}-{name}"},
        "spec": {
            "accessModes": ["ReadOnlyMany"],
            "capacity": {"storage": "100Pi"},
            "storageClassName": "fluid",
            "csi": {"driver": "fuse.csi.fluid.io", "volumeHandle": name, "volumeAttributes": attributes},
        },
    }
    return [claim, volume]


def _daemon_set(name: str, namespace: str) -> dict[str, Any]:
    where = f"/runtime-mnt/alluxio/{namespace}/{name}"
    container = {
        "name": "alluxio-fuse",
        "image": "alluxio/alluxio-dev:2.9.0",
        "securityContext": {"privileged": True, "capabilities": {"add": ["SYS_ADMIN"]}},
        "volumeMounts": [
            {"name": "alluxio-fuse-mount", "mountPath": where, "mountPropagation": "Bidirectional"},
            {"name": "alluxio-fuse-device", "mountPath": "/dev/fuse"},
            {"name": "mem", "mountPath": "/dev/shm"},
        ],
    }
    volumes = [
        {"name": "alluxio-fuse-mount", "hostPath": {"path": where, "type": "DirectoryOrCreate"}},
        {"name": "alluxio-fuse-device", "hostPath": {"path": "/dev/fuse", "type": "CharDevice"}},
        {"name": "mem", "hostPath": {"path": "/dev/shm"}},
        {"name": "unused", "emptyDir": {}},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": f"{name}-fuse", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"release": name}},
            "template": {
                "metadata": {"labels": {"release": name}},
                "spec": {"containers": [container], "volumes": volumes},
            },
        },
    }
