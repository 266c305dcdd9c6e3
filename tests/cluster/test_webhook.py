"""Pods that are really created go through the webhook: what the preview says is what the API server stores."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from datafluid import Topology, wrap
from datafluid.cli.app import app
from datafluid.placement import NodeAffinity
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.webhook_facts import read_webhook_facts
from datafluid.workload.webhook import preview_webhook
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster
from tests.cluster.webhook import Webhook, serve_webhook
from tests.workload.webhook.world import SERVERFUL, SERVERLESS, around, pod


class Stage:
    """A namespace with a webhook of its own."""

    def __init__(self, cluster: Cluster, namespace: str, webhook: Webhook) -> None:
        self.cluster, self.namespace, self.webhook = cluster, namespace, webhook
        self.plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))

    def declare(self, *names: str, without: str = "", **settings: Any) -> None:
        """Bound datasets with all that belongs to them, without objects of one kind."""
        for each in around(*names, namespace=self.namespace, **settings):
            if each["kind"] == without:
                continue
            self.plane.create({key: value for key, value in each.items() if key != "status"})
            if each["kind"] in ("Dataset", "AlluxioRuntime"):
                path = f"/apis/data.fluid.io/v1alpha1/namespaces/{self.namespace}/{each['kind'].lower()}s"
                self.cluster.api.patch(f"{path}/{each['metadata']['name']}/status", {"status": each["status"]})

    def pod(self, *claims: str, **settings: Any) -> dict[str, Any]:
        """A pod of this namespace."""
        made = pod(*claims, **settings)
        made["metadata"]["namespace"] = self.namespace
        return made

    def create(self, made: dict[str, Any]) -> dict[str, Any]:
        """The pod as the API server stores it."""
        stored: dict[str, Any] = self.cluster.api.post(f"/api/v1/namespaces/{self.namespace}/pods", made)
        return stored

    def previewed(self, made: dict[str, Any]) -> dict[str, Any]:
        """The pod as the preview has it, from what is in the cluster."""
        facts = read_webhook_facts(self.plane, [self.namespace])
        found = preview_webhook(made, namespace=self.namespace, objects=facts.objects).pod
        assert found is not None
        return found


@pytest.fixture
def stage(cluster: Cluster, tmp_path: Path) -> Iterator[Stage]:
    namespace = cluster.namespace("webhook")
    with serve_webhook(cluster, namespace, tmp_path) as webhook:
        yield Stage(cluster, namespace, webhook)


def test_a_pod_is_stored_as_it_was_previewed(stage: Stage) -> None:
    """Affinity, mount propagation and annotation: the API server takes and keeps them."""
    stage.declare("flights", zone="a")
    made = stage.pod("flights")
    expected, stored = stage.previewed(made), stage.create(made)
    assert stored["spec"]["affinity"] == expected["spec"]["affinity"]
    assert (
        stored["metadata"]["annotations"]
        == expected["metadata"]["annotations"]
        == {"fluid.io/datasets-in-use": "flights"}
    )
    mount = stored["spec"]["containers"][0]["volumeMounts"][0]
    assert mount["mountPropagation"] == "HostToContainer"


@pytest.mark.parametrize("phase", ["NotBound", ""])
def test_a_denied_pod_is_not_there(stage: Stage, phase: str) -> None:
    """The server answers 500 with the webhook's words, and stores nothing."""
    stage.declare("flights", phase=phase)
    with pytest.raises(Refused, match="not bound") as caught:
        stage.create(stage.pod("flights"))
    assert caught.value.code == 500
    stored = stage.cluster.api.get(f"/api/v1/namespaces/{stage.namespace}/pods")["items"]
    owned = [each for each in stored if "ownerReferences" in each["metadata"]]  # the DaemonSet's, where there are nodes
    assert stored == owned


def test_a_swallowed_error_lets_the_pod_through(stage: Stage) -> None:
    """The pod is stored with its claim, and only the webhook knows why."""
    stage.declare("flights", without="DaemonSet")
    stored = stage.create(stage.pod("flights", labels={SERVERLESS: "true"}))
    assert stored["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"] == "flights"
    assert 'daemonsets.apps "flights-fuse" not found' in stage.webhook.calls[-1].answer.ignored


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"cachedir.sidecar.fluid.io/inject": "true"},
        {"unprivileged.sidecar.fluid.io/inject": "true"},
        {"app.poststart.fluid.io/inject": "true"},
    ],
    ids=["plain", "caches", "unprivileged", "waiting"],
)
@pytest.mark.parametrize("mode", ["default", "native-sidecar"])
def test_a_pod_with_sidecars_is_one_that_kubernetes_takes(stage: Stage, more: dict[str, str], mode: str) -> None:
    """Names, volumes and mounts are valid: strictly validated, and stored."""
    stage.declare("flights", "taxis")
    stage.webhook.env = {"FUSE_SIDECAR_INJECTION_MODE": mode}
    stored = stage.create(stage.pod("flights", "taxis", labels={SERVERLESS: "true", **more}))
    where = "initContainers" if mode == "native-sidecar" else "containers"
    names = [each["name"] for each in stored["spec"][where]]
    assert names[:2] == ["fluid-fuse-1", "fluid-fuse-0"]
    assert stored["metadata"]["labels"]["done.sidecar.fluid.io/inject"] == "true"
    assert not any("persistentVolumeClaim" in each for each in stored["spec"]["volumes"])


