"""Wrapped workloads of every kind, taken by a real API server that validates strictly, with the CRDs of others."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.workload import DatasetFacts, DatasetUse, Topology, wrap
from datafluid.workload.injection import Mode
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually
from tests.cluster.third_party import definitions

pytestmark = pytest.mark.xdist_group("third_party")  # a server takes long to take in so many definitions: one does

CONTAINER = {"name": "main", "image": "busybox:1.36"}
POD = {"metadata": {"labels": {"app": "w"}}, "spec": {"restartPolicy": "Never", "containers": [CONTAINER]}}
RUNNING = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [CONTAINER]}}
SELECTED = {"selector": {"matchLabels": {"app": "w"}}, "template": RUNNING}
SPARK = {
    "type": "Scala",
    "mode": "cluster",
    "image": "spark:4.0.0",
    "mainClass": "org.example.Main",
    "mainApplicationFile": "local:///app.jar",
    "sparkVersion": "4.0.0",
    "driver": {"cores": 1, "memory": "1g"},
    "executor": {"instances": 2, "cores": 1, "memory": "2g"},
}


def named(container: str) -> dict[str, Any]:
    return {"spec": {"containers": [{**CONTAINER, "name": container}]}}


def replicas(container: str, *roles: str) -> dict[str, Any]:
    return {role: {"replicas": 1, "template": named(container)} for role in roles}


RAY = {"headGroupSpec": {"rayStartParams": {}, "template": named("head")},
       "workerGroupSpecs": [{"groupName": "cpu", "replicas": 1, "minReplicas": 1, "maxReplicas": 1,
                             "rayStartParams": {}, "template": named("worker")}]}  # fmt: skip
STEP = {"name": "a", "container": {"image": "busybox:1.36"}}

#: Kinds of Kubernetes itself: apiVersion, kind, plural, spec.
OWN: list[tuple[str, str, str, dict[str, Any]]] = [
    ("v1", "Pod", "pods", RUNNING["spec"]),
    ("apps/v1", "Deployment", "deployments", SELECTED),
    ("apps/v1", "ReplicaSet", "replicasets", SELECTED),
    ("apps/v1", "DaemonSet", "daemonsets", SELECTED),
    ("apps/v1", "StatefulSet", "statefulsets", {**SELECTED, "serviceName": "w"}),
    ("batch/v1", "Job", "jobs", {"template": POD}),
    ("batch/v1", "CronJob", "cronjobs", {"schedule": "@daily", "jobTemplate": {"spec": {"template": POD}}}),
]
#: Kinds of others: the module with the definition, kind, spec.
OTHERS: list[tuple[str, str, dict[str, Any]]] = [
    ("spark", "SparkApplication", SPARK),
    ("spark-2.3", "SparkApplication", SPARK),
    ("spark", "ScheduledSparkApplication", {"schedule": "@daily", "template": SPARK}),
    ("spark", "SparkConnect", {"sparkVersion": "4.0.0", "server": {"cores": 1}, "executor": {"instances": 1}}),
    ("training", "PyTorchJob", {"pytorchReplicaSpecs": replicas("pytorch", "Master", "Worker")}),
    ("training", "TFJob", {"tfReplicaSpecs": replicas("tensorflow", "Chief", "Worker")}),
    ("training", "MPIJob", {"mpiReplicaSpecs": replicas("mpi", "Launcher", "Worker")}),
    ("mpi", "MPIJob", {"mpiReplicaSpecs": replicas("mpi", "Launcher", "Worker")}),
    ("trainer-2.0", "TrainJob", {"runtimeRef": {"name": "torch"}}),
    ("trainer-2.1", "TrainJob", {"runtimeRef": {"name": "torch"}}),
    ("trainer-2.2", "TrainJob", {"runtimeRef": {"name": "torch"}}),
    ("ray", "RayCluster", RAY),
    ("ray", "RayJob", {"entrypoint": "true", "rayClusterSpec": RAY}),
    ("ray", "RayService", {"serveConfigV2": "", "rayClusterConfig": RAY}),
    ("jobset", "JobSet", {"replicatedJobs": [{"name": "w", "template": {"spec": {"template": POD}}}]}),
    ("lws", "LeaderWorkerSet", {"leaderWorkerTemplate": {"leaderTemplate": RUNNING, "workerTemplate": RUNNING}}),
    ("argo", "Workflow", {"entrypoint": "a", "templates": [STEP]}),
    ("argo", "WorkflowTemplate", {"entrypoint": "a", "templates": [STEP]}),
    ("argo", "CronWorkflow", {"schedule": "0 3 * * *", "workflowSpec": {"entrypoint": "a", "templates": [STEP]}}),
    ("volcano", "Job", {"minAvailable": 1, "tasks": [{"name": "w", "replicas": 1, "template": POD}]}),
    ("kserve", "InferenceService", {"predictor": {"model": {"modelFormat": {"name": "sklearn"}}}}),
    ("kserve", "InferenceService", {"predictor": {"containers": [{**CONTAINER, "name": "kserve-container"}]}}),
]
MODES: tuple[Mode, ...] = ("csi", "serverful", "serverless")
USES = (
    DatasetUse("files", locality="require"),
    DatasetUse("tables", api="hcfs"),
    DatasetUse("elsewhere/more", sub_path="train", read_only=False),
)


def known(namespace: str, **more: Any) -> Topology:
    """An Alluxio whose client is used with everything that it can have, and a dataset of another namespace."""
    tables = DatasetFacts(
        namespace=namespace,
        name="tables",
        runtime_type="alluxio",
        runtime={"tieredstore": {"levels": [{"path": "/dev/shm"}]}},
        endpoint="alluxio://tables-master-0:20001",
    )
    more_facts = DatasetFacts(namespace="elsewhere", name="more", access_modes=("ReadWriteMany",))
    return Topology(datasets={f"{namespace}/tables": tables, "elsewhere/more": more_facts}, **more)


def create(cluster: Cluster, path: str, body: Mapping[str, Any]) -> None:
    """Create it as far as the server can tell without keeping it: an unknown field is an error."""
    cluster.api.post(path, body, fieldValidation="Strict", dryRun="All")


def is_taken(cluster: Cluster, path: str, manifest: Mapping[str, Any]) -> bool:
    """Whether the server takes what is not wrapped; for a moment another release's definition is served."""
    try:
        create(cluster, path, manifest)
    except Refused:
        return False
    return True


