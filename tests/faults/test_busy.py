"""Somebody holds a write transaction on the home's databases for seconds: reads go on, writes wait, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine import database
from datafluid.errors import Unavailable
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, dataset_manifest

_HOLDER = """
import sys, apsw
db = apsw.Connection(sys.argv[1])
db.set_busy_timeout(10_000)
db.execute(f"BEGIN {sys.argv[2]}")
print("held", flush=True)
sys.stdin.read()
db.execute("ROLLBACK")
"""
_READER = """
import sys, fsspec
fs = fsspec.filesystem("fluid")
for number in range(int(sys.argv[1]), int(sys.argv[2])):
    assert fs.cat(f"default/data/{number}.bin") == bytes([number]) * 100_000
    assert fs.info(f"default/data/{number}.bin")["size"] == 100_000
"""
_SECONDS = 1.5  # for which others see that a writer waits


@contextmanager
def _held(path: Path, how: str = "IMMEDIATE") -> Iterator[None]:
    """Another process holds a write transaction on a database until the block ends."""
    command = [sys.executable, "-c", _HOLDER, str(path), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield
        finally:
            holder.communicate(timeout=30)


def _reader(first: int, end: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _READER, str(first), str(end)]
    return subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.PIPE, text=True)


def _must_end_well(process: subprocess.Popen[str]) -> None:
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors


def _waits(process: subprocess.Popen[str]) -> bool:
    try:
        process.wait(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


@pytest.fixture
def data(bucket: Bucket) -> None:
    """A dataset of which half is cached: loaded, or read."""
    for number in range(8):
        bucket.put(f"{number}.bin", bytes([number]) * 100_000)
    dataset = apply_bucket_dataset(connect(), bucket, "data")
    dataset.load("/0.bin", "/1.bin").wait(timeout=60)
    FluidFileSystem(skip_instance_cache=True).cat(["default/data/2.bin", "default/data/3.bin"])


def test_warm_reads_wait_for_nobody(data: None, home: Path) -> None:
    """A new process opens cached files and looks them up while others write to the index and to the registry."""
    with _held(home / "cache.db"), _held(home / "registry.db"):
        _must_end_well(_reader(0, 4))


def test_cold_reads_wait_and_go_on(data: None, home: Path) -> None:
    """What must be recorded waits until the other one has done."""
    with _held(home / "cache.db"):
        reader = _reader(4, 8)
        assert _waits(reader)
    _must_end_well(reader)
    assert connect().cache.verify() == []


@pytest.mark.parametrize("how", ["IMMEDIATE", "EXCLUSIVE"])
def test_declaring_waits_and_is_not_lost(data: None, bucket: Bucket, home: Path, how: str, tmp_path: Path) -> None:
    """`apply` ends when the registry is free again, and everything is there."""
    import yaml

    file = tmp_path / "more.yaml"
    file.write_text(yaml.safe_dump(dataset_manifest("more", bucket.url, options=bucket.options)))
    with _held(home / "registry.db", how):
        command = [sys.executable, "-m", "datafluid", "apply", "-f", str(file), "--wait"]
        apply = subprocess.Popen(command, env=os.environ.copy(), stderr=subprocess.PIPE, text=True)
        assert _waits(apply)
    _must_end_well(apply)
    assert [each.name for each in connect().datasets()] == ["data", "more"]


def test_giving_up_says_who_is_to_blame(data: None, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, here much less, it is an error that says what to do; and all is well afterwards."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.2)
    fs = FluidFileSystem(skip_instance_cache=True)
    with _held(home / "cache.db"), pytest.raises(Unavailable, match=r"locked by others.*Try again"):
        fs.cat("default/data/5.bin")
    assert fs.cat("default/data/5.bin") == bytes([5]) * 100_000
