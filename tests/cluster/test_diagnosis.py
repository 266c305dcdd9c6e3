"""Diagnosis against a real API server: what a real scheduler, quota and admission say is understood."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.client import Client
from datafluid.context import Context
from datafluid.diagnosis import Diagnosis
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually

FLUID = "/apis/data.fluid.io/v1alpha1/namespaces/{}"
SPEC = {"mounts": [{"mountPoint": "s3://bucket/data", "name": "data"}]}


def client_of(cluster: Cluster, namespace: str, kubeconfig: Path | None = None) -> Client:
    plane = KubernetesPlane(kubeconfig=str(kubeconfig or cluster.kubeconfig))
    return Client(plane, Context(name="test", plane="kubernetes", namespace=namespace))


def declare(cluster: Cluster, namespace: str, *, runtime: bool = True) -> Client:
    """A dataset, and its runtime; no controller of Fluid looks at them."""
    api = {"apiVersion": "data.fluid.io/v1alpha1", "metadata": {"name": "demo"}}
    cluster.api.post(FLUID.format(namespace) + "/datasets", {**api, "kind": "Dataset", "spec": SPEC})
    if runtime:
        cluster.api.post(FLUID.format(namespace) + "/alluxioruntimes", {**api, "kind": "AlluxioRuntime", "spec": {}})
    return client_of(cluster, namespace)


def workers(cluster: Cluster, namespace: str, *, memory: str = "1Gi", replicas: int = 1, **pod: Any) -> None:
    """The workers' StatefulSet as Fluid's chart makes it."""
    labels = {"fluid.io/managed-by": "fluid", "release": "demo", "role": "alluxio-worker"}
    own = {**labels, "fluid.io/dataset-id": f"{namespace}-demo"}
    resources = {"requests": {"memory": memory}, "limits": {"memory": memory}}
    template = {
        "metadata": {"labels": own},
        "spec": {"containers": [{"name": "worker", "image": "none", "resources": resources}], **pod},
    }
    spec = {
        "replicas": replicas,
        "podManagementPolicy": "Parallel",
        "serviceName": "demo",
        "selector": {"matchLabels": labels},
        "template": template,
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    cluster.api.post(path, {"metadata": {"name": "demo-worker", "labels": own}, "spec": spec})


def until(client: Client, code: str) -> Diagnosis:
    """The diagnosis once it says so."""
    found: list[Diagnosis] = []

    def said() -> bool:
        found.append(client.diagnose("demo"))
        return any(cause.code == code for cause in found[-1].causes)

    eventually(said)
    return found[-1]


def test_a_dataset_without_a_runtime(cluster: Cluster) -> None:
    """And one that is not there at all."""
    client = declare(cluster, cluster.namespace(), runtime=False)
    assert client.diagnose("demo").causes[0].code == "no-runtime"
    assert client.diagnose("demmo").causes[0].evidence == ("the namespace has 'demo'",)


def test_what_a_real_scheduler_says_is_understood(cluster: Cluster) -> None:
    """Workers that ask for more than any node has."""
    namespace = cluster.namespace()
    cluster.node(f"node-{namespace}", capacity={"memory": "4Gi"})
    client = declare(cluster, namespace)
    workers(cluster, namespace, memory="4000Gi")
    cause = until(client, "no-capacity").causes[0]
    assert cause.code == "no-capacity"
    assert "too little memory" in cause.summary


@pytest.mark.parametrize(
    ("code", "kind", "spec"),
    [
        ("quota-exceeded", "resourcequotas", {"hard": {"requests.memory": "1Mi", "limits.memory": "1Mi"}}),
        ("limit-range", "limitranges", {"limits": [{"type": "Container", "max": {"memory": "10Mi"}}]}),
    ],
)
def test_what_a_namespace_refuses(cluster: Cluster, code: str, kind: str, spec: Mapping[str, Any]) -> None:
    """A real ResourceQuota and a real LimitRange."""
    namespace = cluster.namespace()
    path = f"/api/v1/namespaces/{namespace}/{kind}"
    cluster.api.post(path, {"metadata": {"name": "limit"}, "spec": spec})
    if kind == "resourcequotas":  # a quota counts once its controller has seen it
        eventually(lambda: bool(cluster.api.get(f"{path}/limit").get("status", {}).get("hard")))
    client = declare(cluster, namespace)
    workers(cluster, namespace)
    assert until(client, code).causes[0].code == code


def test_what_a_pod_security_level_refuses(cluster: Cluster) -> None:
    """Fluid's runtimes want the host's network and paths."""
    namespace = cluster.namespace(**{"pod-security.kubernetes.io/enforce": "baseline"})
    client = declare(cluster, namespace)
    workers(cluster, namespace, hostNetwork=True)
    cause = until(client, "pod-security").causes[0]
    assert (cause.code, cause.command) == ("pod-security", f"kubectl get namespace {namespace} --show-labels")


def test_secrets_are_seen_by_name_only(cluster: Cluster) -> None:
    """The server sends their metadata and nothing else."""
    namespace = cluster.namespace()
    secret = {"metadata": {"name": "keys"}, "stringData": {"id": "hunter2"}}
    cluster.api.post(f"/api/v1/namespaces/{namespace}/secrets", secret)
    (seen,) = client_of(cluster, namespace).plane.metadata("v1/Secret", namespace=namespace)  # type: ignore[attr-defined]
    assert set(seen) <= {"apiVersion", "kind", "metadata"}
    assert (seen["kind"], seen["metadata"]["name"]) == ("Secret", "keys")


def test_the_requests_do_not_grow_with_pods(cluster: Cluster) -> None:
    """Counted in the API server's own audit log: one worker, and sixty."""

    def requests(replicas: int) -> int:
        namespace = cluster.namespace()
        client = declare(cluster, namespace)
        workers(cluster, namespace, replicas=replicas, nodeSelector={"no": "node"})
        pods = f"/api/v1/namespaces/{namespace}/pods"
        eventually(lambda: len(cluster.api.get(pods)["items"]) == replicas)
        before = len(cluster.asked(agent="datafluid"))
        client.diagnose("demo")
        return len(cluster.asked(agent="datafluid")) - before

    few, many = requests(1), requests(60)
    assert few == many
    assert many <= 50


def test_what_may_not_be_read_is_unknown(cluster: Cluster, tmp_path: Path) -> None:
    """A reader of datasets alone gets a diagnosis of what it may see, and the rules that it lacks."""
    namespace = cluster.namespace()
    declare(cluster, namespace, runtime=False)
    rules = [{"apiGroups": ["data.fluid.io"], "resources": ["datasets"], "verbs": ["get", "list"]}]
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for user in config["users"]:
        user["user"] = {"token": cluster.service_account(namespace, "reader", rules)}
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    found = client_of(cluster, namespace, file).diagnose("demo")
    assert {"AlluxioRuntime", "v1/Pod", "v1/Node", "v1/Event", "v1/Secret"} <= set(found.picture.unknown)
    assert not [cause for cause in found.causes if cause.certain], found.text()
    assert "AlluxioRuntime: " in found.text()
