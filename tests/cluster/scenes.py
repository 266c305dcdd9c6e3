"""Manifests that several tests of the cluster declare: a dataset on each of three runtimes, and operations on it."""

from __future__ import annotations

from typing import Any

from datafluid.plane.port import Manifest

API = "data.fluid.io/v1alpha1"
RUNTIMES = ("AlluxioRuntime", "JuiceFSRuntime", "ThinRuntime")
PROFILE: Manifest = {
    "apiVersion": API,
    "kind": "ThinRuntimeProfile",
    "metadata": {"name": "nfs"},
    "spec": {"fileSystemType": "nfs", "fuse": {"image": "nfs", "imageTag": "v1", "imagePullPolicy": "IfNotPresent"}},
}
_MOUNTS = {
    "AlluxioRuntime": [{"mountPoint": "https://mirrors.example.com/hbase", "name": "hbase"}],
    "JuiceFSRuntime": [{"mountPoint": "juicefs:///demo", "name": "minio", "options": {"storage": "minio"}}],
    "ThinRuntime": [{"mountPoint": "nfs-server.example.com:/export", "name": "data"}],
}
_TIERS = {"levels": [{"mediumtype": "MEM", "path": "/dev/shm", "quota": "2Gi", "high": "0.95", "low": "0.7"}]}


def dataset(runtime: str, name: str, namespace: str, **spec: Any) -> Manifest:
    """A Dataset whose mounts suit a kind of runtime."""
    return _made("Dataset", name, namespace, {"mounts": _MOUNTS[runtime]} | spec)


def runtime(kind: str, name: str, namespace: str, *, replicas: int = 1) -> Manifest:
    """A runtime; a thin one has no workers."""
    if kind == "ThinRuntime":
        return _made(kind, name, namespace, {"profileName": "nfs"})
    return _made(kind, name, namespace, {"replicas": replicas, "tieredstore": _TIERS})


def load(name: str, on: str, namespace: str, **spec: Any) -> Manifest:
    """A DataLoad."""
    return _made("DataLoad", name, namespace, {"dataset": {"name": on, "namespace": namespace}} | spec)


def process(name: str, on: str, namespace: str, **spec: Any) -> Manifest:
    """A DataProcess that runs a script."""
    script = {"image": "busybox", "imageTag": "1.36", "restartPolicy": "Never", "command": ["sh"], "source": "ls /data"}
    target = {"name": on, "namespace": namespace, "mountPath": "/data"}
    return _made("DataProcess", name, namespace, {"dataset": target, "processor": {"script": script}} | spec)


def node(name: str, zone: str = "z-a") -> Manifest:
    """A node that is ready."""
    labels = {
        "kubernetes.io/hostname": name,
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": "r1",
    }
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}}


def _made(kind: str, name: str, namespace: str, spec: Manifest) -> Manifest:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}
