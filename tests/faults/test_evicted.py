"""Files that are evicted while somebody has them: an open handle, a mapping, an Arrow file keep their bytes."""

from __future__ import annotations

import itertools
import mmap
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import connect
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, dataset_manifest, runtime_manifest

_SIZE = 3_000_000
_MIB = 1 << 20
_PATH = "default/data/data.bin"
_OTHERS = """
import sys, fsspec
fs = fsspec.filesystem("fluid")
for number in range(20):
    assert len(fs.cat(f"default/data/other-{number}.bin")) == 2 << 20
"""


@pytest.fixture
def data(bucket: Bucket, seed: int) -> bytes:
    """The object's bytes."""
    content = random.Random(seed).randbytes(_SIZE)
    bucket.put("data.bin", content)
    return content


def _held(fs: FluidFileSystem) -> dict[str, Callable[[], bytes]]:
    """Every way to have a cached file, each opened now and read when it is called."""
    handle = fs.open(_PATH)
    with fs.open(_PATH) as file:
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    arrow = fs.to_arrow().open_input_file(_PATH)
    stream = fs.to_arrow().open_input_stream(_PATH)
    first = handle.read(1000)
    return {
        "handle": lambda: first + handle.read(),
        "map": lambda: mapping[:],
        "Arrow file": lambda: arrow.read(_SIZE),
        "Arrow stream": lambda: stream.read(_SIZE),
    }


def _must_be_gone_and_come_back(fs: FluidFileSystem, cached: Path, bucket: Bucket, data: bytes) -> None:
    assert not cached.exists()
    before = len(bucket.gets())
    assert fs.cat(_PATH) == data
    assert len(bucket.gets()) > before  # the next reader fetches


def test_who_has_it_keeps_it(bucket: Bucket, data: bytes) -> None:
    """`cache evict` takes the name away, and nobody's bytes."""
    client = connect()
    apply_bucket_dataset(client, bucket, "data").load().wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    cached = Path(fs.local_path(_PATH))
    held = _held(fs)
    assert client.cache.evict("default/data").files == 1
    _must_be_gone_and_come_back(fs, cached, bucket, data)
    for how, read in held.items():
        assert read() == data, how


def test_another_process_that_needs_the_room(bucket: Bucket, data: bytes, tmp_path: Path) -> None:
    """Evicted by the quota, from outside: whoever has it does not notice."""
    for number in range(20):
        bucket.put(f"other-{number}.bin", bytes([number]) * 2 * _MIB)
    (tmp_path / "cache").mkdir()
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tmp_path / "cache", quota="16Mi"))
    client.dataset("data").wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat(_PATH) == data
    cached = Path(fs.local_path(_PATH))
    held = _held(fs)
    subprocess.run([sys.executable, "-c", _OTHERS], env=os.environ.copy(), timeout=60, check=True)
    _must_be_gone_and_come_back(fs, cached, bucket, data)
    for how, read in held.items():
        assert read() == data, how


@pytest.mark.parametrize("again", [False, True], ids=["once", "each time"])
def test_evicted_between_the_look_and_the_open(
    bucket: Bucket, data: bytes, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was complete a moment ago is gone: it is fetched, or read past the cache, and never called missing."""
    client = connect()
    dataset = apply_bucket_dataset(client, bucket, "data")
    dataset.load().wait(timeout=60)
    volume = dataset.volume()
    begin, looks = volume.cache.begin, itertools.count()

    def and_evict(*arguments: Any) -> Any:
        if next(looks) and again:
            dataset.load().wait(timeout=60)
        found = begin(*arguments)
        client.cache.evict("default/data")
        return found

    monkeypatch.setattr(volume.cache, "begin", and_evict)
    with volume.open("data.bin") as reader:
        assert reader.pread(0, _SIZE) == data


def test_half_of_it_is_there(bucket: Bucket, seed: int) -> None:
    """Evicted while a reader fills it: the reader goes on with right bytes, and so does the next one."""
    data = random.Random(seed).randbytes(24 * _MIB)
    bucket.put("data.bin", data)
    client = connect()
    apply_bucket_dataset(client, bucket, "data")
    fs = FluidFileSystem(skip_instance_cache=True)
    with fs.open(_PATH) as first:
        got = first.read(2 * _MIB)
        client.cache.evict("default/data")
        with fs.open(_PATH) as second:
            assert second.read(_MIB) == data[:_MIB]
            client.cache.evict("default/data")
            got += first.read()
            assert second.read() == data[_MIB:]
    assert got == data
    assert fs.cat(_PATH) == data
    assert client.cache.verify() == []
    assert client.dataset("data").load().wait(timeout=60).phase == "Complete"
