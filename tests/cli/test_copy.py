"""Several contexts: side by side, and from one to another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

import datafluid
from tests.cli.conftest import Run
from tests.datasets import dataset_manifest, runtime_manifest


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two homes on this machine, and a cluster that is not there."""
    monkeypatch.delenv("DATAFLUID_HOME")
    config = tmp_path / "contexts.toml"
    config.write_text(
        f'default = "here"\n[contexts.here]\nplane = "embedded"\nhome = "{tmp_path / "here"}"\n'
        f'[contexts.edge]\nplane = "embedded"\nhome = "{tmp_path / "edge"}"\nnamespace = "field"\n'
        f'[contexts.away]\nplane = "kubernetes"\nkubeconfig = "{tmp_path / "nothing"}"\n'
    )
    monkeypatch.setenv("DATAFLUID_CONFIG", str(config))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return config


def test_datasets_of_all_contexts_side_by_side(contexts: Path, tmp_path: Path, run: Run) -> None:
    """A first column says where; a context that cannot be asked is told and stops nothing."""
    datafluid.connect("here").apply(dataset_manifest("flights", f"local://{tmp_path}"))
    datafluid.connect("edge").apply(dataset_manifest("sensors", f"local://{tmp_path}", namespace="field"))
    shown = run("get", "datasets", "--all-contexts")
    lines = [line.split()[:3] for line in shown.stdout.splitlines()]
    assert lines[0] == ["CONTEXT", "NAMESPACE", "NAME"]
    assert lines[1:] == [["edge", "field", "sensors"], ["here", "default", "flights"]]
    assert "context away cannot be asked: " in shown.stderr
    found = json.loads(run("get", "datasets", "--all-contexts", "-A", "-o", "json").stdout)
    assert {name: len(objects) for name, objects in found.items()} == {"embedded": 0, "edge": 1, "here": 1}
    assert run("get", "datasets", "--all-contexts", "-o", "name").stdout.splitlines() == [
        "edge/dataset.data.fluid.io/sensors",
        "here/dataset.data.fluid.io/flights",
    ]
    assert "takes no NAME" in run("get", "dataset", "flights", "--all-contexts", code=2).stderr


def test_a_dataset_and_its_runtime_go_to_another_context(contexts: Path, tmp_path: Path, run: Run) -> None:
    """What is worth a look is told; the copy is bound there and fills its own cache."""
    (tmp_path / "data").mkdir()
    objects = [
        dataset_manifest("flights", f"local://{tmp_path / 'data'}"),
        runtime_manifest("flights", tmp_path / "tier"),
    ]
    datafluid.connect("here").apply(objects).wait(timeout=60)
    done = run("copy", "default/flights", "--to", "edge", "--into", "field")
    assert "check: Dataset spec.mounts[0].mountPoint:" in done.stderr
    assert "dataset.data.fluid.io/flights applied in context edge, namespace field" in done.stdout
    copied = datafluid.connect("edge").dataset("flights")
    assert copied.wait(timeout=60).phase == "Bound"
    assert copied.namespace == "field"


def test_what_must_change_stops_it_and_the_manifest_can_be_had(contexts: Path, run: Run) -> None:
    """Exit code 2 and the reason; --dry-run prints what one would edit."""
    datafluid.connect("here").apply(dataset_manifest("books", "pvc://disk/books"))
    refused = run("copy", "default/books", "--to", "edge", code=2)
    assert "must change: Dataset spec.mounts[0].mountPoint:" in refused.stderr
    assert "1 thing must change first." in refused.stderr
    assert datafluid.connect("edge").datasets() == []
    (made,) = yaml.safe_load_all(run("copy", "default/books", "--to", "edge", "--dry-run").stdout)
    assert (made["kind"], made["metadata"]) == ("Dataset", {"name": "books", "namespace": "default"})


def test_what_is_not_there_cannot_be_copied(contexts: Path, run: Run) -> None:
    """Neither a dataset nor a context."""
    assert run("copy", "default/nothing", "--to", "edge", code=3).stderr
    assert "there is no context 'moon'" in run("copy", "default/nothing", "--to", "moon", code=3).stderr


def test_nothing_is_copied_onto_itself(contexts: Path, tmp_path: Path, run: Run) -> None:
    """Two contexts may be one place; it was said to be there already, and was applied again."""
    datafluid.connect("here").apply(dataset_manifest("flights", f"local://{tmp_path}"))
    assert "copied onto itself" in run("copy", "flights", "--to", "here", code=2).stderr
    assert (
        "applied in context here, namespace other" in run("copy", "flights", "--to", "here", "--into", "other").stdout
    )
