"""Eight processes that know nothing of each other, and a quota smaller than what they want."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest

_MIB = 1 << 20
_QUOTA = 24 * _MIB
_PROCESSES = 8
_EXTENT = 8 * _MIB  # one fetch of read-ahead
_READER = """
import hashlib, random, sys, fsspec
fs = fsspec.filesystem("fluid")
names = sys.argv[2:]
random.Random(sys.argv[1]).shuffle(names)
for name in names:
    digest = hashlib.sha256()
    with fs.open(f"default/data/{name}") as file:
        while block := file.read(300_000):
            digest.update(block)
    print(name, digest.hexdigest())
"""


class Sampler(threading.Thread):
    """Adds up, from outside, what lies on the disk below a directory, again and again, and keeps the highest."""

    def __init__(self, directory: Path) -> None:
        super().__init__(daemon=True)
        self.highest = 0
        self.samples = 0
        self._directory = directory
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(0.005):
            self.highest = max(self.highest, self._sum())
            self.samples += 1

    def stop(self) -> None:
        self._end.set()
        self.join()

    def _sum(self) -> int:
        total = 0
        for top, _, names in os.walk(self._directory):
            for name in names:
                try:
                    total += os.lstat(os.path.join(top, name)).st_blocks * 512
                except FileNotFoundError:
                    continue
        return total


def test_the_quota_holds_over_processes(bucket: Bucket, tmp_path: Path, seed: int, long: bool) -> None:
    """Right bytes for all; neither the account nor the disk goes over, but for an extent a writer."""
    source = random.Random(seed)
    content = {f"{number}.bin": source.randbytes(4 * _MIB + number) for number in range(12)}
    for key, data in content.items():
        bucket.put(key, data)
    cache = tmp_path / "cache"
    cache.mkdir()
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", cache, quota="24Mi"))
    client.dataset("data").wait(timeout=60)
    expected = {f"{key} {hashlib.sha256(data).hexdigest()}" for key, data in content.items()}

    sampler = Sampler(cache)
    sampler.start()
    accounts = []
    for turn in range(20 if long else 1):
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", _READER, f"{seed} {turn} {number}", *content], stdout=subprocess.PIPE, text=True
            )
            for number in range(_PROCESSES)
        ]
        while any(reader.poll() is None for reader in readers):
            accounts += [tier.used for tier in client.cache.status().tiers]
        for reader in readers:
            output, _ = reader.communicate()
            assert reader.returncode == 0
            assert set(output.splitlines()) == expected
    sampler.stop()
    assert sampler.samples > 10
    assert max(accounts) <= _QUOTA
    assert sampler.highest <= _QUOTA + _PROCESSES * _EXTENT
    assert sampler.highest > _QUOTA // 2  # it was worth it
    assert client.cache.status().metrics["evictions"] > 0
    assert client.cache.verify() == []


def test_what_is_pinned_stays(bucket: Bucket, tmp_path: Path, seed: int) -> None:
    """Reading more than fits evicts everything but what is pinned."""
    from fluid_fsspec import FluidFileSystem

    source = random.Random(seed)
    content = {f"{number}.bin": source.randbytes(4 * _MIB) for number in range(10)}
    for key, data in content.items():
        bucket.put(key, data)
    (tmp_path / "cache").mkdir()
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tmp_path / "cache", quota="24Mi"))
    client.dataset("data").wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat("default/data/3.bin") == content["3.bin"]
    assert client.cache.pin("default/data/3.bin") == (1, 0)
    for key, data in content.items():
        assert fs.cat(f"default/data/{key}") == data
    assert client.cache.status().metrics["evictions"] > 0
    before = len(bucket.gets())
    assert fs.cat("default/data/3.bin") == content["3.bin"]
    assert len(bucket.gets()) == before


_DIES = """
import os, signal, datafluid
from datafluid.engine.understore.port import ObjectInfo
volume = datafluid.connect().dataset("data").volume()
info = ObjectInfo(key="0.bin", size=20 << 20, version="dead", mtime=None)
(filling,) = volume.cache.begin([(volume.cache.wanted("nobody/", info), info.size)], volume.binding.tiers)
filling.write(0, bytes(1 << 20))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_the_dead_had_reserved_is_free_again(bucket: Bucket, tmp_path: Path, seed: int) -> None:
    """A process that had reserved most of the quota is killed: the next one has room, and nothing wrong is read."""
    from fluid_fsspec import FluidFileSystem

    data = random.Random(seed).randbytes(20 * _MIB)
    bucket.put("0.bin", data)
    (tmp_path / "cache").mkdir()
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tmp_path / "cache", quota="24Mi"))
    client.dataset("data").wait(timeout=60)
    died = subprocess.run([sys.executable, "-c", _DIES], capture_output=True, text=True, timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert client.dataset("data").load().wait(timeout=60).phase == "Complete"
    assert FluidFileSystem(skip_instance_cache=True).cat("default/data/0.bin") == data
    assert Sampler(tmp_path / "cache")._sum() <= _QUOTA
