"""Submitting on a real API server, with Fluid's controllers played and the real scheduler: datasets, holds, kills."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.errors import Invalid, Timeout, Unschedulable
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.workload.release import CONDITION, SUBMITTED
from tests.cluster import scenes
from tests.cluster.clusters import on_a_server
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import FARM, Farm, farm
from tests.cluster.processes import eventually

_LONG = 90.0  # seconds that nothing here takes on any machine


@pytest.fixture
def field(cluster: Cluster) -> Iterator[Farm]:
    """Three nodes; the third has no GPU."""
    with farm(cluster, cluster.namespace("submit")) as made:
        for short, gpus in (("g0", 1), ("g1", 1), ("plain", 0)):
            made.node(short, gpus=gpus)
        yield made


@pytest.fixture
def client(cluster: Cluster, field: Farm) -> Iterator[Client]:
    """A client in the farm's namespace, with Fluid's controllers behind it."""
    with on_a_server(cluster, field.namespace) as (made, _):
        yield made


def job(field: Farm, *, name: str = "train", gpus: int = 1, **spec: Any) -> Manifest:
    """A Job that needs a GPU, on the nodes of the farm."""
    container = {"name": "c", "image": "none", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    template = {"restartPolicy": "Never", "nodeSelector": {FARM: field.id}, "containers": [container]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": field.namespace},
        "spec": {"template": {"spec": template}, **spec},
    }


def flights(field: Farm) -> list[Manifest]:
    """A dataset with an Alluxio runtime of one worker."""
    return [
        scenes.dataset("AlluxioRuntime", "flights", field.namespace),
        scenes.runtime("AlluxioRuntime", "flights", field.namespace),
    ]


def live_job(client: Client, name: str = "train") -> Manifest:
    """The Job as the server has it."""
    return client.plane.get(Ref("batch/v1/Job", name, client.context.namespace))


def test_the_workers_follow_the_plan_and_the_job_runs_beside_them(client: Client, field: Farm) -> None:
    """Planned, bound, loaded, labelled, released: the worker is on a node with a GPU, and so is the Job's pod."""
    done = client.submit(job(field), flights(field), load=True, timeout=_LONG)
    assert done.runs
    pinned = set(done.plan.pins[f"{field.namespace}/flights"].hostnames)
    assert pinned == {f"{field.id}-g0", f"{field.id}-g1"}
    pods = client.plane.list("v1/Pod", namespace=field.namespace)
    workers = {pod["spec"]["nodeName"] for pod in pods if "fluid.io/dataset" in pod["metadata"].get("labels", {})}
    assert workers
    assert workers <= pinned
    live = live_job(client)
    assert live["spec"]["suspend"] is False
    assert SUBMITTED in live["metadata"]["annotations"]
    assert CONDITION not in live["metadata"]["annotations"]
    (load,) = client.plane.list("DataLoad", namespace=field.namespace)
    assert load["status"]["phase"] == "Complete"


def test_what_fits_nowhere_leaves_nothing(client: Client, field: Farm) -> None:
    """Two GPUs are on no node: counted, and not even the dataset is there."""
    with pytest.raises(Unschedulable) as caught:
        client.submit(job(field, gpus=2), flights(field))
    assert caught.value.reasons["too little nvidia.com/gpu"] == 3
    assert client.plane.list("Dataset", namespace=field.namespace) == []


def test_what_the_server_refuses_leaves_nothing(client: Client, field: Farm) -> None:
    """A workload with a field that does not exist: asked in a dry run, before the datasets are applied."""
    wrong = job(field, backOffLimit=3)
    with pytest.raises(Invalid, match="backOffLimit"):
        client.submit(wrong, flights(field))
    assert client.plane.list("Dataset", namespace=field.namespace) == []


