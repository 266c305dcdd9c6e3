"""A disk that takes nothing more: readers go past the cache, loads say why they cannot, and what is declared stays."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine.cache.store import open_cache
from datafluid.engine.home import Home
from datafluid.errors import CacheFull, OperationFailed
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest

_MIB = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs root and the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_tier_on_a_full_disk(bucket: Bucket, small_disk: Path, seed: int) -> None:
    """The quota promises more than the disk has: right bytes all the same, and a load that says what is wrong."""
    source = random.Random(seed)
    content = {f"{number}.bin": source.randbytes(6 * _MIB) for number in range(6)}
    for key, data in content.items():
        bucket.put(key, data)
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", small_disk, quota="1Gi"))
    dataset = client.dataset("data")
    dataset.wait(timeout=60)
    (small_disk / "foreign").write_bytes(bytes(12 * _MIB))

    with pytest.raises(OperationFailed, match=r"(no room|is full)"):
        dataset.load().wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    for key, data in content.items():
        assert fs.cat(f"default/data/{key}") == data, key
        with fs.open(f"default/data/{key}") as file:
            assert b"".join(iter(lambda: file.read(100_000), b"")) == data, key

    (small_disk / "foreign").unlink()
    assert dataset.load("/0.bin").wait(timeout=60).phase == "Complete"
    before = len(bucket.gets())
    assert fs.cat("default/data/0.bin") == content["0.bin"]
    assert len(bucket.gets()) == before
    assert client.cache.verify() == []


def test_a_tier_that_becomes_read_only(bucket: Bucket, small_disk: Path, seed: int) -> None:
    """As the kernel makes a disk that has an error: the cached is read, the rest past the cache; loads go elsewhere."""
    source = random.Random(seed)
    content = {f"{number}.bin": source.randbytes(_MIB) for number in range(4)}
    for key, data in content.items():
        bucket.put(key, data)
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", small_disk))
    dataset = client.dataset("data")
    dataset.wait(timeout=60)
    dataset.load("/0.bin").wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat_file("default/data/1.bin", 0, 1000) == content["1.bin"][:1000]  # and a part of another one
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        for _ in range(2):
            for key, data in content.items():
                assert fs.cat_file(f"default/data/{key}") == data, key
                assert _run("cat", f"default/data/{key}").stdout == data, key
        with pytest.raises(CacheFull, match=r"read-only\. .* writable"):
            client.cache.evict("default/data")
        assert dataset.load().wait(timeout=60).phase == "Complete"  # the dataset's tier is found unusable, and moved
        assert [condition["type"] for condition in dataset.manifest["status"]["conditions"]] == [
            "Ready",
            "TierMoved",
        ]
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    before = len(bucket.gets())
    assert [fs.cat_file(f"default/data/{key}") for key in content] == list(content.values())
    assert len(bucket.gets()) == before
    assert client.cache.verify() == []
    assert client.cache.evict("default/data").files == len(content)


def test_a_home_on_a_full_disk(bucket: Bucket, small_disk: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was declared before the disk filled up is still there, readable, and works again afterwards."""
    data = random.Random(seed).randbytes(2 * _MIB)
    bucket.put("data.bin", data)
    monkeypatch.setenv("DATAFLUID_HOME", str(small_disk / "home"))
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.dataset("data").wait(timeout=60)
    fill = _fill_up(small_disk)
    fs = FluidFileSystem(skip_instance_cache=True)
    with pytest.raises(OSError, match=r"(free|Free|full)"):  # says what to do; nothing is half done
        client.apply(dataset_manifest("more", bucket.url, options=bucket.options))
    fill.unlink()
    assert [each.name for each in client.datasets()] == ["data"]
    assert fs.cat("default/data/data.bin") == data
    client.apply(dataset_manifest("more", bucket.url, options=bucket.options))
    assert client.dataset("more").wait(timeout=60).phase == "Bound"


def _fill_up(disk: Path) -> Path:
    fill = disk / "fill"
    with fill.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return fill


def test_new_processes_with_a_home_on_a_full_disk(
    bucket: Bucket, small_disk: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They see what is declared and read past the cache, whose index cannot be opened; who must write says why not."""
    data = random.Random(seed).randbytes(100_000)
    bucket.put("data.bin", data)
    home = small_disk / "home"
    monkeypatch.setenv("DATAFLUID_HOME", str(home))
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.dataset("data").wait(timeout=60)
    open_cache(Home.locate(home)).db.close()  # its journal goes with the last connection, as when a process ends
    fill = _fill_up(small_disk)

    read = _run("cat", "default/data/data.bin")
    assert read.stdout == data, read.stderr
    assert _run("ls", "default/data").stdout == b"data.bin\n"
    shown = json.loads(_run("get", "datasets", "-o", "json").stdout)
    (dataset,) = shown.get("items", [shown]) if isinstance(shown, dict) else shown
    assert dataset["status"]["cacheStates"]["cached"] == ""  # not known is not 0
    assert b"registry: sound" in _run("doctor").stdout
    refused = _run("load", "data")
    assert refused.returncode == 1
    assert f"the disk of {home} is full".encode() in refused.stderr
    assert b"Free some space" in refused.stderr

    fill.unlink()
    assert client.dataset("data").load().wait(timeout=60).phase == "Complete"
    before = len(bucket.gets())
    assert _run("cat", "default/data/data.bin").stdout == data
    assert len(bucket.gets()) == before


def _run(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "datafluid", *words], capture_output=True, timeout=60, check=False)
