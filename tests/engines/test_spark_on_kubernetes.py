"""``spark-submit`` with the emitted files against a real API server and scheduler: pods as wanted, where wanted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import datafluid
from datafluid.placement import labels
from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually

pytestmark = pytest.mark.slow
EXECUTORS = Path(__file__).with_name("spark_executors.py")


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[str]:
    """A namespace with its default account, and two nodes of which one holds the dataset's cache."""
    name = cluster.namespace("spark")
    accounts = f"/api/v1/namespaces/{name}/serviceaccounts"
    eventually(lambda: bool(cluster.api.get(accounts)["items"]))  # before the nodes: what fails here leaves none
    keys = labels(name, "words")
    # The scheduler by itself takes the bare node: it has more room.
    nodes = [
        cluster.node(f"{name}-cache", labels={keys.dataset: "true"}),
        cluster.node(f"{name}-bare", capacity={"cpu": "64", "memory": "256Gi"}),
    ]
    yield name
    for node in nodes:
        cluster.api.request("DELETE", f"/api/v1/nodes/{node}")


def credentials(cluster: Cluster, directory: Path, prefix: str) -> dict[str, str]:
    """The administrator's, in files as Spark takes them."""
    (directory / "token").write_text(cluster.api.token)
    (directory / "ca.crt").write_text(cluster.api.authority)
    return {f"{prefix}.oauthTokenFile": str(directory / "token"), f"{prefix}.caCertFile": str(directory / "ca.crt")}


def pods(cluster: Cluster, namespace: str, role: str) -> list[dict[str, Any]]:
    """The pods of a role that the scheduler has placed."""
    found = cluster.api.get(f"/api/v1/namespaces/{namespace}/pods", labelSelector=f"spark-role={role}")["items"]
    return [pod for pod in found if pod["spec"].get("nodeName")]


def job_files(namespace: str, directory: Path, locality: str) -> tuple[datafluid.SparkSubmit, Path]:
    """The emitted files for a job."""
    job = datafluid.spark_submit([f"{namespace}/words,api=hcfs,locality={locality}"], namespace=namespace)
    for path, text in job.files(str(directory)).items():
        Path(path).write_text(text)
    return job, directory / "spark.properties"


def check(pod: Mapping[str, Any], namespace: str) -> None:
    """The dataset is mounted in a pod, where the emitted mount table says."""
    (container,) = pod["spec"]["containers"]
    claims = {each["persistentVolumeClaim"]["claimName"]: each["name"] for each in pod["spec"]["volumes"]
              if "persistentVolumeClaim" in each}  # fmt: skip
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts[claims["words"]] == f"/mnt/fluid/{namespace}/words"


def test_cluster_mode_makes_the_driver_that_the_template_describes(
    cluster: Cluster, namespace: str, tmp_path: Path
) -> None:
    """It mounts the dataset, and its configuration has the mount table."""
    import pyspark

    _, properties = job_files(namespace, tmp_path, "prefer")
    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    settings = {
        **credentials(cluster, tmp_path, "spark.kubernetes.authenticate.submission"),
        "spark.kubernetes.container.image": "none:1",
        "spark.kubernetes.submission.waitAppCompletion": "false",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    command = [str(submit), "--master", f"k8s://{cluster.api.server}", "--deploy-mode", "cluster", *options]
    command += ["--properties-file", str(properties), "local:///opt/job.py"]
    claim(cluster, namespace)

    done = subprocess.run(command, capture_output=True, text=True, timeout=240)

    assert done.returncode == 0, done.stderr[-3000:]
    eventually(lambda: len(pods(cluster, namespace, "driver")) == 1)
    (driver,) = pods(cluster, namespace, "driver")
    check(driver, namespace)
    maps = cluster.api.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]
    told = "".join(text for each in maps for text in each.get("data", {}).values())
    assert f"mounttable.{namespace}.link./words" in told


@pytest.mark.parametrize(("locality", "place"), [("require", "cache"), ("off", "bare")])
def test_executors_land_where_the_cache_is(
    cluster: Cluster, namespace: str, tmp_path: Path, locality: str, place: str
) -> None:
    """With the emitted template; without its affinity the scheduler takes the other node."""
    job, _ = job_files(namespace, tmp_path, locality)
    template = {"spark.kubernetes.executor.podTemplateFile": str(tmp_path / "executor.yaml")}
    around = {
        **credentials(cluster, tmp_path, "spark.kubernetes.authenticate"),
        "spark.kubernetes.container.image": "none:1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.executor.instances": "2",
    }
    claim(cluster, namespace)
    everything = {**job.properties, **template, **around}
    with open(tmp_path / "log", "wb") as log:
        command = [sys.executable, str(EXECUTORS), f"k8s://{cluster.api.server}", json.dumps(everything)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYSPARK_PYTHON": sys.executable})
    try:
        eventually(lambda: len(pods(cluster, namespace, "executor")) == 2, seconds=120)
        found = pods(cluster, namespace, "executor")
    finally:
        process.kill()
        process.wait()
    for pod in found:
        check(pod, namespace)
        assert pod["spec"]["nodeName"] == f"{namespace}-{place}"


def claim(cluster: Cluster, namespace: str) -> None:
    """The dataset's claim, bound: the scheduler waits for it."""
    metadata = {"name": "words", "namespace": namespace}
    volume = {
        "metadata": {"name": f"{namespace}-words"},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadOnlyMany"],
            "claimRef": metadata,
            "hostPath": {"path": "/none"},
            "storageClassName": "fluid",
        },
    }
    spec = {
        "accessModes": ["ReadOnlyMany"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "fluid",
        "volumeName": f"{namespace}-words",
    }
    cluster.api.post("/api/v1/persistentvolumes", volume)
    cluster.api.post(f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", {"metadata": metadata, "spec": spec})
    path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/words"
    eventually(lambda: cluster.api.get(path)["status"].get("phase") == "Bound")