def test_a_detached_job_is_let_go_by_another_client(client: Client, field: Farm, cluster: Cluster) -> None:
    """By the annotation alone."""
    held = client.submit(job(field), flights(field), detach=True)
    assert not held.runs
    assert live_job(client)["spec"]["suspend"] is True
    other = Client(KubernetesPlane(kubeconfig=str(cluster.kubeconfig)), client.context)
    assert other.resume("batch/v1/Job/train", timeout=_LONG).runs
    assert live_job(client)["spec"]["suspend"] is False


class Killed(BaseException):
    """The client is taken away."""


class Mortal(KubernetesPlane):
    """A plane whose client is killed before, or after, the change with a number."""

    killed_at = 0
    changes = 0

    def apply(self, resource: Any, *, dry_run: bool = False, adopt: bool = False, replace: bool = False) -> Manifest:
        self._before(dry_run)
        answer = super().apply(resource, dry_run=dry_run, adopt=adopt, replace=replace)
        self._after(dry_run)
        return answer

    def create(self, resource: Any, *, dry_run: bool = False) -> Manifest:
        self._before(dry_run)
        answer = super().create(resource, dry_run=dry_run)
        self._after(dry_run)
        return answer

    def patch(self, ref: Ref, changes: Any, *, subresource: str | None = None) -> Manifest:
        self._before(False)
        answer = super().patch(ref, changes, subresource=subresource)
        self._after(False)
        return answer

    def _before(self, dry_run: bool) -> None:
        if not dry_run:
            self.changes += 1
            if self.changes == self.killed_at:
                raise Killed

    def _after(self, dry_run: bool) -> None:
        if not dry_run and self.changes == -self.killed_at:
            raise Killed


@pytest.mark.parametrize("point", [sign * number for number in range(1, 6) for sign in (1, -1)])
def test_killed_at_any_change_the_same_command_completes(
    client: Client, field: Farm, cluster: Cluster, point: int
) -> None:
    """Dataset, runtime, load, Job, release: in between the Job has no pod."""
    mortal = Mortal(kubeconfig=str(cluster.kubeconfig))
    mortal.killed_at = point
    with pytest.raises(Killed):
        Client(mortal, client.context).submit(job(field), flights(field), load=True, timeout=_LONG)
    if point != -5:
        jobs = client.plane.list("batch/v1/Job", namespace=field.namespace)
        assert not [each for each in jobs if each["metadata"]["name"] == "train" and runs(each)]
    assert client.submit(job(field), flights(field), load=True, timeout=_LONG).runs
    assert runs(live_job(client))
    assert len(client.plane.list("DataLoad", namespace=field.namespace)) == 1


def runs(job: Manifest) -> bool:
    """Whether it may make pods."""
    return not job["spec"].get("suspend")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "CronJob", "Pod"])
def test_other_kinds_are_held_and_let_go(client: Client, field: Farm, kind: str) -> None:
    """By no replicas, by suspend, by a scheduling gate; and as the user wrote them afterwards."""
    manifest, path, stopped, going = of_kind(field, kind)
    assert not client.submit(manifest, flights(field), detach=True).runs
    ref = Ref.of(manifest)
    assert at(client.plane.get(ref), path) == stopped
    assert client.resume(ref, timeout=_LONG).runs
    assert at(client.plane.get(ref), path) == going


def of_kind(field: Farm, kind: str) -> tuple[Manifest, tuple[str, ...], Any, Any]:
    """A workload of a kind: where it is held, and what stands there while it is held and after."""
    whole = job(field)
    metadata, spec = whole["metadata"], whole["spec"]["template"]["spec"]
    always = {**spec, "restartPolicy": "Always"}
    labelled = {"metadata": {"labels": {"app": "a"}}, "spec": always}
    selector = {"matchLabels": {"app": "a"}}
    gate = [{"name": "datafluid.io/data-not-ready"}]
    replicas, suspend = ("spec", "replicas"), ("spec", "suspend")
    cron = {"schedule": "0 3 * * *", "jobTemplate": {"spec": whole["spec"]}}
    service = {"replicas": 2, "selector": selector, "template": labelled}
    made: dict[str, tuple[str, Manifest, tuple[str, ...], Any, Any]] = {
        "Deployment": ("apps/v1", service, replicas, 0, 2),
        "StatefulSet": ("apps/v1", {**service, "serviceName": "s"}, replicas, 0, 2),
        "CronJob": ("batch/v1", cron, suspend, True, False),
        "Pod": ("v1", spec, ("spec", "schedulingGates"), gate, None),
    }
    version, own, path, stopped, going = made[kind]
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": own}, path, stopped, going


