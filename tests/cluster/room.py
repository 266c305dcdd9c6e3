"""The place on a cluster where the conformance suite works: its namespace, and a node."""

from __future__ import annotations

from datafluid.model.kinds import API_VERSION, KINDS
from datafluid.testing.contract import NAMESPACE
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster

__all__ = ["empty_room", "make_room"]


def make_room(cluster: Cluster, namespace: str = NAMESPACE) -> None:
    """See to it that there is a namespace and a node."""
    if not _is_there(cluster, f"/api/v1/namespaces/{namespace}"):
        cluster.api.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
    if not _is_there(cluster, "/api/v1/nodes/contract"):
        cluster.node("contract")


def empty_room(cluster: Cluster) -> None:
    """Delete what a test may have left in the namespace."""
    within = f"/namespaces/{NAMESPACE}"
    for kind in KINDS.values():
        cluster.api.delete(f"/apis/{API_VERSION}{within if kind.namespaced else ''}/{kind.plural}")
    for collection in (f"/api/v1{within}/configmaps", f"/apis/batch/v1{within}/jobs"):
        cluster.api.delete(collection, propagationPolicy="Background")


def _is_there(cluster: Cluster, path: str) -> bool:
    try:
        cluster.api.get(path)
    except Refused:
        return False
    return True
