"""``datafluid preview``: outcome, pods, differences and exit codes, from files and from a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import Forbidden
from datafluid.model.ref import Ref
from datafluid.plane.webhook_facts import read_webhook_facts
from datafluid.testing import InMemoryPlane
from tests.cli.conftest import Run
from tests.workload.webhook.world import SERVERFUL, SERVERLESS, around, pod

PROFILE = {"plugins": {"serverful": {"withDataset": ["DatasetUsageInjector"], "withoutDataset": []}}}


@pytest.fixture
def objects(tmp_path: Path) -> str:
    """A file with a bound dataset and all that belongs to it."""
    return written(tmp_path / "objects.yaml", *around("flights"))


def written(path: Path, *objects: dict[str, Any]) -> str:
    """The name of a file with these manifests."""
    path.write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    return str(path)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> InMemoryPlane:
    """A cluster with a dataset, which the command line finds."""
    plane = InMemoryPlane(lively=False)
    for each in around("flights"):
        plane.put(each)
    client = Client(plane, Context(name="memory", namespace="team"))
    monkeypatch.setattr("datafluid.connect", lambda *_: client)
    return plane


def test_a_pod_is_shown_as_it_would_be(run: Run, tmp_path: Path, objects: str) -> None:
    """YAML on stdout, the outcome on stderr, 0."""
    result = run("preview", written(tmp_path / "a.yaml", pod("flights")), "-f", objects)
    shown = yaml.safe_load(result.stdout)
    assert shown["metadata"]["annotations"] == {"fluid.io/datasets-in-use": "flights"}
    assert result.stderr == "Pod app: admitted.\n"


def test_a_denial(run: Run, tmp_path: Path) -> None:
    """The webhook's words, nothing on stdout, 1."""
    objects = written(tmp_path / "b.yaml", *around("flights", phase="NotBound"))
    result = run("preview", written(tmp_path / "a.yaml", pod("flights")), "-f", objects, code=1)
    assert result.stdout == ""
    assert "Pod app: denied: failed to collect runtime infos from PVCs [flights]" in result.stderr
    assert 'dataset "team/flights" not bound' in result.stderr


def test_an_error_that_fluid_swallows(run: Run, tmp_path: Path) -> None:
    """The pod that comes through untouched, why, and 1."""
    given = pod("flights", labels={SERVERLESS: "true"})
    objects = [each for each in around("flights") if each["kind"] != "DaemonSet"]
    result = run("preview", written(tmp_path / "a.yaml", given, *objects), "-f", "/dev/null", code=1)
    assert yaml.safe_load(result.stdout) == given
    assert "admitted unchanged, because of an error that Fluid only logs" in result.stderr
    assert 'daemonsets.apps "flights-fuse" not found' in result.stderr


def test_a_pod_that_no_webhook_sees(run: Run, tmp_path: Path) -> None:
    """It is created as it is, even if its claim does not exist, and what is missing is said."""
    given = pod("nothing", labels={"app": "a"})
    result = run("preview", written(tmp_path / "a.yaml", given), "-f", "/dev/null")
    assert yaml.safe_load(result.stdout) == given
    assert f'it has no label {SERVERFUL}: "true"' in result.stderr


def test_pods_of_a_workload(run: Run, tmp_path: Path, objects: str) -> None:
    """The pods of a Job are previewed as its controller would send them."""
    template = {key: value for key, value in pod("flights").items() if key in ("metadata", "spec")}
    del template["metadata"]["name"], template["metadata"]["namespace"]
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "train", "namespace": "team"},
        "spec": {"template": template},
    }
    result = run("preview", written(tmp_path / "a.yaml", job), "-f", objects)
    shown = yaml.safe_load(result.stdout)
    assert shown["metadata"]["generateName"] == "train-"
    assert "affinity" in shown["spec"]
    assert result.stderr == "Job train, pod: admitted.\n"


@pytest.mark.parametrize(
    ("version", "kind", "path"),
    [
        ("apps/v1", "Deployment", ("template",)),
        ("batch/v1", "CronJob", ("jobTemplate", "spec", "template")),
        ("kubeflow.org/v1", "PyTorchJob", ("pytorchReplicaSpecs", "Worker", "template")),
        ("jobset.x-k8s.io/v1alpha2", "JobSet", ("replicatedJobs", 0, "template", "spec", "template")),
        ("example.com/v1", "Unheard", ("some", "where", "template")),
    ],
)
def test_every_kind_that_makes_pods(
    version: str, kind: str, path: tuple[str | int, ...], run: Run, tmp_path: Path, objects: str
) -> None:
    """Its pods are found wherever the kind keeps them."""
    made = pod("flights")
    inside: Any = {"metadata": {"labels": made["metadata"]["labels"]}, "spec": made["spec"]}
    for step in reversed(path):
        inside = [{"name": "main", **inside}] if isinstance(step, int) else {step: inside}
    workload = {"apiVersion": version, "kind": kind, "metadata": {"name": "w", "namespace": "team"}, "spec": inside}
    result = run("preview", written(tmp_path / "a.yaml", workload), "-f", objects)
    assert "affinity" in yaml.safe_load(result.stdout)["spec"]
    assert result.stderr.startswith(f"{kind} w, ")


