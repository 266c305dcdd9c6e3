"""The roles for ``submit``: a whole submission under exactly them, and none without any one rule."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

import datafluid
from datafluid.errors import Forbidden, NotFound, OperationFailed, Timeout
from datafluid.model.node_report import AGENT_NAMESPACE
from datafluid.model.rbac import roles
from datafluid.model.ref import Ref
from datafluid.placement import labels
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.submission.client import Submitted
from datafluid.testing.contract import NAMESPACE, runtime
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import bound, dataset
from tests.cluster.processes import eventually
from tests.cluster.room import empty_room, make_room
from tests.cluster.test_rbac import Granter, granter, without_one

__all__ = ["granter"]  # a fixture

DATASET = dataset("flights", NAMESPACE)
_CLAIM = Ref("v1/PersistentVolumeClaim", "flights", NAMESPACE)
_VOLUME = f"{NAMESPACE}-flights"
_NODE = Ref("v1/Node", "contract")
_KEY = labels(NAMESPACE, "flights").dataset


def job() -> Manifest:
    """What is submitted."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}
    metadata = {"name": "train", "namespace": NAMESPACE}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": {"spec": pod}}}


class Scene:
    """A submission from its begin to its end, with the administrator in the place of Fluid's controllers."""

    def __init__(self, cluster: Cluster, plane: Any) -> None:
        self._cluster = cluster
        self._admin = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
        self._client = datafluid.Client(plane, datafluid.Context(name="t", plane="kubernetes", namespace=NAMESPACE))

    def play(self) -> Submitted:
        """Held; its load fails and is loaded again; it waits for the claim, then for a node, and runs."""
        held = self.begin()
        runtimes = [{"name": "flights", "type": "alluxio"}]
        bound(self._cluster, "flights", NAMESPACE, runtimes=runtimes, mounts=DATASET["spec"]["mounts"])
        self._loaded("Failed")
        with pytest.raises(OperationFailed):
            self._client.resume("batch/v1/Job/train", timeout=0)
        self.begin()
        self._loaded("Complete")
        assert "waits for its PersistentVolumeClaim" in self._missing()
        self._claim()
        assert "is cached on 0 of 1 nodes" in self._missing()
        self._admin.patch(_NODE, {"metadata": {"labels": {_KEY: "true"}}})
        assert self._client.resume("batch/v1/Job/train", timeout=5).runs
        config = self._admin.get(Ref("v1/ConfigMap", "train-fluid-hadoop", NAMESPACE))
        assert [owner["name"] for owner in config["metadata"]["ownerReferences"]] == ["train"]
        return held

    def leave(self) -> None:
        """As if nothing had been."""
        empty_room(self._cluster)
        for ref in (_CLAIM, Ref("v1/PersistentVolume", _VOLUME)):
            with suppress(NotFound):
                self._admin.delete(ref)
                self._admin.patch(ref, {"metadata": {"finalizers": None}})
        self._admin.patch(_NODE, {"metadata": {"labels": {_KEY: None}}})

    def begin(self) -> Submitted:
        """The workload is held."""
        objects = [DATASET, runtime("flights")]
        return self._client.submit(job(), objects, uses=["flights,api=hcfs"], load=True, detach=True)

    def _missing(self) -> str:
        with pytest.raises(Timeout) as caught:
            self._client.resume("batch/v1/Job/train", timeout=0.2)
        return str(caught.value)

    def _loaded(self, phase: str) -> None:
        (load,) = self._admin.list("DataLoad", namespace=NAMESPACE)
        path = f"/apis/data.fluid.io/v1alpha1/namespaces/{NAMESPACE}/dataloads/{load['metadata']['name']}/status"
        self._cluster.api.patch(path, {"status": {"phase": phase, "conditions": [], "duration": "1s"}})

    def _claim(self) -> None:
        """The claim and its volume, as Fluid makes them, and bound by Kubernetes."""
        size = {"storage": "1Gi"}
        both = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
        reference = {"namespace": NAMESPACE, "name": _CLAIM.name}
        volume = {**both, "capacity": size, "hostPath": {"path": "/tmp"}, "claimRef": reference}
        claim = {**both, "resources": {"requests": size}, "volumeName": _VOLUME}
        metadata = {"name": _CLAIM.name, "namespace": NAMESPACE, "annotations": {"CreatedBy": "fluid"}}
        for kind, about, spec in (
            ("PersistentVolume", {"name": _VOLUME}, volume),
            ("PersistentVolumeClaim", metadata, claim),
        ):
            self._admin.create({"apiVersion": "v1", "kind": kind, "metadata": about, "spec": spec})
        eventually(lambda: self._admin.get(_CLAIM)["status"].get("phase") == "Bound", seconds=60)


@contextmanager
def scene(cluster: Cluster, plane: Any) -> Iterator[Scene]:
    """A scene that leaves nothing."""
    made = Scene(cluster, plane)
    try:
        yield made
    finally:
        made.leave()


@pytest.fixture(autouse=True)
def reports(cluster: Cluster, granter: Granter) -> None:
    """The namespace in which agents report."""
    make_room(cluster, AGENT_NAMESPACE)


def test_a_whole_submission_passes_under_exactly_that_role(cluster: Cluster, granter: Granter) -> None:
    """Planned with all that can be known, and nothing is left out for want of a right."""
    granted = roles("submit", namespace=NAMESPACE, cluster=True)
    with scene(cluster, granter.plane(granted, "submit")) as played:
        held = played.play()
    assert "contract" in held.plan.nodes  # other tests may have left nodes
    assert not [note for note in held.notes if "planned" in note or "cannot be read" in note]


def test_without_any_one_rule_it_fails(cluster: Cluster, granter: Granter) -> None:
    """No verb of any rule is superfluous; who may not see claims does not wait for them."""
    role, *others = roles("submit", namespace=NAMESPACE, cluster=True)
    for less in without_one(role):
        claims = not any(rule["resources"] == ["persistentvolumeclaims"] for rule in less["rules"])
        expected = AssertionError if claims else Forbidden
        with scene(cluster, granter.plane([less, *others], "submit")) as played, pytest.raises(expected):
            played.play()


def test_without_any_one_rule_it_plans_with_less(cluster: Cluster, granter: Granter) -> None:
    """What has no namespace, and what agents tell, is for the plan: without it, it is told what is not known."""
    granted = roles("submit", namespace=NAMESPACE, cluster=True)
    for number in (1, 2):
        for less in without_one(granted[number]):
            given = copy.deepcopy(granted)
            given[number] = less
            with scene(cluster, granter.plane(given, "submit")) as played:
                notes = " ".join(played.begin().notes)
            assert "Nothing was planned" in notes or "cannot be read" in notes, less["rules"]
