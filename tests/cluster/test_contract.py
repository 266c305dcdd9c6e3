"""The Kubernetes plane passes the conformance suite against a real API server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.testing import AsyncPlaneContract, ClusterContract
from tests.cluster.controlplane import Cluster
from tests.cluster.room import empty_room, make_room


class TestKubernetes(ClusterContract):
    """The plane of a cluster."""

    @pytest.fixture
    def plane(self, emptied: Cluster) -> KubernetesPlane:  # type: ignore[override]
        """As the cluster's administrator."""
        return KubernetesPlane(kubeconfig=str(emptied.kubeconfig))


class TestKubernetesAsync(AsyncPlaneContract):
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
