"""Lint with a real cluster: what would be refused or wait for ever there is told before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.errors import Invalid
from tests.cluster.controlplane import Cluster
from tests.cluster.test_diagnosis import client_of

API = "data.fluid.io/v1alpha1"


def dataset(**spec: Any) -> dict[str, Any]:
    mounts = [{"mountPoint": "s3://bucket/data", "name": "data", **spec.pop("mount", {})}]
    return {"apiVersion": API, "kind": "Dataset", "metadata": {"name": "demo"}, "spec": {"mounts": mounts, **spec}}


def runtime(quota: str = "1Gi", **spec: Any) -> dict[str, Any]:
    levels = [{"mediumtype": "MEM", "path": "/dev/shm", "quota": quota}]
    body = {"tieredstore": {"levels": levels}, **spec}
    return {"apiVersion": API, "kind": "AlluxioRuntime", "metadata": {"name": "demo"}, "spec": body}


def codes(cluster: Cluster, namespace: str, *objects: dict[str, Any]) -> list[str]:
    return [each.code for each in client_of(cluster, namespace).lint(list(objects))]


def test_a_good_manifest_is_clean_in_a_good_cluster(cluster: Cluster) -> None:
    """Dataset and runtime in order: not a word."""
    cluster.node("roomy")
    assert codes(cluster, cluster.namespace(), dataset(), runtime()) == []


def test_what_the_cluster_holds_is_seen(cluster: Cluster) -> None:
    """A claim that is in the way, a Secret that is missing, a cache that no node has room for."""
    namespace = cluster.namespace()
    cluster.node("small")
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    cluster.api.post(path, {"metadata": {"name": "demo"}, "spec": claim})
    key = {"encryptOptions": [{"name": "a", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}}]}
    assert codes(cluster, namespace, dataset(mount=key), runtime("4000Gi")) == ["DF510", "DF511", "DF520"]
    cluster.api.post(f"/api/v1/namespaces/{namespace}/secrets", {"metadata": {"name": "keys"}})
    cluster.api.delete(f"{path}/demo")
    assert "DF511" not in codes(cluster, namespace, dataset(mount=key), runtime("4000Gi"))


def test_a_namespace_that_is_not_there_and_one_that_refuses(cluster: Cluster) -> None:
    """Nothing is sent: apply refuses with the same findings."""
    assert codes(cluster, "nowhere-at-all", dataset(), runtime()) == ["DF502"], "told once, not for each object"
    strict = cluster.namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    with pytest.raises(Invalid) as refused:
        client_of(cluster, strict).apply([dataset(), runtime()])
    assert [finding.code for finding in refused.value.findings] == ["DF530"]
    assert cluster.api.get(f"/apis/{API}/namespaces/{strict}/datasets")["items"] == []


def test_names_as_long_as_pods_can_bear(cluster: Cluster) -> None:
    """The budget of DF123 is what a real StatefulSet controller can do: 52 characters make pods, 53 do not."""
    namespace = cluster.namespace()
    base = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
    for length in (52, 53):
        spec = {"serviceName": "x", "selector": {"matchLabels": labels}, "template": template}
        cluster.api.post(base, {"metadata": {"name": "a" * length}, "spec": spec})
    from tests.cluster.processes import eventually

    pods = f"/api/v1/namespaces/{namespace}/pods"
    eventually(lambda: [each["metadata"]["name"] for each in cluster.api.get(pods)["items"]] == ["a" * 52 + "-0"])
    events = f"/api/v1/namespaces/{namespace}/events"
    eventually(
        lambda: any(
            each["reason"] == "FailedCreate" and each["involvedObject"]["name"] == "a" * 53
            for each in cluster.api.get(events)["items"]
        )
    )
