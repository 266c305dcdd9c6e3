"""The control plane that the other tests stand on is a real one, and can be broken on request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.api import Refused
from tests.cluster.binaries import PROGRAMS, find
from tests.cluster.controlplane import Cluster, serve_cluster
from tests.cluster.processes import eventually

DATASETS = "/apis/data.fluid.io/v1alpha1/namespaces/{}/datasets"


def test_pods_are_scheduled_to_ready_nodes(cluster: Cluster) -> None:
    """A real scheduler binds a pod to a node that tests made ready."""
    node, namespace = cluster.node("ready-node", labels={"only": "here"}), cluster.namespace()
    pod = {
        "metadata": {"name": "pod"},
        "spec": {"nodeSelector": {"only": "here"}, "containers": [{"name": "c", "image": "none"}]},
    }
    path = f"/api/v1/namespaces/{namespace}/pods"
    cluster.api.post(path, pod)
    eventually(lambda: cluster.api.get(f"{path}/pod")["spec"].get("nodeName") == node)


def test_fluids_objects_survive_a_restart_of_the_api_server(cluster: Cluster) -> None:
    """What was stored is there again, at the same address."""
    path = DATASETS.format(cluster.namespace())
    cluster.api.post(path, {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {"name": "kept"}})
    cluster.api_server.kill()
    with pytest.raises(OSError):
        cluster.api.get(path)
    cluster.start_api_server()
    assert [each["metadata"]["name"] for each in cluster.api.get(path)["items"]] == ["kept"]


def test_a_service_account_may_do_what_its_rules_say(cluster: Cluster) -> None:
    """And nothing else: RBAC is real."""
    namespace = cluster.namespace()
    rules = [{"apiGroups": ["data.fluid.io"], "resources": ["datasets"], "verbs": ["list"]}]
    token = cluster.service_account(namespace, "reader", rules)
    path = DATASETS.format(namespace)
    assert cluster.api.request("GET", path, token=token)["items"] == []
    with pytest.raises(Refused, match="403"):
        cluster.api.request("GET", f"{path}/x", token=token)


def test_the_audit_log_has_every_request(cluster: Cluster) -> None:
    """Also one that goes on, by who asked."""
    namespace = cluster.namespace()
    path = DATASETS.format(namespace)
    cluster.api.get(path)
    (asked,) = [each for each in cluster.asked(user="admin") if each.path == path]
    assert asked.verb == "list"


def test_a_cluster_of_the_users_is_used_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    """``DATAFLUID_TEST_KUBECONFIG`` names it; it cannot be killed."""
    environ = {"DATAFLUID_TEST_KUBECONFIG": str(cluster.kubeconfig)}
    with serve_cluster(tmp_path, environ=environ) as other:
        assert other.api == cluster.api
        assert not other.is_own


def test_programs_that_are_there_come_first(tmp_path: Path) -> None:
    """``KUBEBUILDER_ASSETS``, when it has all of them."""
    for name in PROGRAMS:
        (tmp_path / name).touch(mode=0o755)
    assert find({"KUBEBUILDER_ASSETS": str(tmp_path)}) == tmp_path
    (tmp_path / "etcd").unlink()
    assert find({"KUBEBUILDER_ASSETS": str(tmp_path)}) != tmp_path


def test_without_programs_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The skip's text names the make target."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="make setup-cluster"), serve_cluster(tmp_path, environ={}):
        pass


def test_the_pins_are_complete() -> None:
    """Every staging module of Kubernetes is pinned to the release: a build resolves nothing by itself."""
    text = (Path(__file__).parents[2] / "tools" / "controlplane" / "go.mod").read_text()
    assert text.count("=> k8s.io/") == 33
