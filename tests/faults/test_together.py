"""Eight processes that read and load the same files at the same time; and what a warm read really does."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_READ = """
import hashlib, json, random, sys, fsspec
fs = fsspec.filesystem("fluid")
names = sys.argv[2:]
random.Random(sys.argv[1]).shuffle(names)
found = {}
sys.stdin.readline()                                       # all begin at once
for number, name in enumerate(names):
    path, digest = f"default/data/{name}", hashlib.sha256()
    if number % 3 == 0:
        digest.update(fs.cat_file(path))
    elif number % 3 == 1:
        with fs.open(path) as file:
            while block := file.read(70_000):
                digest.update(block)
    else:
        with fs.to_arrow().open_input_stream(path) as file:
            digest.update(file.read())
    found[name] = digest.hexdigest()
print(json.dumps(found))
"""
_LOAD = """
import hashlib, json, sys, datafluid, fsspec
sys.stdin.readline()
assert datafluid.connect().dataset("data").load().wait(timeout=120).phase == "Complete"
fs = fsspec.filesystem("fluid")
print(json.dumps({name: hashlib.sha256(fs.cat_file(f"default/data/{name}")).hexdigest() for name in sys.argv[2:]}))
"""
_WARM = """
import json, os, sys, fsspec

def files():
    links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return {(s.st_dev, s.st_ino) for link in links if os.path.lexists(link) and (s := os.stat(link))}

fs = fsspec.filesystem("fluid")
seen = {}
for path in sys.argv[1:]:
    fs.info(path)
    before = files()
    with fs.open(path) as file, fs.to_arrow().open_input_file(path) as arrow:
        now = os.fstat(file.fileno())
        assert file.read() == arrow.read() == fs.cat_file(path)
        opened = files() - before
    seen[path] = [now.st_dev, now.st_ino, sorted(map(list, opened))]
print(json.dumps(seen))
"""


def _files(bucket: Bucket, seed: int) -> dict[str, str]:
    """Objects of all sizes, and what their bytes hash to."""
    source = random.Random(seed)
    sizes = {
        "large.bin": 30_000_001,
        "medium.bin": 5 << 20,
        "empty": 0,
        **{f"s/{n}.bin": 90_000 + n for n in range(30)},
    }
    content = {key: source.randbytes(size) for key, size in sizes.items()}
    for key, data in content.items():
        bucket.put(key, data)
    return {key: hashlib.sha256(data).hexdigest() for key, data in content.items()}


def _at_once(programs: Sequence[str], names: Sequence[str]) -> list[dict[str, str]]:
    """Run programs that wait for each other, and what each has found."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(number), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, program in enumerate(programs)
    ]
    for each in running:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    found = []
    for each in running:
        output, errors = each.communicate(timeout=240)
        assert each.returncode == 0, errors[-3000:]
        found.append(json.loads(output))
    return found


def test_reading_and_loading_the_same_files(bucket: Bucket, home: Path, seed: int) -> None:
    """Four that load and four that read: right bytes for each, one file for each object, and an account of it."""
    expected = _files(bucket, seed)
    client = connect()
    apply_bucket_dataset(client, bucket, "data")
    assert _at_once([_LOAD, _READ] * 4, list(expected)) == [expected] * 8
    assert client.cache.verify() == []
    tops = [(top, names) for top, _, names in os.walk(home) if "/.datafluid-" in top]
    cached = [os.lstat(os.path.join(top, name)) for top, names in tops for name in names]
    assert len(cached) == len(expected)  # nothing half, nothing twice
    assert sum(tier.used for tier in client.cache.status().tiers) == sum(-(-s.st_size // 4096) * 4096 for s in cached)


def test_a_warm_read_opens_the_cached_file(bucket: Bucket, home: Path, seed: int) -> None:
    """By its inode, in a process of its own, and nothing is asked of the server; without the file it is asked again."""
    expected = _files(bucket, seed)
    client = connect()
    apply_bucket_dataset(client, bucket, "data").load().wait(timeout=60)
    before = bucket.requests()
    cached = {
        (status.st_dev, status.st_ino)
        for top, _, names in os.walk(home)
        if "/.datafluid-" in top
        for name in names
        if (status := os.lstat(os.path.join(top, name)))
    }
    opened = _opened(expected)
    assert bucket.requests() == before
    assert {(device, inode) for device, inode, _ in opened.values()} == cached
    for device, inode, files in opened.values():  # by the built-in file and by Arrow, and no other file is on their way
        assert [device, inode] in files
        assert {tuple(each) for each in files} & cached == {(device, inode)}

    client.cache.evict("default/data")
    asked = len(bucket.gets())
    command = [sys.executable, "-m", "datafluid", "cat", "default/data/large.bin"]
    read = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert hashlib.sha256(read.stdout).hexdigest() == expected["large.bin"]
    assert len(bucket.gets()) > asked


def _opened(names: dict[str, str]) -> dict[str, tuple[int, int, list[list[int]]]]:
    command = [sys.executable, "-c", _WARM, *(f"default/data/{name}" for name in names)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {path: (device, inode, files) for path, (device, inode, files) in json.loads(done.stdout).items()}