def test_names_that_are_made_up_are_valid(stage: Stage) -> None:
    """Also where volumes collide and host paths are to be unique."""
    stage.declare("flights")
    made = stage.pod("flights", labels={SERVERLESS: "true"})
    made["metadata"]["annotations"] = {"default.fuse-sidecar.fluid.io/host-mount-path-mode": "random-suffix"}
    taken = [{"name": name, "emptyDir": {}} for name in ("alluxio-fuse-mount-0", "fluid-o-fuse-mount-0")]
    made["spec"]["volumes"] += taken
    stored = stage.create(made)
    assert "fluid-000-se-mount-0" in [each["name"] for each in stored["spec"]["volumes"]]


def test_other_pods_never_reach_it(stage: Stage) -> None:
    """Without a label the webhook is not called; its absence cannot hurt."""
    stored = stage.create(stage.pod("nothing", labels={"app": "a"}))
    assert "affinity" not in stored["spec"]
    assert stage.webhook.calls == []


def test_a_dry_run_is_a_preview_too(stage: Stage) -> None:
    """``dryRun=All`` answers with the same pod, where there is a webhook to ask."""
    stage.declare("flights")
    made = stage.pod("flights")
    path = f"/api/v1/namespaces/{stage.namespace}/pods"
    dry = stage.cluster.api.post(path, made, dryRun="All")
    assert dry["spec"]["affinity"] == stage.previewed(made)["spec"]["affinity"]


def test_a_webhook_that_is_down_stops_labelled_pods_only(cluster: Cluster, tmp_path: Path) -> None:
    """failurePolicy Fail: the server answers 500, and pods without the label are created."""
    namespace = cluster.namespace("webhook")
    with serve_webhook(cluster, namespace, tmp_path) as webhook:
        webhook.profile = {"plugins": {"serverful": {"withDataset": ["NoSuchPlugin"]}}}  # it answers nothing at all
        stage = Stage(cluster, namespace, webhook)
        with pytest.raises(Refused, match="failed calling webhook") as caught:
            stage.create(stage.pod("flights"))
        assert caught.value.code == 500
        assert stage.create(stage.pod("flights", labels={"app": "a"}))


def test_what_wrap_requires_survives_the_webhook(stage: Stage) -> None:
    """Two required datasets, a pinned zone and a label for the webhook: the stored pod still asks for both."""
    stage.declare("flights", "taxis", zone="a")
    objects = read_webhook_facts(stage.plane, [stage.namespace]).objects
    made = stage.pod(labels={SERVERFUL: "true"}, nodeSelector={"topology.kubernetes.io/zone": "a"})
    uses = [f"{stage.namespace}/{name},locality=require" for name in ("flights", "taxis")]
    wrapped = wrap(made, uses, topology=Topology.of(objects, namespace=stage.namespace)).manifest
    asks = NodeAffinity.of(stage.create(wrapped)["spec"])
    node = {f"fluid.io/s-{stage.namespace}-{name}": "true" for name in ("flights", "taxis")}
    zone = {"topology.kubernetes.io/zone": "a"}
    assert asks.matches(node | zone)
    assert not asks.matches(zone)
    for missing in node:
        assert not asks.matches({key: value for key, value in (node | zone).items() if key != missing})


def test_the_command_asks_the_cluster(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``datafluid preview`` with nothing but a context shows the pod that is then created."""
    stage.declare("flights")
    made = stage.pod("flights")
    file = tmp_path / "pod.yaml"
    file.write_text(yaml.safe_dump(made), encoding="utf-8")
    monkeypatch.setenv("KUBECONFIG", str(stage.cluster.kubeconfig))
    (context,) = [each["name"] for each in yaml.safe_load(stage.cluster.kubeconfig.read_text())["contexts"]]
    result = CliRunner().invoke(app, ["preview", str(file), "--context", context])
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(result.stdout)["spec"]["affinity"] == stage.create(made)["spec"]["affinity"]
