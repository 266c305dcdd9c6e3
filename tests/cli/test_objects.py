"""Declaring, listing, describing and deleting objects."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from datafluid.client import Client
from datafluid.errors import Unsupported
from tests.cli.conftest import Run, Start
from tests.datasets import apply_local_dataset, dataset_manifest, runtime_manifest
from tests.diagnosis.world import DATASET, World


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A directory with two files."""
    directory = tmp_path / "data"
    (directory / "train").mkdir(parents=True)
    (directory / "readme.txt").write_text("hello\n")
    (directory / "train/a.bin").write_bytes(b"a" * 5000)
    return directory


@pytest.fixture
def manifest(data: Path, tmp_path: Path) -> Path:
    """A dataset, its runtime and a load in one file."""
    load = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataLoad",
        "metadata": {"name": "warm", "namespace": "default"},
        "spec": {"dataset": {"name": "files", "namespace": "default"}, "loadMetadata": True},
    }
    objects = [
        dataset_manifest("files", f"local://{data}"),
        runtime_manifest("files", tmp_path / "tier"),
        load,
    ]
    file = tmp_path / "files.yaml"
    file.write_text(yaml.safe_dump_all(objects))
    return file


def test_apply_names_what_it_applied(manifest: Path, run: Run) -> None:
    """One line an object, datasets first, as kubectl names them."""
    assert run("apply", "-f", str(manifest)).stdout.splitlines() == [
        "dataset.data.fluid.io/files applied",
        "alluxioruntime.data.fluid.io/files applied",
        "dataload.data.fluid.io/warm applied",
    ]


def test_apply_and_wait_sees_everything_done(manifest: Path, run: Run) -> None:
    """--wait returns when the dataset is Bound and the load Complete; progress is plain lines on stderr."""
    told = run("apply", "-f", str(manifest), "--wait", "--timeout", "60").stderr
    assert "Dataset default/files" in told
    assert "\x1b" not in told
    (load,) = json.loads(run("get", "load", "-o", "json").stdout)["items"]
    assert load["status"]["phase"] == "Complete"


def test_a_dry_run_changes_nothing(manifest: Path, run: Run) -> None:
    """Everything is checked, nothing is there afterwards."""
    assert "checked (dry run)" in run("apply", "-f", str(manifest), "--dry-run").stdout
    assert run("get").stdout == ""


def test_nothing_is_applied_when_anything_is_wrong(manifest: Path, run: Run) -> None:
    """Exit code 2, every finding, and no object; also from standard input."""
    broken = manifest.read_text().replace("mountPoint", "mountpoint").replace("mediumtype", "mediumType")
    told = run("apply", "-f", "-", input=broken, code=2).stderr
    assert told.startswith("Error: ")
    assert "mediumtype" in told
    assert run("get").stdout == ""


def test_a_manifest_that_is_not_there_is_not_found(tmp_path: Path, run: Run) -> None:
    """Exit code 3 and the name."""
    assert "nothing.yaml" in run("apply", "-f", str(tmp_path / "nothing.yaml"), code=3).stderr


def test_get_prints_the_columns_of_kubectl(manifest: Path, run: Run) -> None:
    """The printer columns of Fluid's CRD; wide has more; -A adds the namespace."""
    run("apply", "-f", str(manifest), "--wait")
    header, row = run("get", "dataset").stdout.splitlines()
    assert "CACHED PERCENTAGE" in header
    assert row.split()[0] == "files"
    assert "Bound" in row
    assert "HCFS URL" in run("get", "datasets", "files", "-o", "wide").stdout
    assert run("get", "dataset", "-A").stdout.split()[:2] == ["NAMESPACE", "NAME"]


def test_get_takes_names_plurals_short_names_and_lists(manifest: Path, run: Run) -> None:
    """All spellings mean the same; several kinds at once are told apart by their kind."""
    run("apply", "-f", str(manifest))
    for spelling in ("Dataset", "datasets", "dataset"):
        assert run("get", spelling, "-o", "name").stdout == "dataset.data.fluid.io/files\n"
    both = run("get", "alluxio,load", "-o", "name").stdout.splitlines()
    assert both == ["alluxioruntime.data.fluid.io/files", "dataload.data.fluid.io/warm"]
    assert run("get", "-o", "name").stdout.splitlines()[0] == "dataset.data.fluid.io/files"


def test_what_get_prints_can_be_applied_again(manifest: Path, run: Run) -> None:
    """YAML documents are a manifest."""
    run("apply", "-f", str(manifest), "--wait")
    shown = run("get", "dataset,alluxio", "-o", "yaml").stdout
    assert [each["kind"] for each in yaml.safe_load_all(shown)] == ["Dataset", "AlluxioRuntime"]
    run("apply", "-f", "-", input=shown)


def test_one_object_in_json_is_the_object_and_several_are_a_list(manifest: Path, run: Run) -> None:
    """As kubectl does it."""
    run("apply", "-f", str(manifest))
    assert json.loads(run("get", "dataset", "files", "-o", "json").stdout)["kind"] == "Dataset"
    assert json.loads(run("get", "dataset", "-o", "json").stdout)["kind"] == "List"


def test_labels_select(client: Client, data: Path, run: Run) -> None:
    """-l key=value; anything else is invalid input."""
    one, two = dataset_manifest("one", f"local://{data}"), dataset_manifest("two", f"local://{data}")
    one["metadata"]["labels"] = {"team": "vision"}
    client.apply([one, two])
    assert run("get", "dataset", "-l", "team=vision", "-o", "name").stdout == "dataset.data.fluid.io/one\n"
    assert "KEY=VALUE" in run("get", "dataset", "-l", "team", code=2).stderr


