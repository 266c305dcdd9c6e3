"""The command line against a cluster: the same verbs, with ``--context``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from datafluid.model.rbac import roles
from tests.cli.conftest import Run
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import LOADS, bound
from tests.cluster.proxy import serve_proxy

MANIFEST = """
apiVersion: data.fluid.io/v1alpha1
kind: Dataset
metadata: {name: demo}
spec: {mounts: [{mountPoint: "s3://bucket/demo", name: demo}]}
---
apiVersion: data.fluid.io/v1alpha1
kind: AlluxioRuntime
metadata: {name: demo}
spec: {replicas: 1, tieredstore: {levels: [{mediumtype: MEM, path: /dev/shm, quota: 1Gi}]}}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    """A dataset and its runtime."""
    path = tmp_path / "demo.yaml"
    path.write_text(MANIFEST)
    return str(path)


@pytest.fixture
def prod(cluster: Cluster, home: Path) -> str:
    """A context ``prod`` in the config file; returns its namespace."""
    namespace = cluster.namespace()
    config = home.parent / "config.toml"
    config.write_text(
        f'[contexts.prod]\nplane = "kubernetes"\nkubeconfig = "{cluster.kubeconfig}"\nnamespace = "{namespace}"\n'
    )
    return namespace


def test_a_dataset_lives_on_a_cluster(cluster: Cluster, run: Run, manifest: str, prod: str) -> None:
    """apply, get, describe, wait, scale, load, delete: what each prints."""
    to = ("--context", "prod")
    assert "dataset.data.fluid.io/demo applied" in run(*to, "apply", "-f", manifest).stdout
    bound(cluster, "demo", prod)
    assert "Bound" in run(*to, "get", "datasets").stdout
    assert "s3://bucket/demo" in run(*to, "describe", "dataset", "demo").stdout
    assert "Bound" in run(*to, "wait", f"{prod}/demo").stdout
    assert run(*to, "scale", "alluxio", "demo", "--replicas", "3").stdout.strip().endswith("scaled to 3")
    (runtime,) = json.loads(run(*to, "get", "alluxio", "-o", "json").stdout)["items"]
    assert runtime["spec"]["replicas"] == 3
    run(*to, "load", f"{prod}/demo", "/train", "--name", "warm")
    status = {"phase": "Complete", "conditions": [], "duration": "1s"}
    cluster.api.patch(f"{LOADS.format(prod)}/warm/status", {"status": status})
    assert "Complete" in run(*to, "wait", "dataload", "warm").stdout
    run(*to, "delete", "dataset", "demo")
    assert run(*to, "get", "all").stdout == ""


def test_watch_shows_what_is_and_ends_in_time(cluster: Cluster, run: Run, manifest: str, prod: str) -> None:
    """One header, then a line for each change."""
    run("--context", "prod", "apply", "-f", manifest)
    lines = run("--context", "prod", "watch", "--timeout", "0.5").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", "demo"]


def test_contexts_names_where_each_is(cluster: Cluster, run: Run, prod: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the config file, those of the kubeconfig, and this machine; the star is on the one in use."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    lines = {line.lstrip("* ").split()[0]: line for line in run("contexts").stdout.splitlines()[1:]}
    assert set(lines) == {"embedded", "prod", "test"}
    assert lines["embedded"].startswith("*")
    assert cluster.api.server in lines["prod"]
    assert cluster.api.server in lines["test"]
    assert prod in lines["prod"]


def test_a_context_of_the_kubeconfig_needs_no_config_file(
    cluster: Cluster,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its namespace is the one that the kubeconfig names."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.kubeconfig))
    assert "No dataset found in namespace default" in run("--context", "test", "get", "dataset").stderr


def test_a_refused_field_says_who_owns_it_and_adopt_takes_it(
    cluster: Cluster,
    run: Run,
    manifest: str,
    prod: str,
) -> None:
    """Exit code 1 and the manager's name; with --adopt it is ours."""
    run("--context", "prod", "apply", "-f", manifest)
    path = f"/apis/data.fluid.io/v1alpha1/namespaces/{prod}/alluxioruntimes/demo"
    body = {**list(yaml.safe_load_all(MANIFEST))[1], "spec": {"replicas": 5}}
    cluster.api.request(
        "PATCH", path, body, content_type="application/apply-patch+yaml", fieldManager="kubectl", force="true"
    )
    assert "'kubectl' owns spec.replicas" in run("--context", "prod", "apply", "-f", manifest, code=1).stderr
    run("--context", "prod", "apply", "-f", manifest, "--adopt")


def test_doctor_looks_at_the_cluster(cluster: Cluster, run: Run, prod: str, home: Path) -> None:
    """Whether it answers and knows Fluid; one that is not there is a failure with a reason."""
    told = run("--context", "prod", "doctor").stdout
    assert "all of Fluid's kinds are served" in told
    assert f"in namespace {prod}: 0" in told
    gone = cluster.api.write_kubeconfig(home.parent / "gone", server="http://127.0.0.1:9")
    (home.parent / "config.toml").write_text(f'[contexts.gone]\nplane = "kubernetes"\nkubeconfig = "{gone}"\n')
    assert "cannot be reached" in run("--context", "gone", "doctor", code=1).stdout


def test_a_dataset_is_scaled_before_it_is_bound(cluster: Cluster, run: Run, manifest: str, prod: str) -> None:
    """Its runtime is the one of its name."""
    run("--context", "prod", "apply", "-f", manifest)
    assert "alluxioruntime" in run("--context", "prod", "scale", f"{prod}/demo", "--replicas", "2").stdout


def test_get_all_leaves_out_what_is_not_served_or_not_shown(
    cluster: Cluster, run: Run, manifest: str, prod: str, home: Path
) -> None:
    """An older Fluid lacks kinds, and a role of one namespace shows none without: the rest is listed."""
    run("--context", "prod", "apply", "-f", manifest)
    (role,) = roles("reader", namespace=prod)
    token = cluster.service_account(prod, "reader", role["rules"])
    with serve_proxy(cluster.api) as proxy:
        kubeconfig = cluster.api.write_kubeconfig(home.parent / "older", token=token, server=proxy.url, namespace=prod)
        text = f'[contexts.older]\nplane = "kubernetes"\nkubeconfig = "{kubeconfig}"\n'
        (home.parent / "config.toml").write_text(text)
        proxy.answer("GET", "/cacheruntimes", status=404, body=b"404 page not found", times=2)
        told = run("--context", "older", "get", "all")
        assert "dataset.data.fluid.io/demo" in told.stdout
        assert "ThinRuntimeProfile is left out" in told.stderr
        assert "does not serve" in run("--context", "older", "get", "cacheruntimes", code=1).stderr
