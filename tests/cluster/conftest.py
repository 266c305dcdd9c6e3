"""What the tests against a real control plane share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datafluid.model.kinds import API_VERSION, KINDS
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.testing.contract import NAMESPACE
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """A namespace of this test's own."""
    return cluster.namespace()


@pytest.fixture
def plane(cluster: Cluster) -> KubernetesPlane:
    """The Kubernetes plane, as the cluster's administrator."""
    return KubernetesPlane(kubeconfig=str(cluster.kubeconfig))


@pytest.fixture
def emptied(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster with one node, and with the namespace that the conformance suite works in, empty."""
    for path, make in (
        (
            f"/api/v1/namespaces/{NAMESPACE}",
            lambda: cluster.api.post("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}),
        ),
        ("/api/v1/nodes/contract", lambda: cluster.node("contract")),
    ):
        try:
            cluster.api.get(path)
        except Refused:
            make()
    yield cluster
    for kind in KINDS.values():
        within = f"/namespaces/{NAMESPACE}" if kind.namespaced else ""
        cluster.api.delete(f"/apis/{API_VERSION}{within}/{kind.plural}")
