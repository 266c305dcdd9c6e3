"""A load that dies at any of its steps: each write, rename, change of mode, unlink and commit, one after the other."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine.loader import Loader
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_ROOT = Path(__file__).resolve().parents[2]
_FILES = {"a.bin": 5 * (1 << 20) + 3, "b/c.parquet": 70_000, "b/empty": 0}


def _load(home: Path, die_at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.crashing", "default/data", str(die_at)],
        cwd=_ROOT,
        env=os.environ | {"DATAFLUID_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _cached_files(home: Path) -> list[os.stat_result]:
    """What lies in the cache, seen from outside."""
    found = []
    for top, _, names in os.walk(home):
        if "/.datafluid-" in top:
            found += [os.lstat(os.path.join(top, name)) for name in names]
    return found


def _must_be_sound(home: Path, content: dict[str, bytes]) -> None:
    """Right bytes at once; a load that completes; an account that is what lies there; nothing left over."""
    client = connect()
    fs = FluidFileSystem(skip_instance_cache=True)
    for key, expected in content.items():
        assert fs.cat(f"default/data/{key}") == expected, key
    loaded = Loader(client.dataset("data").volume()).load()
    assert (loaded.files, loaded.failed) == (len(content), 0)
    assert all(fs.local_path(f"default/data/{key}") is not None for key in content)
    assert client.cache.verify() == []
    files = _cached_files(home)
    used = sum(tier.used for tier in client.cache.status().tiers)
    assert len(files) == len(content), sorted(str(each) for each in home.rglob("*") if "/.datafluid-" in str(each))
    assert {oct(status.st_mode & 0o777) for status in files} == {"0o400"}
    assert sum(status.st_blocks * 512 for status in files) <= used <= sum(status.st_size + 4096 for status in files)


@pytest.mark.slow
def test_dying_at_every_step(bucket: Bucket, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever step was the last: readers see right bytes, the next load completes, the account is right."""
    source = random.Random(seed)
    content = {key: source.randbytes(size) for key, size in _FILES.items()}
    for key, data in content.items():
        bucket.put(key, data)

    def fresh(name: str) -> Path:
        monkeypatch.setenv("DATAFLUID_HOME", str(tmp_path / name))
        apply_bucket_dataset(connect(), bucket, "data")
        return tmp_path / name

    steps = int(_load(fresh("whole"), 0).stdout)
    assert steps > len(_FILES) * 3  # each file is at least written or made, sealed, and recorded
    killed = 0
    for point in range(1, steps + 1):
        place = fresh(f"home-{point}")
        died = _load(place, point)
        assert died.returncode in (-signal.SIGKILL, 0), died.stderr
        killed += died.returncode != 0
        _must_be_sound(place, content)
        shutil.rmtree(place)
    assert killed >= steps - 4  # threads make the number of steps vary by a few