def at(manifest: Manifest, path: tuple[str, ...]) -> Any:
    """What is at a path."""
    value: Any = manifest
    for step in path:
        value = value.get(step)
    return value


def test_an_autoscaled_deployment_is_refused(client: Client, field: Farm) -> None:
    """A real HorizontalPodAutoscaler; nothing is applied."""
    deployment, *_ = of_kind(field, "Deployment")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "train"}
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "h", "namespace": field.namespace},
        "spec": {"scaleTargetRef": target, "maxReplicas": 3},
    }
    client.plane.create(autoscaler)  # type: ignore[attr-defined]
    with pytest.raises(Invalid, match="autoscaler"):
        client.submit(deployment, flights(field))
    assert client.plane.list("Dataset", namespace=field.namespace) == []


def test_a_dataset_that_is_there_is_waited_for_and_not_tied(client: Client, field: Farm) -> None:
    """By its name; the report tells what is there."""
    client.apply(flights(field)).wait(timeout=_LONG)
    done = client.submit(job(field), ["flights"], timeout=_LONG)
    assert done.runs
    assert done.plan.pins == {}
    assert any("flights is there, on 1 nodes" in note for note in done.notes)


def test_time_that_is_up_leaves_the_hold(client: Client, field: Farm) -> None:
    """The message says what is missing; the same command goes on."""
    with pytest.raises(Timeout, match="is still held"):
        client.submit(job(field), flights(field), timeout=0)
    assert live_job(client)["spec"]["suspend"] is True
    assert client.submit(job(field), flights(field), timeout=_LONG).runs


def test_extras_go_with_the_workload(client: Client, field: Farm, cluster: Cluster) -> None:
    """The real garbage collector takes them away when it is deleted."""

    class Wrapped:
        manifest = job(field)
        extras = ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "core-site"}, "data": {"a": "b"}},)

    assert client.submit(Wrapped(), flights(field), timeout=_LONG).runs
    extra = Ref("v1/ConfigMap", "core-site", field.namespace)
    assert client.plane.get(extra)["metadata"]["ownerReferences"][0]["name"] == "train"
    client.plane.delete(Ref("batch/v1/Job", "train", field.namespace))
    path = f"/api/v1/namespaces/{field.namespace}/configmaps"

    def is_gone() -> bool:
        return all(each["metadata"]["name"] != "core-site" for each in cluster.api.get(path)["items"])

    eventually(is_gone, seconds=60)


def test_the_example_submits_a_job(client: Client, field: Farm, cluster: Cluster, tmp_path: Path) -> None:
    """As a program, with a context that names the cluster."""
    config = tmp_path / "config.toml"
    config.write_text(f'[contexts.test]\nplane = "kubernetes"\nkubeconfig = "{cluster.kubeconfig}"\n')
    environ = {**os.environ, "DATAFLUID_CONFIG": str(config), "DATAFLUID_CONTEXT": "test"}
    example = Path(__file__).parents[2] / "examples" / "submit_job.py"
    command = [sys.executable, str(example), field.namespace]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert "Job" in done.stdout.splitlines()[-1]
    assert runs(live_job(client, "count"))
    spec = live_job(client, "count")["spec"]["template"]["spec"]
    assert spec["containers"][0]["volumeMounts"][0]["mountPath"] == "/data"
