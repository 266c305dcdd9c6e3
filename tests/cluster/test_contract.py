"""The Kubernetes plane passes the conformance suite against a real API server."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.testing import AsyncClusterContract, ClusterContract
from tests.cluster.controlplane import Cluster
from tests.cluster.room import empty_room, make_room


class TestKubernetes(ClusterContract):
    """The plane of a cluster."""

    @pytest.fixture
    def plane(self, emptied: Cluster) -> KubernetesPlane:  # type: ignore[override]
        """As the cluster's administrator."""
        return KubernetesPlane(kubeconfig=str(emptied.kubeconfig))


class TestKubernetesAsync(AsyncClusterContract):
    """Its async twin, which has a transport of its own."""

    @pytest.fixture
    def sync_plane(self, emptied: Cluster) -> KubernetesPlane:  # type: ignore[override]
        """As the cluster's administrator."""
        return KubernetesPlane(kubeconfig=str(emptied.kubeconfig))


class TestKubernetesWithFluidsOwnDefinitions(ClusterContract):
    """The same against the CustomResourceDefinitions that Fluid installs."""

    @pytest.fixture
    def plane(self, recorded_cluster: Cluster) -> Iterator[KubernetesPlane]:  # type: ignore[override]
        """As that cluster's administrator."""
        make_room(recorded_cluster)
        yield KubernetesPlane(kubeconfig=str(recorded_cluster.kubeconfig))
        empty_room(recorded_cluster)


def test_both_planes_look_for_secrets_without_reading_them(plane: KubernetesPlane, namespace: str) -> None:
    """Metadata is all that leaves the server."""
    metadata = {"name": "key", "namespace": namespace}
    plane.create({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"key": "hidden"}})
    told = [
        plane.metadata("v1/Secret", namespace=namespace),
        asyncio.run(plane.twin().metadata("v1/Secret", namespace=namespace)),
    ]
    for (secret,) in told:
        assert secret["metadata"]["name"] == "key"
        assert "data" not in secret
