"""What dies at any of its steps: each write, rename, change of mode, unlink and commit, one after the other."""

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
from datafluid.engine.reconcile.values import find_condition
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_ROOT = Path(__file__).resolve().parents[2]
_FILES = {"a.bin": 5 * (1 << 20) + 3, "b/c.parquet": 70_000, "b/empty": 0}


def _run(home: Path, what: str, of: str, die_at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.crashing", what, of, str(die_at)],
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


def _must_be_right(home: Path, content: dict[str, bytes]) -> None:
    """All is cached, and reads right; the account is what lies there; nothing is left over."""
    client = connect()
    fs = FluidFileSystem(skip_instance_cache=True)
    assert {key: fs.cat(f"default/data/{key}") for key in content} == content
    assert all(fs.local_path(f"default/data/{key}") is not None for key in content)
    assert client.cache.verify() == []
    files = _cached_files(home)
    used = sum(tier.used for tier in client.cache.status().tiers)
    assert len(files) == len(content), sorted(str(each) for each in home.rglob("*") if "/.datafluid-" in str(each))
    assert {oct(status.st_mode & 0o777) for status in files} == {"0o400"}
    assert sum(status.st_blocks * 512 for status in files) <= used <= sum(status.st_size + 4096 for status in files)


@pytest.fixture
def content(bucket: Bucket, seed: int) -> dict[str, bytes]:
    """What the bucket holds."""
    source = random.Random(seed)
    found = {key: source.randbytes(size) for key, size in _FILES.items()}
    for key, data in found.items():
        bucket.put(key, data)
    return found


def test_dying_at_every_step(
    bucket: Bucket, content: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step was the last: readers see right bytes, the next load completes, the account is right."""

    def fresh(name: str) -> Path:
        monkeypatch.setenv("DATAFLUID_HOME", str(tmp_path / name))
        apply_bucket_dataset(connect(), bucket, "data")
        return tmp_path / name

    steps = int(_run(fresh("whole"), "load", "default/data", 0).stdout)
    assert steps > len(_FILES) * 3  # each file is at least written or made, sealed, and recorded
    killed = 0
    for point in range(1, steps + 1):
        place = fresh(f"home-{point}")
        died = _run(place, "load", "default/data", point)
        assert died.returncode in (-signal.SIGKILL, 0), died.stderr
        killed += died.returncode != 0
        fs = FluidFileSystem(skip_instance_cache=True)
        assert {key: fs.cat(f"default/data/{key}") for key in content} == content
        loaded = Loader(connect().dataset("data").volume()).load()
        assert (loaded.files, loaded.failed) == (len(content), 0)
        _must_be_right(place, content)
        shutil.rmtree(place)
    assert killed >= steps - 4  # threads make the number of steps vary by a few


def test_unpacking_dies_at_every_step(
    bucket: Bucket, content: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step was the last: files are cached whole or not at all, and unpacking again does the rest."""
    annotations = {"datafluid.io/offline": "serve-stale"}
    apply_bucket_dataset(connect(), bucket, "data", annotations=annotations).load().wait(timeout=60)
    archive = str(tmp_path / "home.tar")
    connect().cache.pack(archive)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)  # nothing can be fetched there

    def fresh(name: str) -> Path:
        monkeypatch.setenv("DATAFLUID_HOME", str(tmp_path / name))
        return tmp_path / name

    whole = _run(fresh("whole"), "unpack", archive, 0)
    assert whole.returncode == 0, whole.stderr
    steps = int(whole.stdout)
    assert steps > len(_FILES) * 3
    for point in range(1, steps + 1):
        place = fresh(f"home-{point}")
        died = _run(place, "unpack", archive, point)
        assert died.returncode == -signal.SIGKILL, f"step {point}: {died.stderr}"
        client = connect()
        present = sum(each.files - each.partial for each in client.cache.status().datasets)
        assert client.cache.verify() == []
        _must_be_right_or_unknown(content)
        done = client.cache.unpack(archive)
        assert (done.present, done.files) == (present, len(content) - present), f"step {point}"
        status = client.plane.get(client.dataset("data").ref)["status"]
        assert (status["phase"], status["fileNum"]) == ("Bound", str(len(content))), f"step {point}"
        assert find_condition(status, "UnderStoreAway"), f"step {point}"
        _must_be_right(place, content)
        shutil.rmtree(place)


def _must_be_right_or_unknown(content: dict[str, bytes]) -> None:
    """A file that is there already reads right; of another nobody says that there is none."""
    fs = FluidFileSystem(skip_instance_cache=True)
    for key, data in content.items() if connect().datasets() else ():
        try:
            assert fs.cat(f"default/data/{key}") == data
        except OSError as error:
            assert not isinstance(error, FileNotFoundError), error
