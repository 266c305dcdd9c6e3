"""The table of workload kinds: where pods are described, whatever the kind."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.workload.kinds import WORKLOAD_KINDS, workload_kind
from datafluid.workload.places import pod_places

POD = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": "i"}]}}


def manifest(api: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "w", "namespace": "team"}, "spec": spec}


def replicas(**counts: int) -> dict[str, Any]:
    return {role: {"replicas": count, "template": POD} for role, count in counts.items()}


CASES = [
    ({"apiVersion": "v1", "kind": "Pod", **POD}, [("pod", (), 1)]),
    (manifest("apps/v1", "Deployment", {"replicas": 3, "template": POD}), [("pod", ("spec", "template"), 3)]),
    (manifest("apps/v1", "StatefulSet", {"template": POD}), [("pod", ("spec", "template"), 1)]),
    (manifest("apps/v1", "DaemonSet", {"template": POD}), [("pod", ("spec", "template"), None)]),
    (manifest("batch/v1", "Job", {"parallelism": 4, "template": POD}), [("pod", ("spec", "template"), 4)]),
    (
        manifest("batch/v1", "CronJob", {"jobTemplate": {"spec": {"template": POD}}}),
        [("pod", ("spec", "jobTemplate", "spec", "template"), 1)],
    ),
    (
        manifest("sparkoperator.k8s.io/v1beta2", "SparkApplication", {"driver": {}, "executor": {"instances": 5}}),
        [("driver", ("spec", "driver"), 1), ("executor", ("spec", "executor"), 5)],
    ),
    (
        manifest("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", {"template": {"executor": {}}}),
        [("driver", ("spec", "template", "driver"), 1), ("executor", ("spec", "template", "executor"), 1)],
    ),
    (
        manifest("spark.apache.org/v1", "SparkApplication", {}),
        [
            ("driver", ("spec", "driverSpec", "podTemplateSpec"), 1),
            ("executor", ("spec", "executorSpec", "podTemplateSpec"), 1),
        ],
    ),
    (
        manifest("kubeflow.org/v1", "PyTorchJob", {"pytorchReplicaSpecs": replicas(Master=1, Worker=3)}),
        [
            ("Master", ("spec", "pytorchReplicaSpecs", "Master", "template"), 1),
            ("Worker", ("spec", "pytorchReplicaSpecs", "Worker", "template"), 3),
        ],
    ),
    (
        manifest("kubeflow.org/v2beta1", "MPIJob", {"mpiReplicaSpecs": replicas(Launcher=1, Worker=2)}),
        [
            ("Launcher", ("spec", "mpiReplicaSpecs", "Launcher", "template"), 1),
            ("Worker", ("spec", "mpiReplicaSpecs", "Worker", "template"), 2),
        ],
    ),
    (
        manifest(
            "ray.io/v1",
            "RayCluster",
            {
                "headGroupSpec": {"template": POD},
                "workerGroupSpecs": [{"groupName": "gpu", "replicas": 2, "numOfHosts": 4, "template": POD}],
            },
        ),
        [
            ("head", ("spec", "headGroupSpec", "template"), 1),
            ("gpu", ("spec", "workerGroupSpecs", 0, "template"), 8),
        ],
    ),
    (
        manifest(
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            {
                "replicatedJobs": [
                    {"name": "w", "replicas": 3, "template": {"spec": {"parallelism": 2, "template": POD}}}
                ]
            },
        ),
        [("w", ("spec", "replicatedJobs", 0, "template", "spec", "template"), 6)],
    ),
    (
        manifest("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", {"leaderWorkerTemplate": {"workerTemplate": POD}}),
        [("worker", ("spec", "leaderWorkerTemplate", "workerTemplate"), 1)],
    ),
    (
        manifest(
            "leaderworkerset.x-k8s.io/v1",
            "LeaderWorkerSet",
            {"replicas": 2, "leaderWorkerTemplate": {"size": 4, "leaderTemplate": POD, "workerTemplate": POD}},
        ),
        [
            ("leader", ("spec", "leaderWorkerTemplate", "leaderTemplate"), 2),
            ("worker", ("spec", "leaderWorkerTemplate", "workerTemplate"), 8),
        ],
    ),
    (
        manifest("batch.volcano.sh/v1alpha1", "Job", {"tasks": [{"name": "ps", "replicas": 2, "template": POD}]}),
        [("ps", ("spec", "tasks", 0, "template"), 2)],
    ),
    (
        manifest(
            "argoproj.io/v1alpha1",
            "Workflow",
            {"templates": [{"name": "train", "container": {"image": "i"}}, {"name": "main", "steps": []}]},
        ),
        [("train", ("spec", "templates", 0), 1)],
    ),
    (
        manifest(
            "argoproj.io/v1alpha1",
            "CronWorkflow",
            {
                "workflowSpec": {
                    "templates": [
                        {"name": "d", "dag": {"tasks": [{"name": "a", "inline": {"container": {"image": "i"}}}]}},
                        {"name": "s", "steps": [[{"name": "b", "inline": {"script": {"image": "i"}}}]]},
                    ]
                }
            },
        ),
        [
            ("a", ("spec", "workflowSpec", "templates", 0, "dag", "tasks", 0, "inline"), 1),
            ("b", ("spec", "workflowSpec", "templates", 1, "steps", 0, 0, "inline"), 1),
        ],
    ),
    (
        manifest(
            "trainer.kubeflow.org/v1alpha1",
            "TrainJob",
            {"podTemplateOverrides": [{"targetJobs": [{"name": "node"}], "spec": {}}]},
        ),
        [("node", ("spec", "trainer"), 1), ("node", ("spec", "podTemplateOverrides", 0), 0)],
    ),
    (
        {"image": {"repository": "trinodb/trino"}, "server": {"workers": 4}},
        [("coordinator", ("coordinator",), 1), ("worker", ("worker",), 4)],
    ),
    (
        {"image": {"repository": "prestodb/presto"}, "worker": {"replicas": 7}},
        [("coordinator", ("coordinator",), 1), ("worker", ("worker",), 7)],
    ),
    (
        manifest("example.org/v1", "Strange", {"roles": [{"podTemplate": POD}]}),
        [("pod", ("spec", "roles", 0, "podTemplate"), None)],
    ),
    ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}, []),
]


@pytest.mark.parametrize(
    ("data", "expected"), CASES, ids=lambda each: each.get("kind") if isinstance(each, dict) else ""
)
def test_every_kind_says_where_its_pods_are(data: dict[str, Any], expected: list[Any]) -> None:
    """Role, path and number of each place; a kind that is not known is searched."""
    assert [(place.role, place.path, place.count(data)) for place in pod_places(data)] == expected


def test_one_kind_in_two_groups_is_two_kinds() -> None:
    """Spark's own operator has no suspend; the group decides."""
    ways = {
        group: WORKLOAD_KINDS[group, "SparkApplication"].hold.way
        for group in ("sparkoperator.k8s.io", "spark.apache.org")
    }
    assert ways == {"sparkoperator.k8s.io": "suspend", "spark.apache.org": "wait"}
    assert workload_kind({"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job"}) is not workload_kind(
        {"apiVersion": "batch/v1", "kind": "Job"}
    )


