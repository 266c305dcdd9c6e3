"""Children of a process that has already fetched something read misses too, whatever way they were started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_POOL = """
import multiprocessing, os, sys
from fluid_fsspec import FluidFileSystem

def read(name):
    return FluidFileSystem().cat(f"default/data/{name}")

if __name__ == "__main__":
    assert read("first.bin") == b"0" * 1000       # the parent has used its connections
    with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
        for number, data in enumerate(pool.map(read, [f"{n}.bin" for n in range(8)])):
            assert data == bytes([number]) * 100_000, number
    assert read("last.bin") == b"9" * 1000        # and can use them still
    print("right")
"""
_FORK = """
import os
from fluid_fsspec import FluidFileSystem

fs = FluidFileSystem()
assert fs.cat("default/data/first.bin") == b"0" * 1000
child = os.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild == 0:
        os._exit(0 if fs.cat("default/data/1.bin") == bytes([1]) * 100_000 else 1)
    right = fs.cat("default/data/2.bin") == bytes([2]) * 100_000 and fs.exists("default/data/3.bin")
    os._exit(0 if right and os.waitpid(grandchild, 0)[1] == 0 else 1)
assert os.waitpid(child, 0)[1] == 0
assert fs.cat("default/data/last.bin") == b"9" * 1000
print("right")
"""


@pytest.fixture
def data(bucket: Bucket) -> None:
    """A cold dataset."""
    bucket.put("first.bin", b"0" * 1000)
    bucket.put("last.bin", b"9" * 1000)
    for number in range(8):
        bucket.put(f"{number}.bin", bytes([number]) * 100_000)
    apply_bucket_dataset(connect(), bucket, "data")


def run(program: str, directory: Path, *arguments: str) -> None:
    """Run a program; a hang is a failure."""
    file = directory / "program.py"
    file.write_text(program)
    command = [sys.executable, str(file), *arguments]
    done = subprocess.run(command, env=os.environ.copy(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout == "right\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools(data: None, tmp_path: Path, method: str) -> None:
    """Workers of a pool read what nobody has read before."""
    run(_POOL, tmp_path, method)


def test_a_child_and_its_child(data: None, tmp_path: Path) -> None:
    """`os.fork` twice."""
    run(_FORK, tmp_path)
