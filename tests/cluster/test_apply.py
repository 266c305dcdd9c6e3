"""Server-side apply against a real API server: its measured corners, each."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafluid.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound, Unsupported
from datafluid.model.documents import parse
from datafluid.model.manifest import dump
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import DATASETS, LOADS, dataset, load

RUNTIMES = "/apis/data.fluid.io/v1alpha1/namespaces/{}/alluxioruntimes"


def runtime(namespace: str, replicas: int) -> dict[str, object]:
    """An AlluxioRuntime with so many workers."""
    level = {"mediumtype": "MEM", "path": "/dev/shm", "quota": "1Gi"}
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "AlluxioRuntime",
        "metadata": {"name": "demo", "namespace": namespace},
        "spec": {"replicas": replicas, "tieredstore": {"levels": [level]}},
    }


def as_kubectl(cluster: Cluster, path: str, body: object) -> None:
    """Change something under another manager's name."""
    cluster.api.request(
        "PATCH", path, body, content_type="application/apply-patch+yaml", fieldManager="kubectl", force="true"
    )


def test_what_we_scaled_we_may_apply(plane: KubernetesPlane, namespace: str) -> None:
    """Our own scale owns the replicas under another operation and subresource; that is no conflict."""
    plane.apply(runtime(namespace, 1))
    ref = Ref("AlluxioRuntime", "demo", namespace)
    assert plane.scale(ref, replicas=4)["spec"]["replicas"] == 4
    assert plane.apply(runtime(namespace, 2))["spec"]["replicas"] == 2


def test_a_field_of_others_is_a_conflict_that_names_both(
    cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """The manager and the field; nothing was changed."""
    as_kubectl(cluster, f"{RUNTIMES.format(namespace)}/demo", runtime(namespace, 3))
    with pytest.raises(Conflict, match=r"'kubectl' owns spec\.replicas"):
        plane.apply(runtime(namespace, 2))
    assert plane.get(Ref("AlluxioRuntime", "demo", namespace))["spec"]["replicas"] == 3


def test_adopting_takes_over_only_what_is_set(cluster: Cluster, plane: KubernetesPlane, namespace: str) -> None:
    """Fields that the manifest does not name stay as they are, and with whom they are."""
    labelled = {**runtime(namespace, 3), "metadata": {"name": "demo", "labels": {"team": "a"}}}
    as_kubectl(cluster, f"{RUNTIMES.format(namespace)}/demo", labelled)
    adopted = plane.apply(runtime(namespace, 2), adopt=True)
    assert adopted["spec"]["replicas"] == 2
    assert adopted["metadata"]["labels"] == {"team": "a"}


def test_our_scale_and_anothers_field_is_still_a_conflict(
    cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """Forcing our own would take the other's too: it is not done."""
    plane.apply(runtime(namespace, 1))
    plane.scale(Ref("AlluxioRuntime", "demo", namespace), replicas=4)
    path = f"{RUNTIMES.format(namespace)}/demo"
    owner = {"gid": 1, "user": "a", "group": "a"}
    as_kubectl(cluster, path, {**runtime(namespace, 4), "spec": {"runAs": {"uid": 1, **owner}}})
    wanted = runtime(namespace, 2)
    wanted["spec"]["runAs"] = {"uid": 2, **owner}  # type: ignore[index]
    with pytest.raises(Conflict, match="kubectl"):
        plane.apply(wanted)
    assert plane.get(Ref("AlluxioRuntime", "demo", namespace))["spec"]["replicas"] == 4


def test_unknown_fields_are_all_named_at_once(plane: KubernetesPlane, cluster: Cluster, namespace: str) -> None:
    """The server's own answer to an apply is a 500 that names the first one; it is not asked again and again."""
    wrong = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "wrong", "namespace": namespace},
        "datas": {},
        "more": {},
    }
    with pytest.raises(Invalid) as caught:
        plane.apply(wrong)
    assert {finding.path for finding in caught.value.findings} == {"datas", "more"}
    asked = [each.verb for each in cluster.asked(agent="datafluid") if namespace in each.path]
    assert asked == ["get", "patch", "create"]  # the create was tried only: dryRun=All
    with pytest.raises(NotFound):
        plane.get(Ref("v1/ConfigMap", "wrong", namespace))


def test_a_value_that_the_servers_schema_refuses_is_invalid(plane: KubernetesPlane, namespace: str) -> None:
    """Each cause is a finding with its path."""
    wrong = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "wrong", "namespace": namespace},
        "spec": {"ports": [{"port": 0}]},
    }
    with pytest.raises(Invalid) as caught:
        plane.create(wrong)
    assert [finding.path for finding in caught.value.findings][:1] == ["spec.ports[0].port"]


def test_what_only_a_server_sets_is_not_sent(plane: KubernetesPlane, namespace: str) -> None:
    """An object as it was read, status and all, can be applied again."""
    plane.apply(dataset("demo", namespace))
    plane.patch(
        Ref("Dataset", "demo", namespace), {"status": {"phase": "Bound", "conditions": []}}, subresource="status"
    )
    read = plane.get(Ref("Dataset", "demo", namespace))
    assert plane.apply({**read, "status": {"phase": "Failed"}})["status"]["phase"] == "Bound"


