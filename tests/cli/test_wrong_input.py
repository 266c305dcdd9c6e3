"""What people type wrongly, and machines that are not as they should be: a sentence, a next step, nothing half done."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from datafluid.client import Client
from tests.cli.conftest import COMMAND, Run
from tests.datasets import apply_local_dataset


@pytest.fixture
def files(tmp_path: Path, client: Client) -> str:
    """A dataset `files` of a directory."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("hello")
    apply_local_dataset(client, tmp_path / "data", "files")
    return "files"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ls", "fluid://", "-n", "My Team"], "'My Team' is no name for a namespace"),
        (["-n", "", "get", "datasets"], "'' is no name for a namespace"),
        (["load", "/"], "'/' names no dataset"),
        (["refresh", "fluid://default"], "names no dataset"),
        (["cache", "evict", ""], "names no dataset"),
        (["load", "files", "../etc"], "'/../etc' has a '..' in it"),
        (["load", "files", "--timeout", "-1"], "greater than or equal to 0"),
        (["load", "files", "--time-zone", "UTC"], "Give a schedule too"),
    ],
)
def test_words_that_mean_nothing(files: str, run: Run, arguments: list[str], words: str) -> None:
    """Exit code 2, and nothing is declared."""
    assert words in run(*arguments, code=2).stderr
    assert run("get", "dataload", "-o", "name").stdout == ""


def test_the_root_is_the_datasets_of_the_namespace(files: str, run: Run) -> None:
    """As without a URL."""
    assert run("ls", "fluid://").stdout == run("ls").stdout == "files/\n"


def test_what_an_archive_cannot_replace(files: str, tmp_path: Path, run: Run) -> None:
    """It is told before anything is read, and nothing is left beside it."""
    assert "is a directory" in run("cache", "pack", str(tmp_path / "data"), code=2).stderr
    told = run("cache", "pack", "default/files", code=3).stderr
    assert "there is no directory default" in told
    assert "it comes last" in told
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []


def test_a_manifest_whose_metadata_is_no_mapping(run: Run) -> None:
    """As it is for lint."""
    text = "apiVersion: v1\nkind: Pod\nmetadata: [a]\nspec: {containers: [{name: c, image: x}]}\n"
    for verb in ("wrap", "preview"):
        stderr = run(verb, "-", *(["--use", "a"] if verb == "wrap" else []), code=2, input=text).stderr
        assert "bug in datafluid" not in stderr
        assert "Try:" in stderr


@pytest.mark.parametrize("verb", [["get", "datasets"], ["apply", "-f", "-"], ["doctor"], ["cache", "status"]])
@pytest.mark.parametrize("what", ["a file", "below a file", "read-only"])
def test_a_home_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, verb: list[str], what: str
) -> None:
    """It is said which it is, and how to name another one."""
    home = tmp_path / "file" / "below" if what == "below a file" else tmp_path / "file"
    (tmp_path / "file").mkdir(0o700) if what == "read-only" else (tmp_path / "file").write_text("")
    if what == "read-only":  # root may write everywhere else
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("DATAFLUID_HOME", str(home))
    result = run(*verb, code=1 if what == "read-only" or verb == ["doctor"] else 2)
    assert str(home) in result.output
    assert "Set DATAFLUID_HOME" in result.output


def test_output_that_was_closed_before_we_began(files: str) -> None:
    """As `>&-` does: no words for nobody, and no traceback."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *COMMAND, "get", "datasets"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_output(files: str) -> None:
    """Exit code 1, one sentence."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([*COMMAND, "get", "datasets"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: No space left on device.")
