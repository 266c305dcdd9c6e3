"""A real Kubernetes control plane on loopback, in a few seconds: for tests and benchmarks.

    with serve_cluster(directory) as cluster:
        cluster.install_crds()
        namespace = cluster.namespace()
        client = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))

There is no kubelet: nodes are objects that `Cluster.node` makes ready, and pods are scheduled but nobody runs them.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.cluster.api import Api, Refused
from tests.cluster.binaries import MISSING, find
from tests.cluster.processes import Process, eventually
from tests.cluster.programs import Programs

__all__ = ["Asked", "Cluster", "cluster_or_skip", "serve_cluster"]

_COUNTER = itertools.count()
_NODE = {"cpu": "8", "memory": "32Gi", "pods": "110", "ephemeral-storage": "100Gi"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request in the audit log. ``verb`` as RBAC has it; ``agent`` is the client's User-Agent."""

    verb: str
    path: str
    user: str
    agent: str


class Cluster:
    """A control plane under the test's command.

    Args:
        programs: Its processes; None for a cluster that somebody else runs; a test that needs them is skipped then.
        api: How tests talk to it.
        kubeconfig: The administrator's.
    """

    def __init__(self, programs: Programs | None, api: Api, kubeconfig: Path) -> None:
        self.api = api
        self.kubeconfig = kubeconfig
        self._programs = programs
        self._crds: dict[str, Mapping[str, Any]] = {}  # by name

    @property
    def is_own(self) -> bool:
        """Whether it can be killed, and its audit log read."""
        return self._programs is not None

    # -- the API server's life

    @property
    def api_server(self) -> Process:
        """The API server's process: `Process.kill` it and `start_api_server` again."""
        return self._own.api_server

    def start_api_server(self) -> None:
        """Start the API server again at the same address, and wait until it is ready."""
        self.api_server.start()
        self._own.wait_until_ready(self.api)
        self._own.restart_controllers()
        self._wait_until_served(self._crds.values())

    def restart_api_server(self) -> None:
        """Kill the API server and start it again."""
        self.api_server.kill()
        self.start_api_server()

    def add_token(self, user: str, *groups: str) -> str:
        """A token for a user. The API server knows it from its next start on; see `service_account` for one at once."""
        return self._own.add_token(user, *groups)

    def forget_token(self, token: str) -> None:
        """The API server refuses this token from its next start on."""
        self._own.forget_token(token)

    def asked(self, *, agent: str = "", user: str = "") -> list[Asked]:
        """The requests so far, oldest first: those whose User-Agent or user has these words in it."""
        lines = self._own.audit_log.read_text().splitlines()
        found = [_asked(json.loads(line)) for line in lines if line.endswith("}")]
        return [each for each in found if agent in each.agent and user in each.user]

    # -- what tests put into it

    def namespace(self, name: str = "test", **labels: str) -> str:
        """A new namespace with a name of its own, which is returned."""
        unique = f"{name}-{os.getpid()}-{next(_COUNTER)}-{uuid4().hex[:6]}"
        self.api.post("/api/v1/namespaces", {"metadata": {"name": unique, "labels": labels}})
        return unique

    def install_crds(self, crds: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Install CustomResourceDefinitions, those of ``datafluid crds`` by default, and wait until they are served."""
        if crds is None:
            from datafluid.model.crds import generate

            crds = generate()
        base = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        for crd in crds:
            path = f"{base}/{crd['metadata']['name']}"
            body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **crd}
            self.api.request(
                "PATCH", path, body, content_type="application/apply-patch+yaml", fieldManager="tests", force="true"
            )
            self._crds[crd["metadata"]["name"]] = crd
        self._wait_until_served(crds)

    def node(
        self, name: str, *, labels: Mapping[str, str] | None = None, capacity: Mapping[str, str] | None = None
    ) -> str:
        """A node that is ready and can be scheduled to; its name is returned."""
        every = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", **(labels or {})}
        room = {**_NODE, **(capacity or {})}
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
        }
        path = f"/api/v1/nodes/{name}"
        self.api.post("/api/v1/nodes", {"metadata": {"name": name, "labels": every}})
        self.api.patch(f"{path}/status", {"status": {"capacity": room, "allocatable": room, "conditions": [ready]}})
        # A node without a kubelet keeps the taint that it was born with.
        eventually(lambda: bool(self.api.get(path)["spec"].get("taints")) or not self.is_own, seconds=5)
        self.api.patch(path, {"spec": {"taints": None}})
        return name

    def service_account(self, namespace: str, name: str, rules: Sequence[Mapping[str, Any]] = ()) -> str:
        """A service account with a Role of these rules; returns a token for it that works at once."""
        base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
        group = "rbac.authorization.k8s.io"
        self.api.post(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": name}})
        self.api.post(f"{base}/roles", {"metadata": {"name": name}, "rules": list(rules)})
        binding = {
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        }
        self.api.post(f"{base}/rolebindings", binding)
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        token: str = self.api.post(path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]
        return token

    @property
    def _own(self) -> Programs:
        if self._programs is None:
            import pytest

            pytest.skip(
                "needs a control plane of its own: unset DATAFLUID_TEST_KUBECONFIG and run `make setup-cluster`"
            )
        return self._programs

    def _wait_until_served(self, crds: Iterable[Mapping[str, Any]]) -> None:
        for crd in crds:
            eventually(partial(self._is_served, crd))

    def _is_served(self, crd: Mapping[str, Any]) -> bool:
        spec = crd["spec"]
        version = next(each["name"] for each in spec["versions"] if each["served"])
        try:
            self.api.get(f"/apis/{spec['group']}/{version}/{spec['names']['plural']}", limit=1)
        except Refused as error:
            if error.code in (404, 429, 503):
                return False
            raise
        return True


@contextmanager
def serve_cluster(directory: Path, *, environ: Mapping[str, str] = os.environ) -> Iterator[Cluster]:
    """A control plane until the block ends: the user's own, or one on loopback.

    Args:
        directory: For its certificates, logs and data.
        environ: Where ``DATAFLUID_TEST_KUBECONFIG`` and ``KUBEBUILDER_ASSETS`` are looked for.

    Raises:
        FileNotFoundError: there is none; the message says what to install.
    """
    if named := environ.get("DATAFLUID_TEST_KUBECONFIG"):
        yield Cluster(None, _api_of(Path(named)), Path(named))
        return
    binaries = find(environ)
    if binaries is None:
        raise FileNotFoundError(MISSING)
    programs = Programs(binaries, directory)
    try:
        api = programs.start()
        yield Cluster(programs, api, api.write_kubeconfig(directory / "kubeconfig"))
    finally:
        programs.stop()


@contextmanager
def cluster_or_skip(directory: Path) -> Iterator[Cluster]:
    """`serve_cluster` for fixtures: without a control plane the tests are skipped, and say what to install."""
    import pytest

    with ExitStack() as stack:
        try:
            running = stack.enter_context(serve_cluster(directory))
        except FileNotFoundError as missing:
            pytest.skip(str(missing))
        yield running


def _api_of(kubeconfig: Path) -> Api:
    """How to talk to the cluster of a kubeconfig whose current user has a token."""
    import base64

    import yaml

    config = yaml.safe_load(kubeconfig.read_text())
    named = {kind: {each["name"]: each for each in config[f"{kind}s"]} for kind in ("context", "cluster", "user")}
    context = named["context"][config["current-context"]]["context"]
    place = named["cluster"][context["cluster"]]["cluster"]
    authority = base64.b64decode(place["certificate-authority-data"]).decode()
    return Api(server=place["server"], authority=authority, token=named["user"][context["user"]]["user"]["token"])


def _asked(entry: Mapping[str, Any]) -> Asked:
    return Asked(
        verb=entry["verb"],
        path=entry["requestURI"],
        user=entry["user"]["username"],
        agent=entry.get("userAgent", ""),
    )