def test_a_terminating_object_takes_no_change(cluster: Cluster, plane: KubernetesPlane, namespace: str) -> None:
    """The server would say 200, and the change would vanish with the object."""
    plane.create(dataset("demo", namespace, finalizers=["tests.datafluid.io/hold"]))
    plane.delete(Ref("Dataset", "demo", namespace))
    with pytest.raises(Conflict, match=r"being deleted.*tests\.datafluid\.io/hold"):
        plane.apply(dataset("demo", namespace))
    cluster.api.patch(f"{DATASETS.format(namespace)}/demo", {"metadata": {"finalizers": None}})
    assert plane.apply(dataset("demo", namespace))["metadata"]["uid"]


def test_a_finished_operation_is_replaced_only_when_asked(
    cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """The same spec is no change; another one is refused. Asked for, either runs under a new uid."""
    first = plane.apply(load("warm", namespace))
    status = {"phase": "Complete", "conditions": [], "duration": "1s"}
    cluster.api.patch(f"{LOADS.format(namespace)}/warm/status", {"status": status})
    assert plane.apply(load("warm", namespace))["metadata"]["uid"] == first["metadata"]["uid"]
    other = load("warm", namespace, target=[{"path": "/train"}])
    with pytest.raises(Conflict, match="begun already"):
        plane.apply(other)
    assert plane.apply(other, dry_run=True, replace=True)["metadata"]["uid"] == first["metadata"]["uid"]
    replaced = plane.apply(other, replace=True)
    assert replaced["metadata"]["uid"] != first["metadata"]["uid"]
    assert "status" not in replaced
    cluster.api.patch(f"{LOADS.format(namespace)}/warm/status", {"status": {**status, "phase": "Failed"}})
    assert plane.apply(other)["metadata"]["uid"] == replaced["metadata"]["uid"]
    assert plane.apply(other, replace=True)["metadata"]["uid"] != replaced["metadata"]["uid"]


def test_create_wants_nothing_there(plane: KubernetesPlane, namespace: str) -> None:
    """AlreadyExists is a FileExistsError too."""
    plane.create(dataset("demo", namespace))
    with pytest.raises(AlreadyExists):
        plane.create(dataset("demo", namespace))


def test_a_patch_for_an_older_version_is_a_conflict(plane: KubernetesPlane, namespace: str) -> None:
    """With a resourceVersion the change is made only to that version."""
    old = plane.create(dataset("demo", namespace))["metadata"]["resourceVersion"]
    ref = Ref("Dataset", "demo", namespace)
    plane.patch(ref, {"metadata": {"labels": {"a": "b"}}})
    with pytest.raises(Conflict):
        plane.patch(ref, {"metadata": {"labels": {"a": "c"}, "resourceVersion": old}})


def test_no_namespace_is_not_no_object(plane: KubernetesPlane) -> None:
    """The message is about the namespace."""
    with pytest.raises(NotFound, match="no namespace 'nowhere'"):
        plane.apply(dataset("demo", "nowhere"))


def test_kinds_that_are_not_served_are_unsupported(plane: KubernetesPlane, namespace: str) -> None:
    """Whether the group or the kind is missing; what is served is listed."""
    for kind in ("kubeflow.org/v1/PyTorchJob", "apps/v1/Nothing"):
        with pytest.raises(Unsupported, match="does not serve"):
            plane.list(kind, namespace=namespace)
    assert {"Dataset", "AlluxioRuntime", "v1/Pod", "apps/v1/StatefulSet", "batch/v1/CronJob"} <= plane.kinds()
    assert "v1/Scale" not in plane.kinds()


def test_forbidden_names_the_missing_rule(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    """The verb, the resource and the group, as a Role has them."""
    token = cluster.service_account(namespace, "nobody")
    path = cluster.api.write_kubeconfig(tmp_path / "config", token=token)
    with pytest.raises(Forbidden) as caught:
        KubernetesPlane(kubeconfig=str(path)).list("Dataset", namespace=namespace)
    assert caught.value.rule == 'apiGroups: ["data.fluid.io"], resources: ["datasets"], verbs: ["list"]'
    assert namespace in str(caught.value)


def test_plain_words_mean_what_the_server_takes_them_for(cluster: Cluster, namespace: str) -> None:
    """Its own reader of YAML is kubectl's: a manifest means the same to us; and what we write is text to it."""
    words = (
        "yes on y N off TRUE tRUE ~ 0400 0755 089 0o17 0X1F 0b11 -012 00 1_000 0777_1 0_8 1_0.5 1e3 .5 1. +5 -0 1e400 "
        ".5_0 1:30 2020-01-01 = _1 + - . .. 0x 0b2 08_ +_5 1__0 0x_1F 1e-3 12e03 -.5 0o8 0B1 +0x1F"
    ).split()
    head = "apiVersion: apps/v1\nkind: ControllerRevision\nmetadata: {name: words}\nrevision: 1\ndata:\n"
    path = f"/apis/apps/v1/namespaces/{namespace}/controllerrevisions"

    def told(text: str) -> object:
        return cluster.api.request("POST", path, text, content_type="application/yaml", dryRun="All")["data"]

    plain = head + "".join(f"  k{number}: {word}\n" for number, word in enumerate(words) if word != "-")
    assert told(plain) == parse(plain)[0].data["data"]
    written = {f"k{number}": word for number, word in enumerate(words)}
    assert told(dump([{**parse(head)[0].data, "data": written}])) == written