def test_what_changes(run: Run, tmp_path: Path, objects: str) -> None:
    """A diff: only added lines for a pod that Fluid only adds to."""
    result = run("preview", written(tmp_path / "a.yaml", pod("flights")), "-f", objects, "--diff")
    changed = [line for line in result.stdout.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert any("mountPropagation: HostToContainer" in line for line in changed)
    assert all(line.startswith("+") for line in changed)


def test_json_for_programs(run: Run, tmp_path: Path) -> None:
    """One row a pod, with everything that was found."""
    result = run("preview", written(tmp_path / "a.yaml", pod("nope")), "-f", "/dev/null", "-o", "json", code=1)
    (row,) = json.loads(result.stdout)
    assert (row["allowed"], row["pod"], row["seen"], row["ignored"]) == (False, None, True, "")


def test_another_profile_and_environment(run: Run, tmp_path: Path, objects: str) -> None:
    """A ConfigMap with a profile counts, and so does the environment of the webhook."""
    config_map = {"kind": "ConfigMap", "data": {"pluginsProfile": yaml.safe_dump(PROFILE)}}
    file = written(tmp_path / "a.yaml", pod("flights"))
    profile = written(tmp_path / "p.yaml", config_map)
    shown = yaml.safe_load(run("preview", file, "-f", objects, "--profile", profile).stdout)
    assert "affinity" not in shown["spec"]
    off = run("preview", file, "-f", objects, "--env", "DISABLE_INJECTION=true")
    assert "global injection is disabled" in off.stderr


def test_from_a_cluster(run: Run, tmp_path: Path, cluster: InMemoryPlane) -> None:
    """Without files the objects, the profile and the environment are the cluster's."""
    file = written(tmp_path / "a.yaml", pod("flights"))
    first = run("preview", file)
    assert "affinity" in yaml.safe_load(first.stdout)["spec"]
    assert "are taken to be those that Fluid's chart installs" in first.stderr
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "webhook-plugins", "namespace": "fluid-system"},
            "data": {"pluginsProfile": yaml.safe_dump(PROFILE)},
        }
    )
    second = run("preview", file)
    assert "affinity" not in yaml.safe_load(second.stdout)["spec"]
    assert "plugins" not in second.stderr


def test_sidecars_from_a_cluster(run: Run, tmp_path: Path, cluster: InMemoryPlane) -> None:
    """Volumes and DaemonSets are read as well; native sidecars where the webhook's Deployment says so."""
    container = {"name": "manager", "env": [{"name": "FUSE_SIDECAR_INJECTION_MODE", "value": "native-sidecar"}]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "fluid-webhook", "namespace": "fluid-system"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    cluster.put(deployment)
    given = pod("flights", labels={SERVERLESS: "true"})
    result = run("preview", written(tmp_path / "a.yaml", given))
    (sidecar,) = yaml.safe_load(result.stdout)["spec"]["initContainers"]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("fluid-fuse-0", "Always")
    assert "the ConfigMaps team/check-fluid-mount-ready, team/fuse.alluxio-fuse-default-check-mount" in result.stderr


def test_settings_that_may_not_be_read(cluster: InMemoryPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not look into the webhook's namespace is told what was assumed."""
    get = cluster.get
    for kind, version in (("ConfigMap", "v1"), ("Deployment", "apps/v1")):
        cluster.put({"apiVersion": version, "kind": kind, "metadata": {"name": "other", "namespace": "team"}})

    def forbidding(ref: Ref) -> Any:
        if ref.namespace == "fluid-system":
            raise Forbidden("no.", hint="Ask.")
        return get(ref)

    monkeypatch.setattr(cluster, "get", forbidding)
    found = read_webhook_facts(cluster, ["team"])
    assert (found.profile, found.env) == (None, None)
    assert "may not be read" in found.assumed[0]


def test_objects_that_may_not_be_read(cluster: InMemoryPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim that cannot be seen is not one that is missing: there is no answer then."""
    seen = cluster.list

    def forbidding(kind: str, **where: Any) -> Any:
        if kind == "v1/PersistentVolumeClaim":
            raise Forbidden("no.", hint="Ask.")
        return seen(kind, **where)

    monkeypatch.setattr(cluster, "list", forbidding)
    with pytest.raises(Forbidden, match="v1/PersistentVolumeClaim"):
        read_webhook_facts(cluster, ["team"])


def test_the_embedded_plane_has_no_webhook(run: Run, tmp_path: Path) -> None:
    """Without files and without a cluster there is nothing to preview with."""
    result = run("preview", written(tmp_path / "a.yaml", pod("flights")), code=1)
    assert "Give the objects of a cluster with -f" in result.stderr


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("kind: ConfigMap", (), "there is no pod in it"),
        ("[1]", (), "it is no manifest"),
        ("a: [", (), "not YAML"),
        ("kind: Pod\nspec: {}", ("--env", "X"), "no setting of an environment"),
    ],
)
def test_wrong_input(text: str, options: tuple[str, ...], told: str, run: Run, tmp_path: Path) -> None:
    """Wrong usage is 2, with a hint."""
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    result = run("preview", str(tmp_path / "a.yaml"), "-f", "/dev/null", *options, code=2)
    assert told in result.stderr
