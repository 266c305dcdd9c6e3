"""The roles that ``datafluid rbac`` prints are enough, and nothing in them is superfluous."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import datafluid
from datafluid.diagnosis import collect
from datafluid.errors import Forbidden
from datafluid.model.rbac import PURPOSES, Purpose, roles
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import ControlPlane
from datafluid.testing import ClusterContract
from datafluid.testing.contract import NAMESPACE, runtime
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import dataset
from tests.cluster.processes import eventually
from tests.cluster.room import empty_room, make_room

_COUNTER = itertools.count()
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
TESTS: dict[str, Callable[[Any], None]] = {
    name: getattr(ClusterContract(), name) for name in dir(ClusterContract) if name.startswith("test_")
}
#: Words in the names of the tests of what a purpose is not for.
NOT_FOR: Mapping[Purpose, tuple[str, ...]] = {
    "airflow": ("configmap", "job", "its_kinds"),
    "kfp": ("configmap", "job", "its_kinds", "delet", "scale", "goes_on", "of_one_object"),
    "notebook": (),
    "reader": ("configmap", "job"),
}
#: Those that are used for all that a plane does; submitting has a test of its own.
GENERAL = [purpose for purpose in PURPOSES if purpose != "submit"]


CLAIM = Ref("v1/PersistentVolumeClaim", "somebodys", NAMESPACE)
CRON = Ref("batch/v1/CronJob", "nightly-loader-job", NAMESPACE)
Probe = Callable[[Any], object]


def probes(cluster: Cluster, purpose: Purpose) -> list[Probe]:
    """What a purpose does beyond the suite: waiting looks at claims, schedules are CronJobs, their runs are Jobs."""
    admin = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}
    specs: dict[Ref, dict[str, Any]] = {
        CLAIM: {"accessModes": ["ReadOnlyMany"], "resources": {"requests": {"storage": "1Gi"}}},
        CRON: {"schedule": "0 3 * * *", "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }
    found: list[Probe] = [lambda plane: plane.list("batch/v1/Job", namespace=NAMESPACE)]
    for ref, spec in specs.items():
        metadata = {"name": ref.name, "namespace": NAMESPACE}
        made = admin.apply(
            {"apiVersion": ref.api_version, "kind": ref.bare_kind, "metadata": metadata, "spec": spec}, adopt=True
        )
        since = made["metadata"]["resourceVersion"]
        admin.patch(ref, {"metadata": {"labels": {"turn": f"turn-{next(_COUNTER)}"}}})  # what a watch hears at once
        found += [
            lambda plane, ref=ref: plane.get(ref),
            lambda plane, ref=ref: plane.list(ref.kind, namespace=NAMESPACE),
            lambda plane, ref=ref, since=since: next(
                plane.watch(ref.kind, namespace=NAMESPACE, name=ref.name, since=since, timeout=60)
            ),
        ]
    if purpose != "reader":
        found.append(lambda plane: plane.patch(CRON, {"spec": {"schedule": "0 4 * * *"}}))
    return found


class Looking:
    """A plane that somebody else changes: the administrator writes, the reader looks."""

    def __init__(self, admin: ControlPlane, reader: ControlPlane) -> None:
        self._admin, self._reader = admin, reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader if name in ("get", "list", "watch", "events", "nodes") else self._admin, name)


class Granter:
    """Makes planes that may do what some roles say."""

    def __init__(self, cluster: Cluster, directory: Path) -> None:
        self._cluster = cluster
        self._directory = directory
        self._admin = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))

    def plane(self, granted: list[dict[str, Any]], purpose: Purpose) -> Any:
        """The plane as somebody with these roles, in the namespaces that the suite looks at."""
        api, name = self._cluster.api, f"somebody-{next(_COUNTER)}"
        token = self._cluster.service_account(NAMESPACE, name)
        subject = {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
        for role in granted:
            for namespace in _places(role):
                base = f"{_RBAC}/namespaces/{namespace}" if namespace else _RBAC
                kind = role["kind"].lower()
                reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": f"{name}-x"}
                api.post(f"{base}/{kind}s", {"metadata": {"name": f"{name}-x"}, "rules": role["rules"]})
                binding = {"metadata": {"name": f"{name}-x"}, "roleRef": reference, "subjects": [subject]}
                api.post(f"{base}/{kind}bindings", binding)
                eventually(lambda n=namespace, r=role: self._is_in_force(name, n, r))  # type: ignore[misc]
        path = self._cluster.api.write_kubeconfig(self._directory / name, token=token)
        plane = KubernetesPlane(kubeconfig=str(path))
        return Looking(self._admin, plane) if purpose == "reader" else plane

    def _is_in_force(self, name: str, namespace: str, role: Mapping[str, Any]) -> bool:
        rule = next((rule for rule in role["rules"] if rule["verbs"]), None)
        if rule is None:
            return True
        resource, _, subresource = rule["resources"][0].partition("/")
        asked = {
            "namespace": namespace,
            "group": rule["apiGroups"][0],
            "resource": resource,
            "subresource": subresource,
            "verb": rule["verbs"][0],
        }
        body = {"spec": {"user": f"system:serviceaccount:{NAMESPACE}:{name}", "resourceAttributes": asked}}
        answer = self._cluster.api.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
        return bool(answer["status"]["allowed"])


def _places(role: Mapping[str, Any]) -> tuple[str, ...]:
    """Where a role is given: what is for the suite's namespace also in the other one that it looks at."""
    namespace = role["metadata"].get("namespace", "")
    return (NAMESPACE, "elsewhere") if namespace == NAMESPACE else (namespace,)