def definition_of(module: str, kind: str) -> tuple[dict[str, Any], str]:
    """The definition, and the version that the module has; MPIJob has two owners with a version each."""
    definition = definitions(module)[kind]
    version = next(each["name"] for each in definition["spec"]["versions"] if each["storage"])
    if kind != "MPIJob":
        return definition, version
    merged = copy.deepcopy(definitions("training")[kind])
    theirs = copy.deepcopy(definitions("mpi")[kind]["spec"]["versions"])
    merged["spec"]["versions"] += [{**each, "storage": False} for each in theirs if each["name"] != "v1"]
    return merged, version


@pytest.mark.parametrize(("api", "kind", "plural", "spec"), OWN, ids=lambda each: each if isinstance(each, str) else "")
def test_kinds_of_kubernetes(
    cluster: Cluster, namespace: str, api: str, kind: str, plural: str, spec: dict[str, Any]
) -> None:
    """Wrapped, they are valid to the letter, and so is what goes with them."""
    cluster.install_crds()
    manifest = {"apiVersion": api, "kind": kind, "metadata": {"name": "w", "namespace": namespace}, "spec": spec}
    base = f"/api/{api}" if api == "v1" else f"/apis/{api}"
    for mode in MODES:
        wrapped = wrap(manifest, USES, topology=known(namespace), mode=mode, priority_class="system-node-critical")
        create(cluster, f"{base}/namespaces/{namespace}/{plural}", wrapped.manifest)
        for extra in wrapped.extras:
            group = "/api/v1" if extra["kind"] == "ConfigMap" else f"/apis/{extra['apiVersion']}"
            create(cluster, f"{group}/namespaces/{namespace}/{extra['kind'].lower()}s", extra)


@pytest.mark.parametrize(("module", "kind", "spec"), OTHERS, ids=lambda each: each if isinstance(each, str) else "")
def test_kinds_of_others(cluster: Cluster, namespace: str, module: str, kind: str, spec: dict[str, Any]) -> None:
    """By the definitions that their own modules ship; of TrainJob three releases with three spellings."""
    definition, version = definition_of(module, kind)
    cluster.install_crds([definition])
    group, names = definition["spec"]["group"], definition["spec"]["names"]
    metadata = {"name": "w", "namespace": namespace}
    manifest = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, "spec": spec}
    patch = Topology.of([definition]).train_patch
    path = f"/apis/{group}/{version}/namespaces/{namespace}/{names['plural']}"
    eventually(lambda: is_taken(cluster, path, manifest), seconds=20)
    for mode in MODES:
        for acts in (None, frozenset({"elsewhere"})):
            topology = known(namespace, train_patch=patch, spark_namespaces=acts)
            wrapped = wrap(manifest, USES, topology=topology, mode=mode, priority_class="system-node-critical")
            create(cluster, path, wrapped.manifest)


#: Where the definition of an example's kind comes from; the others are Kubernetes' own, or values of a chart.
_EXAMPLES = {"SparkApplication": "spark", "PyTorchJob": "training", "TFJob": "training", "TrainJob": "trainer-2.2",
             "RayCluster": "ray", "Workflow": "argo"}  # fmt: skip


def test_every_example_is_taken_as_it_is_wrapped(cluster: Cluster, tmp_path: Path) -> None:
    """What ``examples/wrap_workloads.py`` writes, and all that goes with it, by the real API server, strictly."""
    example = Path(__file__).parents[2] / "examples" / "wrap_workloads.py"
    subprocess.run([sys.executable, str(example), str(tmp_path)], check=True, capture_output=True, timeout=120)
    written = [each for file in sorted(tmp_path.glob("*.yaml")) for each in yaml.safe_load_all(file.read_text())]
    objects = [
        each for each in written if "kind" in each and {"name", "generateName"} & each.get("metadata", {}).keys()
    ]
    kinds = {each["kind"] for each in objects}
    assert _EXAMPLES.keys() <= kinds
    cluster.install_crds()
    cluster.install_crds([definition_of(_EXAMPLES[kind], kind)[0] for kind in sorted(kinds & _EXAMPLES.keys())])
    place = cluster.namespace("examples")
    for each in objects:
        group, plural = each["apiVersion"], f"{each['kind'].lower()}s"
        base = f"/api/{group}" if group == "v1" else f"/apis/{group}"
        moved = {**each, "metadata": {**each["metadata"], "namespace": place}}
        path = f"{base}/namespaces/{place}/{plural}"
        eventually(lambda path=path, moved=moved: is_taken(cluster, path, moved), seconds=20)  # type: ignore[misc]
        create(cluster, path, moved)
