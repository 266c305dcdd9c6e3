"""Five thousand datasets: memory does not grow with what is looked at, only with what is kept."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.kubernetes.requests import PAGE
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import dataset

MANY = 5_000
NOTE = "x" * 500


@pytest.fixture(scope="module")
def crowd(cluster: Cluster) -> str:
    """A namespace with many datasets."""
    namespace, plane = cluster.namespace("crowd"), KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    manifests = (dataset(f"dataset-{number:04}", namespace, annotations={"note": NOTE}) for number in range(MANY))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(plane.create, manifests))
    return namespace


def peak(work: Callable[[], object]) -> int:
    """Bytes that Python held at most meanwhile, beyond what it held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_a_list_is_asked_for_in_pages(cluster: Cluster, plane: KubernetesPlane, crowd: str) -> None:
    """All are there, in order; no answer has more than a page."""
    before = len(cluster.asked(agent="datafluid"))
    found = plane.list("Dataset", namespace=crowd)
    names = [each["metadata"]["name"] for each in found]
    assert names == sorted(names)
    assert len(set(names)) == MANY
    asked = [each.path for each in cluster.asked(agent="datafluid")[before:]]
    assert len(asked) == MANY // PAGE
    assert all(f"limit={PAGE}" in path for path in asked)


@pytest.mark.slow
def test_a_watch_holds_a_page_at_a_time(plane: KubernetesPlane, crowd: str) -> None:
    """What it keeps of an object is its name and version: a fraction of what a list holds."""

    def watch() -> None:
        seen = 0
        for event in plane.watch("Dataset", namespace=crowd):
            seen += event.type == "ADDED"
            if seen == MANY:
                return

    plane.get(Ref("Dataset", "dataset-0000", crowd))  # what is loaded once is not counted
    assert peak(watch) < peak(lambda: plane.list("Dataset", namespace=crowd)) / 2
