"""The Kubernetes plane passes the conformance suite against a real API server."""

from __future__ import annotations

import pytest

from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.testing import AsyncPlaneContract, PlaneContract
from tests.cluster.controlplane import Cluster


class TestKubernetes(PlaneContract):
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
