"""Loads that die, are stopped, or find no room: no wrong byte, and what was fetched is not fetched again."""

from __future__ import annotations

import os
import random
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client, connect
from datafluid.errors import OperationFailed
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest
from tests.relay import Relay

pytestmark = pytest.mark.slow

MIB = 1 << 20
SIZES = {"big.bin": 40 * MIB + 17, **{f"small/{number:02}.bin": 64 * 1024 + number for number in range(20)}}


def content(key: str) -> bytes:
    """The bytes of a key: the same each time, and no two alike."""
    return random.Random(key).randbytes(SIZES[key])


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


@pytest.fixture
def slow(bucket: Bucket) -> Iterator[Relay]:
    """The server behind a relay that lets a third of the bytes through."""
    for key in SIZES:
        bucket.put(key, content(key))
    relay = Relay(bucket.server.endpoint, limit=14 * MIB)
    yield relay
    relay.close()


@pytest.fixture
def dataset(client: Client, bucket: Bucket, slow: Relay) -> DatasetHandle:
    """A dataset whose bytes come through the relay."""
    client.apply(dataset_manifest("data", bucket.url, options={**bucket.options, "endpoint": slow.endpoint}))
    handle = client.dataset("data")
    handle.wait(timeout=60)
    return handle


def worker_pid(home: Path) -> int:
    """The process of the one load that runs in a home."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"datafluid.engine.worker" in words and str(home).encode() in words:
                found.append(int(entry.name))
    (pid,) = found
    return pid


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, and reap it if it is ours to reap."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        with suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as process:
            poll = select.poll()  # a test process has more descriptors open than select takes
            poll.register(process, select.POLLIN)
            poll.poll(30_000)


def fetched(progress: Any) -> int:
    """Bytes that a finished load says it has done."""
    return int(progress["bytesDone"])


def test_a_killed_load_leaves_right_bytes_and_goes_on(
    home: Path, client: Client, dataset: DatasetHandle, slow: Relay, bucket: Bucket
) -> None:
    """`kill -9` in the middle: a reader sees the source's bytes, and the next one resumes the load."""
    load = dataset.load(name="warm")
    assert slow.blocked.wait(timeout=60)
    pid = worker_pid(home)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    slow.release()

    fs = FluidFileSystem()
    for key in SIZES:
        assert fs.cat(f"default/data/{key}") == content(key), key

    assert load.wait(timeout=120).phase == "Complete"
    before = len(bucket.gets())
    for key in SIZES:
        assert fs.local_path(f"default/data/{key}") is not None
        assert fs.cat(f"default/data/{key}") == content(key)
    assert len(bucket.gets()) == before


def test_a_resumed_load_fetches_only_what_is_missing(
    home: Path, client: Client, dataset: DatasetHandle, slow: Relay
) -> None:
    """What was recorded before the kill is not fetched again: by the bytes that pass the relay."""
    load = dataset.load(name="warm")
    assert slow.blocked.wait(timeout=60)
    pid = worker_pid(home)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    before, total = slow.passed, sum(SIZES.values())
    slow.release()

    client.run_due(wait=True)
    assert load.wait(timeout=120).phase == "Complete"
    in_flight = 12 * 5 * MIB  # at most a piece of 4 MiB and a chunk of 1 MiB for each of twelve fetches
    assert slow.passed - before <= max(total - before, 0) + min(in_flight, before) + 2 * MIB
    for key in SIZES:
        assert FluidFileSystem().cat(f"default/data/{key}") == content(key), key


def test_a_cancelled_load_stops_and_what_it_has_stays_right(
    home: Path, client: Client, dataset: DatasetHandle, slow: Relay
) -> None:
    """Cancelling ends the process and the operation; reads go on from what is there."""
    load = dataset.load(name="warm")
    assert slow.blocked.wait(timeout=60)
    pid = worker_pid(home)
    load.cancel()
    with pytest.raises(OperationFailed, match=r"[Cc]ancel"):
        load.wait(timeout=60)
    wait_until_gone(pid)
    slow.release()
    for key in SIZES:
        assert FluidFileSystem().cat(f"default/data/{key}") == content(key), key


def test_deleting_a_running_load_stops_it(home: Path, client: Client, dataset: DatasetHandle, slow: Relay) -> None:
    """The process ends, and the object is gone."""
    dataset.load(name="warm")
    assert slow.blocked.wait(timeout=60)
    pid = worker_pid(home)
    slow.release()
    client.delete("dataload", "warm")
    wait_until_gone(pid)
    assert client.list("DataLoad") == []


def test_a_load_that_cannot_fit_fails_before_it_fetches(client: Client, bucket: Bucket, tmp_path: Path) -> None:
    """It says how much there is and how much fits; nothing is cached, and reading still works."""
    bucket.put("big.bin", content("big.bin"))
    (tmp_path / "cache").mkdir()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tmp_path / "cache", quota="20Mi"))
    dataset = client.dataset("data")
    dataset.wait(timeout=60)
    with pytest.raises(OperationFailed, match=r"40\.00MiB do not fit into the cache of 20\.00MiB"):
        dataset.load(name="warm").wait(timeout=60)
    assert bucket.gets() == []
    assert any("do not fit" in event.message for event in client.events("dataload", "warm"))
    assert FluidFileSystem().cat("default/data/big.bin") == content("big.bin")


def test_an_object_that_changes_during_the_load_is_loaded_whole(
    client: Client, dataset: DatasetHandle, slow: Relay, bucket: Bucket
) -> None:
    """The new version is cached, never a mixture."""
    load = dataset.load(name="warm")
    assert slow.blocked.wait(timeout=60)
    new = bytes(len(content("big.bin")))
    bucket.put("big.bin", new)
    slow.release()
    assert load.wait(timeout=120).phase == "Complete"
    fs = FluidFileSystem()
    fs.invalidate_cache("default/data/big.bin")
    assert fs.cat("default/data/big.bin") == new