def test_the_held_field_is_a_path_or_nothing() -> None:
    """What is suspended, scaled or gated names its field; what waits has none."""
    for kind in WORKLOAD_KINDS.values():
        assert bool(kind.hold.path) == (kind.hold.way in {"suspend", "replicas", "gate"}), kind.kind


def test_a_spark_role_is_read_as_a_pod() -> None:
    """Cores and memory become requests, overhead included; labels and affinity come along."""
    affinity = {"nodeAffinity": {}}
    app = manifest(
        "sparkoperator.k8s.io/v1beta2",
        "SparkApplication",
        {
            "volumes": [{"name": "v", "emptyDir": {}}],
            "driver": {"labels": {"a": "b"}, "tolerations": [{"operator": "Exists"}]},
            "executor": {"cores": 4, "memory": "8g", "memoryOverhead": "1g", "affinity": affinity},
        },
    )
    driver, executor = (place.pod(app) for place in pod_places(app))
    assert driver["metadata"]["labels"] == {"a": "b"}
    assert driver["spec"]["tolerations"] == [{"operator": "Exists"}]
    assert driver["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "1", "memory": "1408Mi"}
    assert executor["spec"]["affinity"] == affinity
    assert executor["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]
    assert executor["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "4", "memory": "9216Mi"}


def test_a_step_takes_the_affinity_of_its_workflow() -> None:
    """Until it has its own."""
    workflow = manifest(
        "argoproj.io/v1alpha1",
        "Workflow",
        {"affinity": {"podAffinity": {}}, "templates": [{"name": "a", "script": {"image": "i"}}]},
    )
    (place,) = pod_places(workflow)
    assert place.pod(workflow)["spec"]["affinity"] == {"podAffinity": {}}
    assert place.pod(workflow)["spec"]["containers"] == [{"name": "main", "image": "i"}]


def test_a_native_template_is_its_own_pod() -> None:
    """Nothing is added or taken away."""
    deployment = manifest("apps/v1", "Deployment", {"template": POD})
    (place,) = pod_places(deployment)
    assert place.pod(deployment) == POD
