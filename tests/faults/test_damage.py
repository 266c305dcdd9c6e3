"""Cached files that somebody has damaged behind the cache's back: never a wrong byte."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from datafluid.client import connect
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, dataset_manifest, runtime_manifest

_SIZE = 3_000_000


def _truncated(path: Path) -> None:
    path.chmod(0o600)
    os.truncate(path, _SIZE // 2)


def _extended(path: Path) -> None:
    path.chmod(0o600)
    with path.open("ab") as file:
        file.write(b"more")


def _flipped(path: Path) -> None:
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.seek(_SIZE // 3)
        (byte,) = file.read(1)
        file.seek(_SIZE // 3)
        file.write(bytes([byte ^ 1]))


def _flipped_with_old_times(path: Path) -> None:
    status = path.stat()
    _flipped(path)
    path.chmod(0o400)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _replaced(path: Path) -> None:
    path.unlink()
    path.write_bytes(bytes(_SIZE))


def _by_a_link(path: Path) -> None:
    other = path.parent.parent / "other"
    other.write_bytes(bytes(_SIZE))
    path.unlink()
    path.symlink_to(other)


def _by_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _by_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage",
    [
        _truncated,
        _extended,
        _flipped,
        _flipped_with_old_times,
        Path.unlink,
        _replaced,
        _by_a_link,
        _by_a_directory,
        _by_a_pipe,
    ],
    ids=lambda damage: damage.__name__.strip("_"),
)
@pytest.mark.parametrize("who", ["same process", pytest.param("new process", marks=pytest.mark.slow)])
def test_a_damaged_file_is_never_served(damage: Callable[[Path], None], who: str, bucket: Bucket, seed: int) -> None:
    """The bytes of the source, whatever lies in the cache; afterwards a sound copy lies there again."""
    data = random.Random(seed).randbytes(_SIZE)
    bucket.put("data.bin", data)
    dataset = apply_bucket_dataset(connect(), bucket, "data")
    dataset.load().wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat("default/data/data.bin") == data
    cached = Path(fs.local_path("default/data/data.bin"))
    damage(cached)
    if who == "new process":
        assert _in_a_new_process() == data
    assert fs.cat("default/data/data.bin") == data
    with fs.open("default/data/data.bin") as file:
        assert file.read() == data
    dataset.load().wait(timeout=60)
    before = len(bucket.gets())
    assert fs.cat("default/data/data.bin") == data
    assert len(bucket.gets()) == before


def _in_a_new_process() -> bytes:
    command = [sys.executable, "-m", "datafluid", "cat", "default/data/data.bin"]
    return subprocess.run(command, capture_output=True, timeout=60, check=True).stdout


def test_verify_finds_what_opening_cannot(bucket: Bucket, seed: int) -> None:
    """A file that was damaged is named, removed, and fetched anew."""
    data = random.Random(seed).randbytes(_SIZE)
    bucket.put("data.bin", data)
    client = connect()
    apply_bucket_dataset(client, bucket, "data").load().wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    cached = Path(fs.local_path("default/data/data.bin"))
    _flipped_with_old_times(cached)
    (damaged,) = client.cache.verify()
    assert str(cached) in damaged
    assert not cached.exists()
    assert fs.cat("default/data/data.bin") == data


_NO_DESCRIPTORS = """
import errno, os, resource, fsspec
fs = fsspec.filesystem("fluid")
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
assert len(fs.cat_file("default/data/c.bin")) > 0          # the index and the tier are open
held = []
try:
    while True:
        held.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
for path in ("default/data/a.bin", "default/data/b.bin"):
    try:
        fs.cat_file(path)
    except OSError as error:
        assert error.errno == errno.EMFILE, error
    else:
        raise AssertionError("it was read without a descriptor")
for fd in held:
    os.close(fd)
print(len(fs.cat_file("default/data/a.bin")), len(fs.cat_file("default/data/b.bin")))
"""


def test_who_has_no_descriptors_left_loses_no_cached_file(bucket: Bucket, seed: int) -> None:
    """That a file cannot be opened is then no sign of damage: it stays, and is read later."""
    for name in ("a.bin", "b.bin", "c.bin"):
        bucket.put(name, random.Random(seed).randbytes(_SIZE))
    apply_bucket_dataset(connect(), bucket, "data").load().wait(timeout=60)
    before = bucket.requests()
    command = [sys.executable, "-c", _NO_DESCRIPTORS]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(_SIZE)] * 2
    assert bucket.requests() == before


@pytest.mark.parametrize("what", ["the tier", "our directory in it", "the directories in ours"])
def test_a_tier_that_is_removed_under_a_process(what: str, bucket: Bucket, seed: int, tmp_path: Path) -> None:
    """Who has used it goes on reading, the directories are made again, and what is read is cached again."""
    source = random.Random(seed)
    content = {f"{number}.bin": source.randbytes(100_000) for number in range(8)}
    for key, data in content.items():
        bucket.put(key, data)
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=bucket.options))
    client.apply(runtime_manifest("data", tmp_path / "tier"))
    client.dataset("data").wait(timeout=60)
    fs = FluidFileSystem(skip_instance_cache=True)
    paths = [f"default/data/{key}" for key in content]
    assert [fs.cat_file(path) for path in paths] == list(content.values())
    with fs.open(paths[0]) as held:
        (ours,) = (tmp_path / "tier").iterdir()
        for each in {"the tier": [tmp_path / "tier"], "our directory in it": [ours]}.get(what, list(ours.iterdir())):
            shutil.rmtree(each)
        for _ in range(2):
            assert [fs.cat_file(path) for path in paths] == list(content.values())
        assert held.read() == content["0.bin"]
    before = len(bucket.gets())
    assert [fs.cat_file(path) for path in paths] == list(content.values())
    assert len(bucket.gets()) == before
    assert client.dataset("data").load().wait(timeout=60).phase == "Complete"
    assert client.cache.verify() == []
