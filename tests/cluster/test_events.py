"""Events as a real server keeps them: of both APIs, with times that may be null."""

from __future__ import annotations

from typing import Any

from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import dataset


def test_both_apis_are_read_and_sorted(cluster: Cluster, plane: KubernetesPlane, namespace: str) -> None:
    """By when each was seen last, whichever field says so; those of an object before of the same name are left out."""
    uid = plane.apply(dataset("demo", namespace))["metadata"]["uid"]
    about = {"kind": "Dataset", "name": "demo", "namespace": namespace, "uid": uid}
    old = {
        "metadata": {"name": "counted"},
        "involvedObject": about,
        "type": "Warning",
        "reason": "Counted",
        "message": "said often",
        "count": 25,
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-03T00:00:00Z",
    }
    new: dict[str, Any] = {
        "metadata": {"name": "series"},
        "regarding": about,
        "type": "Normal",
        "reason": "Scheduled",
        "note": "said once",
        "action": "Binding",
        "reportingController": "tests",
        "reportingInstance": "tests-1",
        "eventTime": "2026-01-02T00:00:00.000000Z",
    }
    before = {**old, "metadata": {"name": "before"}, "involvedObject": {**about, "uid": "another"}}
    cluster.api.post(f"/api/v1/namespaces/{namespace}/events", old)
    cluster.api.post(f"/api/v1/namespaces/{namespace}/events", before)
    cluster.api.post(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events", new)
    told = plane.events(Ref("Dataset", "demo", namespace))
    assert [(each.reason, each.message, each.count, each.type) for each in told] == [
        ("Scheduled", "said once", 1, "Normal"),
        ("Counted", "said often", 25, "Warning"),
    ]
