"""Children of a process that has already fetched something read misses too; see also tests/faults/test_workers.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

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


def test_a_child_and_its_child(data: None, tmp_path: Path) -> None:
    """`os.fork` twice."""
    run(_FORK, tmp_path)
