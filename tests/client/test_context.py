"""Which context is used, and what of it comes from where."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import datafluid
from datafluid.context import context_names, resolve_context
from datafluid.errors import Invalid, NotFound
from datafluid.plane.kubernetes import access


@pytest.mark.parametrize("name", ["", "/", "fluid://team", "team/"])
def test_a_name_that_names_no_dataset_makes_no_handle(name: str) -> None:
    with pytest.raises(Invalid, match="names no dataset"):
        datafluid.connect("embedded").dataset(name)


def test_a_context_is_named_by_text() -> None:
    wrong: Any = 5
    with pytest.raises(Invalid, match="a int names no context"):
        datafluid.connect(wrong)


CONFIG = """
default = "laptop"
[contexts.laptop]
plane = "embedded"
namespace = "mine"
[contexts.prod]
plane = "kubernetes"
kube_context = "eu"
[contexts.pinned]
plane = "kubernetes"
kube_context = "eu"
namespace = "own"
"""


def kubeconfig(path: Path, current: str, **namespaces: str | None) -> str:
    """A kubeconfig with these contexts."""
    contexts = [
        {"name": name, "context": {"cluster": "c", "user": "u"} | ({"namespace": namespace} if namespace else {})}
        for name, namespace in namespaces.items()
    ]
    clusters = [{"name": "c", "cluster": {"server": "https://c"}}]
    path.write_text(
        yaml.safe_dump({"kind": "Config", "current-context": current, "contexts": contexts, "clusters": clusters})
    )
    return str(path)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A config file and a kubeconfig."""
    (tmp_path / "config.toml").write_text(CONFIG)
    kube = kubeconfig(tmp_path / "kube", "us", eu="team", us=None, laptop="never")
    return {"DATAFLUID_CONFIG": str(tmp_path / "config.toml"), "KUBECONFIG": kube}


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The environment of a pod, whose namespace is ``podspace``."""
    (tmp_path / "token").write_text("x")
    (tmp_path / "namespace").write_text("podspace\n")
    monkeypatch.setattr(access, "_ACCOUNT", tmp_path)
    return {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}


def test_argument_before_environment_before_file(environ: dict[str, str]) -> None:
    """And the file's default when nobody names one."""
    assert resolve_context(environ=environ).name == "laptop"
    environ["DATAFLUID_CONTEXT"] = "prod"
    assert resolve_context(environ=environ).name == "prod"
    assert resolve_context("embedded", environ=environ).name == "embedded"


def test_the_file_before_the_pod_before_this_machine(environ: dict[str, str], pod: Mapping[str, str]) -> None:
    """A pod's cluster is where it works when nothing else is said."""
    assert resolve_context(environ=environ | pod).name == "laptop"
    bare = {"DATAFLUID_CONFIG": os.devnull, **pod}
    found = resolve_context(environ=bare)
    assert (found.plane, found.in_cluster, found.namespace) == ("kubernetes", True, "podspace")
    assert resolve_context(environ={"DATAFLUID_CONFIG": os.devnull}).plane == "embedded"
    with pytest.raises(NotFound):
        resolve_context("in-cluster", environ=environ)


@pytest.mark.parametrize(
    ("name", "namespace"), [("laptop", "mine"), ("prod", "team"), ("pinned", "own"), ("us", "default"), ("eu", "team")]
)
def test_where_the_namespace_comes_from(environ: dict[str, str], name: str, namespace: str) -> None:
    """The context's own, else that of the kubeconfig; DATAFLUID_NAMESPACE beats both."""
    assert resolve_context(name, environ=environ).namespace == namespace
    environ["DATAFLUID_NAMESPACE"] = "said"
    assert resolve_context(name, environ=environ).namespace == "said"


def test_contexts_of_the_kubeconfig_are_contexts(environ: dict[str, str], pod: Mapping[str, str]) -> None:
    """But the config file has the first word on a name."""
    assert context_names(environ=environ) == ["embedded", "eu", "laptop", "pinned", "prod", "us"]
    assert resolve_context("eu", environ=environ).kube_context == "eu"
    assert resolve_context("laptop", environ=environ).plane == "embedded"
    assert "in-cluster" in context_names(environ=environ | pod)


def test_of_several_kubeconfigs_the_first_counts(tmp_path: Path) -> None:
    """For a name, and for what is current; a file that is missing or none is left out."""
    (tmp_path / "none").write_text("[")
    first = kubeconfig(tmp_path / "a", "one", one="a", both="a")
    second = kubeconfig(tmp_path / "b", "two", two="b", both="b")
    found = access.kube_contexts(":".join([str(tmp_path / "missing"), str(tmp_path / "none"), first, second]))
    assert {name: each.namespace for name, each in found.items()} == {"one": "a", "both": "a", "two": "b"}
    assert [name for name, each in found.items() if each.is_current] == ["one"]


def test_a_typo_suggests_what_was_meant(environ: dict[str, str]) -> None:
    """Among all contexts there are."""
    with pytest.raises(NotFound, match="'prod'"):
        resolve_context("prd", environ=environ)


def test_an_unknown_setting_is_invalid(tmp_path: Path) -> None:
    """It names what may be set."""
    (tmp_path / "config.toml").write_text('[contexts.a]\nplane = "kubernetes"\nkubecontext = "x"\n')
    with pytest.raises(Invalid, match="kube_context"):
        resolve_context("a", environ={"DATAFLUID_CONFIG": str(tmp_path / "config.toml")})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff", "not UTF-8"),
        (b"default = 3", "default is no name"),
        (b"default = [", "not TOML"),
        (b"contexts = 3", "contexts are no tables"),
        (b"[contexts]\na = 3", "contexts are no tables"),
        (b"[context.a]", "unknown 'context'"),
        (b"[contexts.a]\nnamespace = 3", "namespace is not a text"),
        (b'[contexts.a]\nmounts = "x"', "mounts is not a list"),
        (b'[contexts.a]\nplane = "kubernetes"\nin_cluster = "yes"', "in_cluster is not true or false"),
        (b'[contexts.a]\nnamespace = "My Team"', "no name for a namespace"),
    ],
)
def test_a_config_file_that_is_none(tmp_path: Path, text: bytes, words: str) -> None:
    """It is said what is wrong with it, and what to write."""
    (tmp_path / "config.toml").write_bytes(text)
    with pytest.raises(Invalid, match=words) as caught:
        resolve_context("a", environ={"DATAFLUID_CONFIG": str(tmp_path / "config.toml")})
    assert caught.value.hint


def test_a_config_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    """The one that nobody names need not."""
    with pytest.raises(NotFound, match="which DATAFLUID_CONFIG names"):
        resolve_context("embedded", environ={"DATAFLUID_CONFIG": str(tmp_path / "nope.toml")})
    assert resolve_context("embedded", environ={"XDG_CONFIG_HOME": str(tmp_path)}).plane == "embedded"


def test_connecting_contacts_nobody(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a cluster that is not there; and no client library is loaded for it."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    client = datafluid.connect("prod")
    assert (client.context.namespace, client.plane.name) == ("team", "kubernetes")


def test_a_kubeconfig_without_a_current_context_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In `datafluid contexts`, in words."""
    from typer.testing import CliRunner

    from datafluid.cli.app import app

    (tmp_path / "config.toml").write_text('[contexts.a]\nplane = "kubernetes"\nkubeconfig = "/nonexist"\n')
    monkeypatch.setenv("DATAFLUID_CONFIG", str(tmp_path / "config.toml"))
    assert "no current context in /nonexist" in CliRunner().invoke(app, ["contexts"]).stdout