@pytest.fixture
def granter(cluster: Cluster, tmp_path: Path) -> Iterator[Granter]:
    """With the room of the conformance suite, empty."""
    make_room(cluster)
    make_room(cluster, "elsewhere")
    yield Granter(cluster, tmp_path)
    empty_room(cluster)


def is_for(purpose: Purpose, test: str) -> bool:
    """Whether a purpose must pass a test of the suite."""
    return not any(word in test for word in NOT_FOR[purpose])


@pytest.mark.parametrize("purpose", GENERAL)
def test_the_suite_passes_under_exactly_that_role(cluster: Cluster, granter: Granter, purpose: Purpose) -> None:
    """And what a purpose is not for is forbidden."""
    plane = granter.plane(roles(purpose, namespace=NAMESPACE, cluster=True), purpose)
    for name, test in TESTS.items():
        if is_for(purpose, name):
            test(plane)
        else:
            with pytest.raises(Forbidden):
                test(plane)
        empty_room(cluster)


@pytest.mark.parametrize("purpose", GENERAL)
def test_without_any_one_rule_the_suite_fails(cluster: Cluster, granter: Granter, purpose: Purpose) -> None:
    """No verb of any rule is superfluous."""
    (role,) = roles(purpose, namespace=NAMESPACE)
    asks = probes(cluster, purpose)
    for less in without_one(role):
        plane = granter.plane([less], purpose)
        assert refuses_a_probe(plane, asks) or first_forbidden(cluster, plane, purpose), less["rules"]
    assert not refuses_a_probe(granter.plane([role], purpose), asks)


def first_forbidden(cluster: Cluster, plane: Any, purpose: Purpose) -> str | None:
    """The first test of the suite that somebody may not pass."""
    for name, test in TESTS.items():
        if is_for(purpose, name) and name != "test_there_is_a_node":
            try:
                test(plane)
            except Forbidden:
                return name
            finally:
                empty_room(cluster)
    return None


def refuses_a_probe(plane: Any, asks: list[Probe]) -> bool:
    """Whether somebody may not do one of these."""
    for ask in asks:
        try:
            ask(plane)
        except Forbidden:
            return True
    return False


def without_one(role: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The role, each time without one verb of one rule."""
    for number, rule in enumerate(role["rules"]):
        for verb in rule["verbs"]:
            less = {**rule, "verbs": [each for each in rule["verbs"] if each != verb]}
            rules = [*role["rules"][:number], *([less] if less["verbs"] else []), *role["rules"][number + 1 :]]
            yield {**role, "rules": rules}


def test_the_cluster_role_is_what_has_no_namespace(cluster: Cluster, granter: Granter) -> None:
    """With it nodes, volumes and profiles are seen; without it they are not."""
    asks: list[Callable[[Any], object]] = [
        lambda plane: plane.nodes(),
        lambda plane: plane.list("v1/PersistentVolume"),
        lambda plane: plane.list("ThinRuntimeProfile"),
        lambda plane: plane.list("CacheRuntimeClass"),
    ]
    allowed = granter.plane(roles("airflow", namespace=NAMESPACE, cluster=True), "airflow")
    refused = granter.plane(roles("airflow", namespace=NAMESPACE), "airflow")
    for ask in asks:
        ask(allowed)
        with pytest.raises(Forbidden, match="ClusterRole must grant"):
            ask(refused)


def test_a_diagnosis_sees_all_that_needs_no_secrets(cluster: Cluster, granter: Granter) -> None:
    """With the rules for it nothing but Secrets is unknown; without any one of them more is."""
    KubernetesPlane(kubeconfig=str(cluster.kubeconfig)).apply(dataset("demo", NAMESPACE))
    ref = Ref("Dataset", "demo", NAMESPACE)
    plain = roles("notebook", namespace=NAMESPACE, cluster=True)
    granted = roles("notebook", namespace=NAMESPACE, cluster=True, diagnose=True)
    fully = set(collect(granter.plane(granted, "notebook"), ref).unknown)
    assert fully <= {"apps/v1/Deployment", "v1/Secret"}
    for number, role in enumerate(granted):
        for rule in [each for each in role["rules"] if each not in plain[number]["rules"]]:
            less = {**role, "rules": [each for each in role["rules"] if each != rule]}
            others = [each for each in granted if each is not role]
            assert set(collect(granter.plane([*others, less], "notebook"), ref).unknown) > fully, rule


def test_a_notebook_submits_under_its_role(cluster: Cluster, granter: Granter) -> None:
    """A job with a dataset: planned with what the ClusterRole lets it see, created, held."""
    plane = granter.plane(roles("notebook", namespace=NAMESPACE, cluster=True), "notebook")
    client = datafluid.Client(plane, datafluid.Context(name="test", plane="kubernetes", namespace=NAMESPACE))
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "none"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": NAMESPACE},
        "spec": {"template": {"spec": pod}},
    }
    client.submit(job, datasets=[dataset("demo", NAMESPACE), runtime("demo")], detach=True)
    assert plane.get(Ref("batch/v1/Job", "train", NAMESPACE))["spec"]["suspend"] is True
    assert plane.get(Ref("Dataset", "demo", NAMESPACE))


def test_no_rule_reads_secrets() -> None:
    """Whoever may list them may read their values."""
    for purpose in PURPOSES:
        for role in roles(purpose, cluster=True, diagnose=True):
            assert not any("secrets" in rule["resources"] or "*" in rule["resources"] for rule in role["rules"])
