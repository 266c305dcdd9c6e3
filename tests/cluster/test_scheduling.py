"""Where the real kube-scheduler puts wrapped pods: every locality, several datasets, a full node; with controls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from datafluid import placement
from datafluid.errors import Invalid
from datafluid.workload import DatasetUse, wrap
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import Farm, farm
from tests.cluster.processes import eventually

Manifest = dict[str, Any]


@pytest.fixture
def field(cluster: Cluster) -> Iterator[Farm]:
    """Two nodes: ``cached`` is half full and has the cache of ``flights``, ``empty`` has nothing."""
    with farm(cluster) as made:
        made.claim("flights")
        cached = made.node("cached", labels={key(made, "flights"): "true"})
        made.node("empty")
        made.pod(pod(cpu=4), on=cached)
        yield made


def key(where: Farm, dataset: str) -> str:
    """The label of nodes with a dataset's cache."""
    return placement.labels(where.namespace, dataset).dataset


def pod(*, cpu: int = 1) -> Manifest:
    """A pod that asks for processors."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "c", "image": "none", "resources": {"requests": {"cpu": str(cpu)}}}]},
    }


def wrapped(where: Farm, *uses: tuple[str, str], cpu: int = 1) -> Manifest:
    """The pod, wrapped for datasets with a locality each."""
    manifest = {**pod(cpu=cpu), "metadata": {"name": "p", "namespace": where.namespace}}
    used = [DatasetUse(f"{where.namespace}/{name}", locality=locality) for name, locality in uses]  # type: ignore[arg-type]
    return wrap(manifest, used).manifest


@pytest.mark.parametrize(("locality", "expected"), [("prefer", "cached"), ("require", "cached"), ("off", "empty")])
def test_each_locality_does_what_it_says(field: Farm, locality: str, expected: str) -> None:
    """Left to itself the scheduler takes the emptier node; preferred and required go to the data."""
    assert field.landed(field.pod(pod())) == "empty"
    assert field.landed(field.pod(wrapped(field, ("flights", locality)))) == expected


def test_an_affinity_without_terms_is_refused_by_the_server_as_by_us(field: Farm) -> None:
    """Neither takes an empty list for any node."""
    empty: Manifest = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}}
    bad = {**pod(), "spec": {**pod()["spec"], "affinity": empty}}
    with pytest.raises(Refused, match="must have at least one node selector term"):
        field.pod(bad)
    with pytest.raises(Invalid, match="no nodeSelectorTerms"):
        wrap(bad, [DatasetUse(f"{field.namespace}/flights", locality="require")])


def test_a_full_cache_node_is_left_by_who_prefers_it_and_waited_for_by_who_requires_it(field: Farm) -> None:
    """And taken as soon as there is room."""
    filler = field.pod(pod(cpu=4), on=field.nodes[0])
    assert field.landed(field.pod(wrapped(field, ("flights", "prefer")))) == "empty"
    waiting = field.pod(wrapped(field, ("flights", "require")))
    assert field.landed(waiting) is None
    api, path = field.cluster.api, f"/api/v1/namespaces/{field.namespace}/pods"
    api.request("DELETE", f"{path}/{filler}", gracePeriodSeconds="0")
    eventually(lambda: api.get(f"{path}/{waiting}")["spec"].get("nodeName") == field.nodes[0], seconds=60)


def test_two_required_datasets_are_both_required(cluster: Cluster) -> None:
    """Fluid's webhook would take any node with one of them; a pod that is not wrapped takes the emptiest."""
    with farm(cluster) as made:
        for name in ("flights", "taxis"):
            made.claim(name)
        flights, taxis = key(made, "flights"), key(made, "taxis")
        made.node("flights", labels={flights: "true"})
        made.node("taxis", labels={taxis: "true"})
        made.node("empty")
        both = made.node("both", cpu=6, labels={flights: "true", taxis: "true"})
        made.pod(pod(cpu=4), on=both)
        assert made.landed(made.pod(pod())) != "both"
        assert made.landed(made.pod(wrapped(made, ("flights", "require"), ("taxis", "require")))) == "both"
        assert made.landed(made.pod(wrapped(made, ("flights", "require"), ("taxis", "require"), cpu=2))) is None


def test_two_preferred_datasets_take_the_node_with_both(cluster: Cluster) -> None:
    """And where there is none, one with either."""
    with farm(cluster) as made:
        for name in ("flights", "taxis"):
            made.claim(name)
        flights, taxis = key(made, "flights"), key(made, "taxis")
        one = made.node("one", labels={flights: "true"})
        made.node("empty")
        made.pod(pod(cpu=4), on=one)
        uses = (("flights", "prefer"), ("taxis", "prefer"))
        assert made.landed(made.pod(wrapped(made, *uses))) == "one"
        two = made.node("two", labels={flights: "true", taxis: "true"})
        made.pod(pod(cpu=4), on=two)
        assert made.landed(made.pod(wrapped(made, *uses))) == "two"


def test_pods_without_a_dataset_leave_caches_alone(cluster: Cluster) -> None:
    """Wrapped with no use at all they avoid nodes that hold caches, though those are emptier."""
    with farm(cluster) as made:
        made.node("caching", labels={"fluid.io/dataset-num": "1"})
        plain = made.node("plain")
        made.pod(pod(cpu=4), on=plain)
        assert made.landed(made.pod(pod())) == "caching"
        assert made.landed(made.pod(wrap(pod(), []).manifest)) == "plain"
