"""Nodes of a test's own on a cluster that others use too, pods on them, and where the real scheduler puts more."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually

__all__ = ["Farm", "farm"]

Manifest = dict[str, Any]
FARM = "tests/farm"
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
_COUNTER = itertools.count()


class Farm:
    """Some nodes, told from all others by a label, and a namespace. Pods are tied to them by a node selector.

    Args:
        cluster: Where.
        namespace: Where its pods are.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.id = f"f{uuid4().hex[:10]}"
        self.nodes: list[str] = []

    def node(
        self, short: str, *, cpu: int = 8, gpus: int = 0, labels: Mapping[str, str] | None = None, **spec: Any
    ) -> str:
        """A node that is ready; its name is returned."""
        name = f"{self.id}-{short}"
        room = {"cpu": str(cpu), "memory": "32Gi", "pods": "20", "nvidia.com/gpu": str(gpus)}
        every = {HOSTNAME: name, ZONE: "a", FARM: self.id, **(labels or {})}
        path, api = f"/api/v1/nodes/{name}", self.cluster.api
        api.post("/api/v1/nodes", {"metadata": {"name": name, "labels": every}})
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}
        api.patch(f"{path}/status", {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}})
        api.patch(path, {"spec": {"taints": spec.pop("taints", None), **spec}})
        self.nodes.append(name)
        return name

    def pod(self, manifest: Manifest, *, on: str | None = None) -> str:
        """Create a pod, on a node or wherever the scheduler puts it; its name is returned."""
        spec = {**manifest["spec"]}
        spec["nodeSelector"] = {**spec.get("nodeSelector", {}), FARM: self.id}
        if on is not None:
            spec["nodeName"] = on
        spec.setdefault("tolerations", [])
        metadata = {**manifest.get("metadata", {}), "name": f"p{next(_COUNTER)}"}
        metadata.pop("namespace", None)
        self.cluster.api.post(f"/api/v1/namespaces/{self.namespace}/pods", {"metadata": metadata, "spec": spec})
        return str(metadata["name"])

    def claim(self, name: str) -> None:
        """A claim that is bound, as Fluid makes one: the scheduler looks at nobody before."""
        api, volume = self.cluster.api, f"{self.namespace}-{name}"
        base = f"/api/v1/namespaces/{self.namespace}/persistentvolumeclaims"
        spec = {
            "accessModes": ["ReadOnlyMany"],
            "capacity": {"storage": "1Gi"},
            "csi": {"driver": "fuse.csi.fluid.io", "volumeHandle": volume},
            "claimRef": {"namespace": self.namespace, "name": name},
            "storageClassName": "fluid",
        }
        api.post("/api/v1/persistentvolumes", {"metadata": {"name": volume}, "spec": spec})
        asked = {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = {**asked, "storageClassName": "fluid", "volumeName": volume}
        api.post(base, {"metadata": {"name": name}, "spec": claim})
        eventually(lambda: api.get(f"{base}/{name}")["status"].get("phase") == "Bound")

    def label(self, node: str, key: str) -> None:
        """Give a node a label with the value ``true``."""
        self.cluster.api.patch(f"/api/v1/nodes/{node}", {"metadata": {"labels": {key: "true"}}})

    def landed(self, pod: str) -> str | None:
        """The short name of the node that the scheduler chose; None when it found none."""
        found: list[Manifest] = []
        eventually(lambda: self._is_decided(pod, found))
        node = found[-1]["spec"].get("nodeName")
        return str(node).removeprefix(f"{self.id}-") if node else None

    def manifests(self) -> tuple[list[Manifest], list[Manifest]]:
        """Its nodes and pods as the server has them."""
        api = self.cluster.api
        nodes = api.get("/api/v1/nodes", labelSelector=f"{FARM}={self.id}")["items"]
        pods = api.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return nodes, pods

    def close(self) -> None:
        """Take the pods and the nodes away: other tests shall not land there."""
        api = self.cluster.api
        api.delete(f"/api/v1/namespaces/{self.namespace}/pods", gracePeriodSeconds="0")
        api.delete("/api/v1/nodes", labelSelector=f"{FARM}={self.id}")

    def _is_decided(self, pod: str, found: list[Manifest]) -> bool:
        live = self.cluster.api.get(f"/api/v1/namespaces/{self.namespace}/pods/{pod}")
        found.append(live)
        conditions = live.get("status", {}).get("conditions", [])
        refused = any(each["type"] == "PodScheduled" and each["status"] == "False" for each in conditions)
        return bool(live["spec"].get("nodeName")) or refused


@contextmanager
def farm(cluster: Cluster, namespace: str | None = None) -> Iterator[Farm]:
    """A farm until the block ends."""
    made = Farm(cluster, namespace or cluster.namespace("farm"))
    try:
        yield made
    finally:
        made.close()
