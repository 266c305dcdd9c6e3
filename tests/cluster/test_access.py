"""How a cluster is reached: kubeconfig contexts, plugins that hand out tokens, expiry, a pod's own account."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import datafluid
from datafluid.errors import Forbidden, Invalid, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.aio import async_twin
from datafluid.plane.kubernetes import KubernetesPlane, access
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import dataset
from tests.cluster.processes import free_ports

PLUGIN = """
import json, pathlib
token = pathlib.Path({file!r}).read_text()
calls = pathlib.Path({file!r} + ".calls")
calls.write_text(str(int(calls.read_text()) + 1 if calls.exists() else 1))
status = {{"token": token}}
print(json.dumps({{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}}))
"""


class Plugin:
    """A kubeconfig whose user gets a token from a program, which reads it from a file."""

    def __init__(self, cluster: Cluster, directory: Path, token: str) -> None:
        self._file = directory / "token"
        self.gives(token)
        program = directory / "plugin.py"
        program.write_text(PLUGIN.format(file=str(self._file)))
        config = yaml.safe_load(cluster.kubeconfig.read_text())
        config["users"][0]["user"] = {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": sys.executable,
                "args": [str(program)],
                "interactiveMode": "Never",
            }
        }
        self.kubeconfig = directory / "plugin-config"
        self.kubeconfig.write_text(yaml.safe_dump(config))

    def gives(self, token: str) -> None:
        """From now on it hands out this token."""
        self._file.write_text(token)

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return int(Path(f"{self._file}.calls").read_text())


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_plugin_hands_out_the_token(cluster: Cluster, namespace: str, tmp_path: Path, asynchronous: bool) -> None:
    """It is asked once, not for each request."""
    plugin = Plugin(cluster, tmp_path, cluster.api.token)
    plane: Any = KubernetesPlane(kubeconfig=str(plugin.kubeconfig))
    for _ in range(3):
        found = plane.list("Dataset", namespace=namespace)
        if asynchronous:
            found = asyncio.run(async_twin(plane).list("Dataset", namespace=namespace))
        assert found == []
    assert plugin.calls <= (4 if asynchronous else 1)


def test_an_expired_token_is_renewed(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """The server refuses what it took before: the plugin is asked again, and the caller notices nothing."""
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    plane.apply(dataset("demo", namespace))
    ref = Ref("Dataset", "demo", namespace)
    first = cluster.add_token("short-lived", "system:masters")
    second = cluster.add_token("short-lived", "system:masters")
    cluster.restart_api_server()
    plugin = Plugin(cluster, tmp_path, first)
    expiring = KubernetesPlane(kubeconfig=str(plugin.kubeconfig))
    assert expiring.get(ref)
    watching = expiring.watch("Dataset", namespace=namespace, timeout=60)
    assert next(watching).object["metadata"]["name"] == "demo"
    cluster.forget_token(first)
    plugin.gives(second)
    cluster.restart_api_server()
    plane.apply(dataset("later", namespace))
    assert next(event for event in watching if event.type == "ADDED").object["metadata"]["name"] == "later"
    assert asyncio.run(async_twin(expiring).get(ref))
    assert expiring.get(ref)
    cluster.forget_token(second)
    cluster.restart_api_server()
    with pytest.raises(Forbidden, match="does not accept the credentials"):
        expiring.get(ref)


def test_a_pod_uses_its_own_account(
    cluster: Cluster, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside a pod the cluster is the context when nothing else is named, and the pod's namespace is the namespace."""
    from kubernetes.config import incluster_config

    rules = [{"apiGroups": ["data.fluid.io"], "resources": ["datasets"], "verbs": ["list"]}]
    files = {"token": cluster.service_account(namespace, "pod", rules), "ca.crt": cluster.api.authority}
    for name, text in {**files, "namespace": namespace}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(access, "_ACCOUNT", tmp_path)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    host, _, port = cluster.api.server.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    client = datafluid.connect()
    assert (client.context.name, client.context.namespace) == ("in-cluster", namespace)
    assert client.datasets(namespace=namespace) == []
    with pytest.raises(Forbidden):
        client.list("AlluxioRuntime", namespace=namespace)
    assert datafluid.connect("embedded").context.plane == "embedded"