def test_something_that_does_not_exist_is_exit_code_3(run: Run) -> None:
    """get, describe, delete and wait agree."""
    for command in ("get", "describe", "delete", "wait"):
        assert "Dataset default/nothing" in run(command, "dataset", "nothing", code=3).stderr


def test_describe_has_status_mounts_and_events(client: Client, data: Path, run: Run) -> None:
    """Sections, in an order that a reader can rely on."""
    apply_local_dataset(client, data, "files")
    told = run("describe", "dataset", "files").stdout
    for part in ("Name:", "Phase:", "Bound", "Mounts:", f"local://{data}", "Conditions:", "Events:"):
        assert part in told
    assert told.index("Mounts:") < told.index("Conditions:") < told.index("Events:")
    ages = re.compile(r"\b\d+s +")
    assert ages.sub("", run("describe", "dataset/files").stdout) == ages.sub("", told)


def test_describe_of_a_schedule_names_the_next_runs(client: Client, data: Path, run: Run) -> None:
    """In the schedule's own time zone."""
    apply_local_dataset(client, data, "files")
    run("load", "files", "--schedule", "0 3 * * *", "--time-zone", "Asia/Shanghai", "--name", "nightly")
    told = run("describe", "load", "nightly").stdout
    assert "Schedule:     0 3 * * *" in told
    assert told.count("03:00+08:00") == 3


def test_hostile_names_do_not_reach_the_terminal(client: Client, data: Path, run: Run) -> None:
    """An annotation with an escape sequence is shown as one."""
    manifest = dataset_manifest("files", f"local://{data}", annotations={"note": "\x1b[2J[/x]\u202e"})
    client.apply(manifest)
    for args in (
        ("describe", "dataset", "files"),
        ("get", "dataset", "-o", "yaml"),
        ("get", "dataset", "-o", "json"),
    ):
        told = run(*args).stdout
        assert "\x1b" not in told
        assert "\u202e" not in told
    assert r"\x1b[2J[/x]\u202e" in run("describe", "dataset", "files").stdout


def test_delete_takes_names_and_files(manifest: Path, run: Run) -> None:
    """A dataset goes with its runtime and loads; a second time it is not found, unless that is fine."""
    run("apply", "-f", str(manifest), "--wait")
    assert run("delete", "dataset", "files").stdout == "dataset.data.fluid.io/files deleted\n"
    assert "load" not in run("get", "-o", "name").stdout
    run("delete", "dataset", "files", code=3)
    run("delete", "dataset", "files", "--ignore-not-found")
    run("apply", "-f", str(manifest))
    run("delete", "-f", str(manifest), "--ignore-not-found")
    assert run("get", "dataset,load", "-o", "name").stdout == ""
    assert "delete needs" in run("delete", code=2).stderr


def test_watch_prints_changes_until_interrupted(client: Client, data: Path, start: Start) -> None:
    """What exists first, then each change, flushed line by line; Ctrl-C is exit code 130."""
    import signal

    client.apply(dataset_manifest("one", f"local://{data}"))
    process = start("get", "dataset", "-w", "-o", "name")
    assert process.stdout is not None
    assert process.stdout.readline() == "dataset.data.fluid.io/one\n"
    client.apply(dataset_manifest("two", f"local://{data}"))
    assert "two" in iter(process.stdout.readline, "").__next__() or "two" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 130


def test_describe_shows_no_credentials(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others put them into mounts, and kubectl copies all of a manifest into an annotation."""
    annotations = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"key": "hidden-1"}',
        "note": "password=hidden-2",
    }
    world = World()
    world.change(
        DATASET,
        metadata={"annotations": annotations},
        spec={"mounts": [{"mountPoint": "https://me:hidden-3@example.com/x?sig=hidden-4", "name": "x"}, {"name": "y"}]},
    )
    monkeypatch.setattr("datafluid.connect", lambda context: world.client)
    told = run("describe", "dataset", "demo").stdout
    assert "https://example.com/x" in told
    assert "note=password=***" in told
    assert "hidden" not in told


def test_a_schedule_that_rests_has_no_next_runs(client: Client, data: Path, run: Run) -> None:
    """They were named as if they came."""
    apply_local_dataset(client, data, "files").load(schedule="0 3 * * *", name="nightly")
    run("suspend", "dataload", "nightly")
    assert re.search(r"Next runs: +none until it is resumed", run("describe", "dataload", "nightly").stdout)


def test_get_takes_kind_and_name_in_one_word(manifest: Path, run: Run) -> None:
    """As every other verb does; it proposed another kind."""
    run("apply", "-f", str(manifest))
    assert run("get", "dataset/files", "-o", "name").stdout == run("get", "dataset", "files", "-o", "name").stdout


def test_more_workers_than_can_be_counted_are_refused(run: Run) -> None:
    """The server said so with all of the object in JSON."""
    assert "2147483647" in run("scale", "files", "--replicas", "99999999999999", code=2).stderr


def test_a_cluster_whose_fluid_lacks_kinds_is_described(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its datasets are shown, drawn and copied, too: earlier versions of Fluid have fewer operations and runtimes."""
    world = World()
    every = world.plane.list

    def fewer(kind: str, **more: Any) -> list[Any]:
        if kind in ("DataLoad", "DataProcess", "CacheRuntime"):
            raise Unsupported(f"this cluster does not serve {kind}.")
        return every(kind, **more)

    monkeypatch.setattr(world.plane, "list", fewer)
    monkeypatch.setattr("datafluid.connect", lambda context: world.client)
    assert "Life cycle:" in run("describe", "dataset", "demo").stdout
    assert "no operations" in run("flow", "demo").stdout
    assert "kind: AlluxioRuntime" in run("copy", "demo", "--to", "other", "--into", "elsewhere", "--dry-run").stdout
