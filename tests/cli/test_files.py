"""``datafluid ls | cat | du | explain | refresh``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from datafluid.client import Client
from fluid_fsspec import FluidFileSystem
from tests.cli.conftest import Run
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset

HOSTILE = "a\x1b[2J[bold].txt"


@pytest.fixture
def files(tmp_path: Path, client: Client) -> Path:
    """A dataset `files` of a directory."""
    directory = tmp_path / "data"
    (directory / "train").mkdir(parents=True)
    (directory / "readme.txt").write_text("hello\n")
    (directory / "train" / "a.bin").write_bytes(b"a" * 1500)
    (directory / HOSTILE).write_text("x")
    apply_local_dataset(client, directory, "files")
    return directory


def test_ls_lists_datasets_directories_and_files(files: Path, run: Run) -> None:
    """Names only; directories end with a slash; every spelling of a place means the same."""
    assert run("ls").stdout == "files/\n"
    for place in (
        "files",
        "default/files",
        "fluid://default/files",
        "fluid://default/files/",
        "fluid:///files",
    ):
        assert run("ls", place).stdout.splitlines() == [r"a\x1b[2J[bold].txt", "readme.txt", "train/"]
    assert run("ls", "default/files/train").stdout == "a.bin\n"


def test_ls_long_has_size_and_time(files: Path, run: Run) -> None:
    """As a table; the time is the file's own."""
    os.utime(files / "readme.txt", (0, 86400))
    run("refresh", "files")
    rows = run("ls", "-l", "files").stdout.splitlines()
    assert rows[0].split() == ["SIZE", "MODIFIED", "NAME"]
    assert any(row.split() == ["6.00B", "1970-01-02", "00:00:00+00:00", "readme.txt"] for row in rows)


def test_ls_long_with_a_time_that_no_calendar_has(files: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """File systems keep any number, and a table of them must not end in an error."""
    real = FluidFileSystem.ls
    never = {"mtime": float(1 << 62)}
    monkeypatch.setattr(FluidFileSystem, "ls", lambda *args, **more: [each | never for each in real(*args, **more)])
    assert ["6.00B", "-", "readme.txt"] in [row.split() for row in run("ls", "-l", "files").stdout.splitlines()]


def test_ls_as_json_has_the_real_names(files: Path, run: Run) -> None:
    """For programs: nothing is escaped away."""
    entries = json.loads(run("ls", "files", "-o", "json").stdout)
    assert f"default/files/{HOSTILE}" in {entry["name"].removeprefix("fluid://") for entry in entries}


def test_cat_writes_the_bytes_as_they_are(files: Path, run: Run) -> None:
    """Several files one after the other."""
    (files / "train/b.bin").write_bytes(bytes(range(256)))
    run("refresh", "files")
    assert run("cat", "files/readme.txt", code=3)  # a namespace that does not exist
    done = run("cat", "default/files/readme.txt", "default/files/train/b.bin")
    assert done.stdout_bytes == b"hello\n" + bytes(range(256))


def test_du_sums_up(files: Path, run: Run) -> None:
    """Files and bytes below a place."""
    (summed,) = json.loads(run("du", "default/files/train", "-o", "json").stdout)
    assert summed["url"] == "fluid://default/files/train"
    assert 1500 in summed.values()
    assert "1.46KiB" in run("du", "default/files/train").stdout


def test_explain_says_which_way_a_read_goes(bucket: Bucket, client: Client, run: Run) -> None:
    """Before and after a load."""
    bucket.put("a.bin", b"a" * 1000)
    apply_bucket_dataset(client, bucket, "data")
    cold = run("explain", "default/data/a.bin").stdout
    run("load", "data", "--wait")
    warm = run("explain", "default/data/a.bin").stdout
    assert cold != warm
    assert "cache" in warm


def test_what_is_not_there_is_exit_code_3(files: Path, run: Run) -> None:
    """Files, directories and datasets."""
    for command in ("ls", "cat", "explain"):
        assert run(command, "default/files/nothing", code=3).stderr.startswith("Error: ")
    run("ls", "default/nothing", code=3)


def test_a_directory_cannot_be_written_out(files: Path, run: Run) -> None:
    """One sentence, no traceback."""
    assert run("cat", "default/files/train", code=1).stderr.startswith("Error: ")


def test_refresh_sees_what_is_new(files: Path, run: Run) -> None:
    """A file that was added a moment ago."""
    run("ls", "files")
    (files / "new.txt").write_text("new")
    assert run("refresh", "files").stdout == "fluid://default/files refreshed\n"
    assert "new.txt" in run("ls", "files").stdout


@pytest.mark.parametrize("words", [["cat"], ["ls"], ["du"], ["explain"]])
def test_a_path_without_its_namespace_suggests_the_right_one(files: Path, run: Run, words: list[str]) -> None:
    """Only where there is such a dataset, and the path is not simply missing from one that is there."""
    assert "Did you mean default/files/readme.txt?" in run(*words, "files/readme.txt", code=3).stderr
    assert "Did you mean" not in run(*words, "nothing/readme.txt", code=3).stderr
    assert "Did you mean" not in run("cat", "default/files/nothing.txt", code=3).stderr
