"""Tab completion, through a real bash where the words come from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import Client
from tests.datasets import apply_local_dataset, dataset_manifest

BASH = shutil.which("bash")


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """A directory for PATH in which `datafluid` is the command line under test."""
    directory = tmp_path / "bin"
    directory.mkdir()
    script = directory / "datafluid"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m datafluid.cli "$@"\n')
    script.chmod(0o755)
    return directory


def offers(shim: Path, *words: str) -> list[str]:
    """What bash would offer for the last of these words, split as bash splits them."""
    if BASH is None:
        pytest.skip("needs bash: install it with your package manager")
    program = (
        'eval "$(_DATAFLUID_COMPLETE=source_bash datafluid)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        "_datafluid_completion datafluid\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environ = {**os.environ, "PATH": f"{shim}:{os.environ['PATH']}"}
    done = subprocess.run(
        [BASH, "--norc", "-c", program, "bash", "datafluid", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture
def files(tmp_path: Path, client: Client) -> None:
    """A bound dataset `files`, and `team/images` that is only declared."""
    data = tmp_path / "data"
    (data / "train").mkdir(parents=True)
    (data / "readme.txt").write_text("hello")
    (data / "evil\x1b[2J.txt").write_text("x")
    apply_local_dataset(client, data, "files")
    client.apply(dataset_manifest("images", "s3://nothing-of-that-name", namespace="team"))


def test_commands_and_kinds(shim: Path) -> None:
    """Without any state."""
    assert offers(shim, "ex") == ["export", "explain"] or set(offers(shim, "ex")) == {"export", "explain"}
    assert "dataload" in offers(shim, "get", "dataload")
    assert offers(shim, "get", "--context", "") == ["embedded"]


@pytest.mark.slow
def test_names_follow_the_kind_and_the_namespace(shim: Path, files: None) -> None:
    """`get dataset <tab>`."""
    assert offers(shim, "get", "dataset", "") == ["files"]
    assert offers(shim, "get", "-n", "team", "dataset", "") == ["images"]
    assert offers(shim, "get", "dataset", "-n", "") == ["default", "team"]


@pytest.mark.slow
def test_datasets_with_and_without_namespace(shim: Path, files: None) -> None:
    """`load <tab>` offers both spellings."""
    assert set(offers(shim, "load", "")) == {"files", "default/files", "team/images"}
    assert offers(shim, "load", "team/") == ["team/images"]


@pytest.mark.slow
def test_paths_with_and_without_scheme(shim: Path, files: None) -> None:
    """Bash takes `fluid://…` apart at the colon; names that could steer a terminal are not offered."""
    assert offers(shim, "ls", "default/files/") == ["default/files/readme.txt", "default/files/train/"]
    assert offers(shim, "ls", "fluid", ":", "//default/files/tr") == ["//default/files/train/"]
    assert offers(shim, "ls", "fluid", ":") == ["//default/files/", "//team/images/"]
    assert offers(shim, "cat", "default/files/readme.txt", "fluid", ":", "//default/fi") == ["//default/files/"]


@pytest.mark.slow
def test_a_completion_that_cannot_be_found_is_silent(shim: Path) -> None:
    """No dataset, a kind that does not exist, a place that does not exist: nothing is offered, nothing is said."""
    assert offers(shim, "load", "") == []
    assert offers(shim, "get", "nothing", "") == []
    assert offers(shim, "ls", "default/nothing/") == []
