"""Workers of a DataLoader, however they are started, after the parent has fetched something itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from datafluid.client import connect
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_FILES = 12
_HAS_TORCH = find_spec("torch") is not None
_DATASET = """
import sys
import fsspec

class Files:
    \"\"\"A map-style dataset; the last of its files is not there.\"\"\"
    def __init__(self, count):
        self.fs, self.count = fsspec.filesystem("fluid"), count
    def __len__(self):
        return self.count
    def __getitem__(self, number):
        try:
            with self.fs.open(f"default/data/{number}.bin") as file:
                data = file.read()
        except FileNotFoundError as error:
            return str(error)
        assert data == bytes([number]) * 50_000, number
        return len(data)

def check(found):
    assert found[:-1] == [50_000] * (len(found) - 1), found
    assert "missing.bin" in found[-1] or "does not exist" in found[-1], found
"""
_TORCH = (
    _DATASET
    + """
if __name__ == "__main__":
    from torch.utils.data import DataLoader
    files = Files(13)
    assert files[0] == 50_000                      # the parent has read what was not cached
    loader = DataLoader(files, batch_size=None, num_workers=2, multiprocessing_context=sys.argv[1])
    check(list(loader))
    check(list(loader))                            # a second epoch, with new workers
    print("right")
"""
)
_POOL = (
    _DATASET
    + """
if __name__ == "__main__":
    import multiprocessing
    files = Files(13)
    assert files[0] == 50_000
    for epoch in range(2):
        with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
            check(pool.map(files.__getitem__, range(13)))
    print("right")
"""
)
_KILLED = """
import os, signal, sys, time
import fsspec

def helpers():
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = open(f"/proc/{name}/cmdline", "rb").read().split(b"\\0")
        except OSError:
            continue
        if b"datafluid.engine.forked" in words and os.environ["DATAFLUID_HOME"].encode() in words:
            found.append(int(name))
    return found

def until(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, helpers()
        time.sleep(0.02)

fs = fsspec.filesystem("fluid")
assert fs.cat("default/data/0.bin") == bytes([0]) * 50_000
child = os.fork()
if child == 0:
    assert fs.cat("default/data/1.bin") == bytes([1]) * 50_000
    (helper,) = helpers()
    os.kill(helper, signal.SIGKILL)                # the helper dies: an error at most, and the next read has a new one
    until(lambda: helper not in helpers())
    try:
        fs.cat("default/data/2.bin")
    except ConnectionError as error:
        assert "Read again" in str(error), error
    assert fs.cat("default/data/2.bin") == bytes([2]) * 50_000
    os.kill(os.getpid(), signal.SIGKILL)           # the child dies: its helper ends with it
assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
until(lambda: helpers() == [])
print("right")
"""

_GONE = """
import os, sys
import fsspec

fs = fsspec.filesystem("fluid")
assert fs.cat("default/data/0.bin") == bytes([0]) * 50_000
fs.info("default/data/1.bin")
os.unlink(sys.argv[1])
child = os.fork()
if child == 0:
    try:
        fs.cat("default/data/1.bin")
    except FileNotFoundError as error:
        assert str(error).endswith("'1.bin' does not exist. Check the mount point and the path."), error
        os._exit(0)
    os._exit(1)
assert os.waitpid(child, 0)[1] == 0
print("right")
"""


@pytest.fixture
def data(bucket: Bucket) -> None:
    """Twelve files, none of them cached."""
    for number in range(_FILES):
        bucket.put(f"{number}.bin", bytes([number]) * 50_000)
    apply_bucket_dataset(connect(), bucket, "data")


def _run(program: str, directory: Path, *arguments: str) -> None:
    file = directory / "program.py"
    file.write_text(program)
    command = [sys.executable, str(file), *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
        start_new_session=True,
    ) as started:
        try:
            output, errors = started.communicate(timeout=120)
        except subprocess.TimeoutExpired:  # a hang is a failure, and leaves no workers behind
            os.killpg(started.pid, signal.SIGKILL)
            raise
    assert started.returncode == 0, errors[-3000:]
    assert output == "right\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools(data: None, tmp_path: Path, method: str) -> None:
    """They read what nobody has read, and what is not there is FileNotFoundError in a child, too."""
    _run(_POOL, tmp_path, method)


@pytest.mark.skipif(not _HAS_TORCH, reason="needs PyTorch: run `make setup-torch`")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_torch(data: None, tmp_path: Path, method: str) -> None:
    """The same through `torch.utils.data.DataLoader`."""
    _run(_TORCH, tmp_path, method)


def test_helpers_and_children_that_are_killed(data: None, tmp_path: Path) -> None:
    """Whoever dies, nobody hangs, nothing stays behind, and nothing wrong is read."""
    _run(_KILLED, tmp_path)


def test_errors_are_worded_the_same_in_children(data: None, bucket: Bucket, tmp_path: Path) -> None:
    """What a helper meets reaches the child with its kind, its sentence and its hint."""
    _run(_GONE, tmp_path, str(bucket.server.root / bucket.name / "1.bin"))