def test_several_contexts_of_one_kubeconfig(cluster: Cluster, tmp_path: Path) -> None:
    """Each has its own namespace and its own user; the current one is used when none is named."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["users"].append({"name": "nobody", "user": {"token": "nonsense"}})
    config["contexts"].append({"name": "other", "context": {"cluster": "test", "user": "nobody", "namespace": "team"}})
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    assert KubernetesPlane(kubeconfig=str(path)).list("Dataset") is not None
    with pytest.raises(Forbidden):
        KubernetesPlane(kubeconfig=str(path), context="other").list("Dataset")
    known = access.kube_contexts(str(path))
    assert {name: each.namespace for name, each in known.items()} == {"test": "default", "other": "team"}
    assert known["test"].is_current


def test_a_forked_child_has_connections_of_its_own(cluster: Cluster, namespace: str) -> None:
    """It reads what its parent reads, and the parent's own connection still works."""
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    plane.apply(dataset("demo", namespace))
    child = multiprocessing.get_context("fork").Process(target=_leave_with, args=(plane, namespace))
    child.start()
    for _ in range(20):
        assert plane.get(Ref("Dataset", "demo", namespace))
    child.join(60)
    assert child.exitcode == 0


def _leave_with(plane: KubernetesPlane, namespace: str) -> None:
    names = {plane.get(Ref("Dataset", "demo", namespace))["metadata"]["name"] for _ in range(20)}
    sys.exit(names != {"demo"})


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "kubeconfig"), ("nonsense: [", "kubeconfig"), ("kind: Config\n", "kubeconfig")],
    ids=["missing", "no yaml", "empty"],
)
def test_a_kubeconfig_that_is_none_is_said_to_be(text: str | None, words: str, tmp_path: Path) -> None:
    """Invalid, not a trace out of a library."""
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)
    plane = KubernetesPlane(kubeconfig=str(path))
    with pytest.raises(Invalid, match=words):
        plane.list("Dataset")


def test_a_context_that_is_not_there_is_said_to_be(cluster: Cluster) -> None:
    """With the file's name."""
    with pytest.raises(Invalid, match="nowhere"):
        KubernetesPlane(kubeconfig=str(cluster.kubeconfig), context="nowhere").list("Dataset")


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_server_that_cannot_be_trusted_is_not_asked_again(
    cluster: Cluster, tmp_path: Path, asynchronous: bool
) -> None:
    """Its certificate is not one of those that are known: no token is sent, and it is said what is wrong."""
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    del config["clusters"][0]["cluster"]["certificate-authority-data"]
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    plane: Any = KubernetesPlane(kubeconfig=str(tmp_path / "config"))
    before = len(cluster.asked(agent="datafluid"))
    with pytest.raises(Invalid, match="cannot be trusted"):
        asyncio.run(async_twin(plane).nodes()) if asynchronous else plane.nodes()
    assert len(cluster.asked(agent="datafluid")) == before


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_a_server_that_is_not_there_is_unavailable(cluster: Cluster, tmp_path: Path, asynchronous: bool) -> None:
    """After some attempts, with its address; a ConnectionError too."""
    address = f"http://127.0.0.1:{free_ports(1)[0]}"
    plane: Any = KubernetesPlane(kubeconfig=str(cluster.api.write_kubeconfig(tmp_path / "gone", server=address)))
    with pytest.raises(Unavailable, match="cannot be reached") as caught:
        asyncio.run(async_twin(plane).nodes()) if asynchronous else plane.nodes()
    assert isinstance(caught.value, ConnectionError)
    assert address in str(caught.value)
    assert " at 0x" not in str(caught.value)
