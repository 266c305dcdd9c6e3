"""Facts for a wrap: read from manifests, and from planes with whatever they have and allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import datafluid
from datafluid import read_topology, wrap
from datafluid.errors import Forbidden
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from datafluid.testing import InMemoryPlane
from datafluid.workload import DatasetFacts, Topology

FLUID = "data.fluid.io/v1alpha1"
DATASET = {
    "apiVersion": FLUID,
    "kind": "Dataset",
    "metadata": {"name": "a", "namespace": "team", "uid": "u"},
    "spec": {"mounts": [{"mountPoint": "s3://bucket"}], "accessModes": ["ReadWriteMany"]},
    "status": {
        "phase": "Bound",
        "conditions": [],
        "hcfs": {"endpoint": "alluxio://a-master-0.team:20001"},
        "runtimes": [{"name": "a", "namespace": "team", "type": "alluxio", "masterReplicas": 3}],
    },
}
RUNTIME = {
    "apiVersion": FLUID,
    "kind": "AlluxioRuntime",
    "metadata": {"name": "a", "namespace": "team"},
    "spec": {"tieredstore": {"levels": [{"mediumtype": "SSD", "path": "/a, /b", "quota": "1Gi"}]}},
}
CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {"name": "a", "namespace": "team"},
    "spec": {"accessModes": ["ReadOnlyMany"]},
}
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a-config", "namespace": "team"},
    "data": {"ALLUXIO_JAVA_OPTS": "-D"},
}
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"fluid.io/s-team-a": "true"}}}
NAMESPACE = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "team", "labels": {"pod-security.kubernetes.io/enforce": "baseline"}},
}
WEBHOOK_LABELS = {"app.kubernetes.io/name": "spark-operator", "app.kubernetes.io/component": "webhook"}


def webhook(argument: str) -> dict[str, Any]:
    container = {"name": "webhook", "args": ["webhook", "start", argument]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "spark-operator-webhook", "namespace": "spark", "labels": WEBHOOK_LABELS},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


def train_jobs(patch: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"properties": {"spec": {"properties": {patch: {"type": "array"}}}}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "trainjobs.trainer.kubeflow.org"},
        "spec": {"versions": [{"name": "v1alpha1", "schema": schema}]},
    }


def test_facts_are_read_from_manifests() -> None:
    """The claim's modes go before the declared ones; the runtime's type and masters come from the status."""
    topology = Topology.of([DATASET, RUNTIME, CLAIM, CONFIG, NODE, NAMESPACE, webhook("--namespaces=x,y")])
    facts = topology.datasets["team/a"]
    assert (facts.uid, facts.runtime_type, facts.masters, facts.writable) == ("u", "alluxio", 3, False)
    assert [tier.path for tier in facts.tiers] == ["/a", "/b"]
    assert facts.client_config == {"ALLUXIO_JAVA_OPTS": "-D"}
    assert topology.nodes == {"n1": {"fluid.io/s-team-a": "true"}}
    assert topology.refuses_host_path("team") == "baseline"
    assert topology.spark_namespaces == {"x", "y"}


@pytest.mark.parametrize(
    ("argument", "expected"), [("--namespaces=a,b", {"a", "b"}), ('--namespaces=""', {""}), ("--other", None)]
)
def test_where_the_spark_webhook_acts(argument: str, expected: set[str] | None) -> None:
    """As its chart starts it; two quotes mean everywhere."""
    assert Topology.of([webhook(argument)]).spark_namespaces == expected


@pytest.mark.parametrize("patch", ["runtimePatches", "podTemplateOverrides", "podSpecOverrides"])
def test_the_spelling_of_a_trainjobs_patch_is_the_installed_one(patch: str) -> None:
    """Three releases, three names."""
    assert Topology.of([train_jobs(patch)]).train_patch == patch


def test_an_authored_runtime_tells_its_type() -> None:
    """Before anything is applied."""
    authored = {key: value for key, value in DATASET.items() if key != "status"}
    assert Topology.of([authored, RUNTIME]).datasets["team/a"].runtime_type == "alluxio"


def test_nothing_in_manifests_makes_it_fail() -> None:
    """What is no manifest of anything says nothing."""
    odd = [{}, {"kind": "Dataset"}, {"kind": "Dataset", "metadata": [], "spec": 3}, {"kind": "Node", "metadata": None}]
    assert isinstance(Topology.of(odd), Topology)


def plane_with(*objects: Mapping[str, Any]) -> InMemoryPlane:
    plane = InMemoryPlane(lively=False)
    for each in objects:
        plane.put(dict(each))
    return plane


def test_a_cluster_is_asked_for_all_of_it() -> None:
    """What `wrap` then does is what it does with the same manifests."""
    objects = [
        DATASET,
        RUNTIME,
        CLAIM,
        CONFIG,
        NODE,
        NAMESPACE,
        webhook("--namespaces=x"),
        train_jobs("podSpecOverrides"),
    ]
    topology = read_topology(plane_with(*objects), ["team/a"], namespace="team")
    facts = topology.datasets["team/a"]
    assert (facts.runtime_type, facts.masters, facts.writable) == ("alluxio", 3, False)
    assert facts.client_config == {"ALLUXIO_JAVA_OPTS": "-D"}
    assert topology.refuses_host_path("team") == "baseline"
    assert topology.spark_namespaces == {"x"}
    assert topology.train_patch == "podSpecOverrides"


def test_a_reference_brings_the_dataset_behind_it() -> None:
    """Its labels are the ones that nodes carry."""
    reference = {
        "apiVersion": FLUID,
        "kind": "Dataset",
        "metadata": {"name": "ours", "namespace": "here"},
        "spec": {"mounts": [{"mountPoint": "dataset://team/a/sub"}]},
    }
    topology = read_topology(plane_with(reference, DATASET, RUNTIME), ["ours"], namespace="here")
    assert topology.datasets["here/ours"].physical == ("team", "a", "sub")
    assert topology.datasets["team/a"].runtime_type == "alluxio"


def test_what_may_not_be_read_stays_unknown() -> None:
    """A user of one namespace can still wrap."""

    class Guarded(InMemoryPlane):
        def get(self, ref: Ref) -> Manifest:
            if ref.kind.startswith("v1/") or ref.kind == "AlluxioRuntime":
                raise Forbidden(f"{ref} may not be read.")
            return super().get(ref)

    plane = Guarded(lively=False)
    for each in (DATASET, RUNTIME, CLAIM):
        plane.put(dict(each))
    facts = read_topology(plane, ["team/a"], namespace="team").datasets["team/a"]
    assert facts.runtime_type == "alluxio"
    assert facts.runtime == {}
    assert facts.writable is True


def test_the_embedded_plane_is_asked_too() -> None:
    """One YAML, two planes: its datasets have the same facts."""
    client = datafluid.connect("embedded")
    client.apply([{k: v for k, v in DATASET.items() if k != "status"} | {"metadata": {"name": "a"}}])
    topology = read_topology(client.plane, ["a"])
    assert topology.datasets["default/a"].writable is True
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "m"}]}}
    (mount,) = wrap(pod, ["a"], topology=topology).manifest["spec"]["containers"][0]["volumeMounts"]
    assert "readOnly" not in mount


def test_a_dataset_that_is_not_there_is_not_known() -> None:
    """It may come later; the report says what was assumed."""
    assert read_topology(InMemoryPlane(), ["team/none"]).datasets == {}


def test_facts_are_values() -> None:
    """Equal when they say the same."""
    assert DatasetFacts(namespace="a", name="b") == DatasetFacts(namespace="a", name="b")
