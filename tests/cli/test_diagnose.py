"""``datafluid diagnose`` on this machine."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

from datafluid.client import Client
from tests.cli.conftest import Run
from tests.datasets import apply_local_dataset, dataset_manifest


def test_says_the_likely_cause_first(client: Client, tmp_path: Path, run: Run) -> None:
    """Exit code 1, the cause, what was seen, and what to run next."""
    client.apply(dataset_manifest("gone", f"local://{tmp_path / 'nowhere'}"))
    told = run("diagnose", "dataset/gone", code=1).stdout
    assert told.startswith("Dataset default/gone: NotBound\n\n1. ")
    assert "[not-reached]" in told
    assert "   next  datafluid get dataset gone -n default -o yaml\n" in told
    assert run("diagnose", "gone", code=1).stdout == run("diagnose", "dataset", "gone", code=1).stdout == told


def test_what_to_run_next_is_run_in_the_same_place(client: Client, tmp_path: Path, run: Run) -> None:
    """A command without the ``--context`` that was given would ask, or delete, somewhere else."""
    client.apply(dataset_manifest("gone", f"local://{tmp_path / 'nowhere'}"))
    told = run("--context", "embedded", "diagnose", "dataset/gone", code=1).stdout
    assert "   next  datafluid --context embedded get dataset gone -n default -o yaml\n" in told
    begun = run("load", "gone", "--name", "warm", "--context", "embedded").stderr
    assert "`datafluid --context embedded wait dataload warm -n default`" in begun
    refused = run("wait", "dataload", "warm", "--timeout", "0", "--context", "embedded", code=4).stderr
    assert "Try:   `datafluid --context embedded diagnose dataload warm" in refused


def test_a_dataset_in_order_is_told_so(client: Client, tmp_path: Path, run: Run) -> None:
    """Exit code 0."""
    apply_local_dataset(client, tmp_path, "good")
    assert run("diagnose", "dataset/good").stdout == "Dataset default/good: Bound\n\nNothing wrong was found.\n"


def test_json_and_html_say_the_same(client: Client, tmp_path: Path, run: Run) -> None:
    """For programs and for pages."""
    client.apply(dataset_manifest("gone", f"local://{tmp_path / 'nowhere'}"))
    found = json.loads(run("diagnose", "dataset/gone", "-o", "json", code=1).stdout)
    assert (found["phase"], found["healthy"], found["causes"][0]["code"]) == ("NotBound", False, "not-reached")
    assert found["causes"][0]["command"] in run("diagnose", "dataset/gone", "-o", "html", code=1).stdout


def test_the_archive_is_its_owners_and_has_it_all(client: Client, tmp_path: Path, run: Run) -> None:
    """A tar file of mode 0600 with the diagnosis and the objects."""
    client.apply(dataset_manifest("gone", f"local://{tmp_path / 'nowhere'}"))
    file = tmp_path / "gone.tar.gz"
    run("diagnose", "dataset/gone", "--archive", str(file), code=1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:
        assert {"diagnosis.txt", "diagnosis.json", "events.json", "objects/Dataset.json"} <= set(archive.getnames())


def test_what_belongs_to_no_dataset_is_refused(run: Run) -> None:
    """A profile has no dataset; a load that is not there is not found."""
    assert "belongs to no dataset" in run("diagnose", "thinruntimeprofile/nfs", code=1).stderr
    assert "Error: " in run("diagnose", "dataload/warm", code=3).stderr
