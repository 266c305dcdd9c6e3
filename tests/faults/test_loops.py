"""Trees without an end, and names that are no text: walks stop, and what nothing can be called is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine.loader import Loader
from datafluid.engine.understore.local_store import LocalStore
from datafluid.engine.understore.port import Listing
from datafluid.errors import NotFound
from fluid_fsspec import FluidFileSystem
from tests.datasets import dataset_manifest


def test_links_that_lead_back(tmp_path: Path) -> None:
    """To their own directory, above it, to the root, to each other: left out; what leads elsewhere is followed."""
    for directory in ("a/deep", "b"):
        (tmp_path / directory).mkdir(parents=True)
        (tmp_path / directory / "file").write_bytes(b"x")
    for link, target in {
        "a/self": ".",
        "a/above": "..",
        "a/deep/far": "../..",
        "a/absolute": tmp_path,
        "a/side": "../b",
        "b/side": "../a",
        "a/twin": "deep",
    }.items():
        (tmp_path / link).symlink_to(target)
    client = connect()
    client.apply(dataset_manifest("data", f"local://{tmp_path}"))
    dataset = client.dataset("data")
    dataset.wait(timeout=60)
    assert dataset.load().wait(timeout=60).phase == "Complete"
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.find("default/data") == [
        "default/data/a/deep/file",
        "default/data/a/side/file",
        "default/data/a/twin/file",
        "default/data/b/file",
        "default/data/b/side/deep/file",
        "default/data/b/side/twin/file",
    ]
    with pytest.raises(NotFound):
        fs.cat("default/data/a/self/deep/file")


def test_a_load_is_cancelled_between_two_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file comes, too: it does not wait for one."""
    client = connect()
    client.apply(dataset_manifest("data", f"local://{tmp_path}"))
    client.dataset("data").wait(timeout=60)
    asked: list[str] = []

    def endless(store: LocalStore, prefix: str) -> Listing:
        asked.append(prefix)
        assert len(asked) < 100, "it goes on"
        return Listing(objects=(), prefixes=(f"{prefix}/d".lstrip("/"),))

    monkeypatch.setattr(LocalStore, "list", endless)
    volume = client.volume("default", "data")
    loaded = Loader(volume, cancelled=lambda: len(asked) >= 10).load(refresh=True)
    assert loaded.cancelled
    assert len(asked) == 10


@pytest.mark.parametrize("place", [b"default/data/\xff\xfe", b"default/data/\xff/below", b"default/da\xff/file"])
@pytest.mark.parametrize("verb", ["cat", "ls", "du"])
def test_a_name_that_is_no_text(verb: str, place: bytes, tmp_path: Path) -> None:
    """It is not there, and is told in escapes."""
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")
    client = connect()
    client.apply(dataset_manifest("data", f"local://{tmp_path}"))
    client.dataset("data").wait(timeout=60)
    command = [sys.executable, "-m", "datafluid", verb, place]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    assert b"\\udcff" in done.stderr
    assert b"bug" not in done.stderr
