"""What a plane that holds objects of every kind must do beyond `PlaneContract`. Needs pytest."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.errors import AlreadyExists, Conflict
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from datafluid.testing.contract import NAMESPACE, PlaneContract

__all__ = ["ClusterContract"]


class ClusterContract(PlaneContract):
    """The tests for a plane that is a `datafluid.plane.port.Cluster` too: it holds objects of every kind."""

    def test_a_configmap_is_created_once(self, plane: Any) -> None:
        """`create` wants nothing there, and a dry run leaves nothing."""
        plane.create(_configmap(), dry_run=True)
        assert plane.create(_configmap())["data"] == {"a": "1"}
        with pytest.raises(AlreadyExists):
            plane.create(_configmap())
        ref = Ref("v1/ConfigMap", "settings", NAMESPACE)
        assert plane.patch(ref, {"data": {"b": "2"}})["data"] == plane.get(ref)["data"] == {"a": "1", "b": "2"}
        plane.delete(ref)

    def test_a_job_is_changed_in_parts(self, plane: Any) -> None:
        """A patch changes what it names, removes what it sets to None, and only the version that it names."""
        ref = Ref("batch/v1/Job", "work", NAMESPACE)
        old = plane.create(_job())["metadata"]["resourceVersion"]
        assert plane.patch(ref, {"metadata": {"labels": {"team": None, "stage": "x"}}})["spec"]["suspend"] is True
        assert plane.get(ref)["metadata"]["labels"]["stage"] == "x"
        assert "team" not in plane.get(ref)["metadata"]["labels"]
        with pytest.raises(Conflict):
            plane.patch(ref, {"metadata": {"labels": {"stage": "y"}, "resourceVersion": old}})
        plane.delete(ref)

    def test_its_kinds_are_qualified_but_fluids_own(self, plane: Any) -> None:
        """As everywhere on a plane."""
        plane.create(_configmap("other"))
        assert {"Dataset", "DataLoad", "v1/ConfigMap"} <= plane.kinds()
        plane.delete(Ref("v1/ConfigMap", "other", NAMESPACE))


def _configmap(name: str = "settings") -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": {"a": "1"},
    }


def _job() -> Manifest:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work", "namespace": NAMESPACE, "labels": {"team": "a"}},
        "spec": {"suspend": True, "template": {"spec": pod}},
    }
