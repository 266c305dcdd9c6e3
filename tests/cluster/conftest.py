"""What the tests against a real control plane share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.controlplane import Cluster, cluster_or_skip
from tests.cluster.proxy import Proxy, serve_proxy
from tests.cluster.room import empty_room, make_room
from tests.shared import FLUID


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
    make_room(cluster)
    yield cluster
    empty_room(cluster)


@pytest.fixture(scope="session")
def recorded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A second control plane, with the CustomResourceDefinitions of Fluid itself; skips where those are not."""
    definitions = sorted((FLUID / "crds").glob("*.json"))
    if not definitions:
        pytest.skip("needs the CRDs of Fluid in ../shared/reference/fluid/crds")
    with cluster_or_skip(tmp_path_factory.mktemp("recorded")) as running:
        running.install_crds([json.loads(each.read_text()) for each in definitions])
        yield running


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """Something in between that misbehaves."""
    with serve_proxy(cluster.api) as proxy:
        yield proxy


@pytest.fixture
def far_plane(cluster: Cluster, proxy: Proxy, tmp_path: Path) -> KubernetesPlane:
    """The plane, through the proxy."""
    return KubernetesPlane(kubeconfig=str(cluster.api.write_kubeconfig(tmp_path / "far", server=proxy.url)))
