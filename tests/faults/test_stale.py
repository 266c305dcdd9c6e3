"""A site whose link is down: what is cached goes on being served where that is wanted, and the status says so."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from datafluid.client import connect
from datafluid.engine import looking
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest
from tests.faults.store_proxy import Proxy

_ROOT = "default/data"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers of this process notice the return of a store sooner than they would."""
    monkeypatch.setattr(looking, "_PATIENT", 1)


def _declare(bucket: Bucket, proxy: Proxy, seed: int, **annotations: str) -> dict[str, bytes]:
    source = random.Random(seed)
    content = {f"dir/{number}.bin": source.randbytes(50_000 + number) for number in range(5)}
    for key, data in content.items():
        bucket.put(key, data)
    marks = {f"datafluid.io/{key}": value for key, value in annotations.items()}
    options = {**bucket.options, "endpoint": proxy.endpoint}
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=options, annotations=marks))
    client.dataset("data").wait(timeout=60)
    client.dataset("data").load().wait(timeout=60)
    return content


def test_an_edge_site_goes_on(bucket: Bucket, proxy: Proxy, seed: int) -> None:
    """Reads, listings and a new process work; what is not known is an error and no "no"; the return is noticed."""
    content = _declare(bucket, proxy, seed, refresh="open", offline="serve-stale")
    bucket.put("dir/unknown.bin", b"never listed")
    fs = FluidFileSystem(skip_instance_cache=True)
    proxy.down = True
    for key, data in content.items():
        assert fs.cat(f"{_ROOT}/{key}") == data
        assert fs.info(f"{_ROOT}/{key}")["size"] == len(data)
    assert len(fs.ls(f"{_ROOT}/dir")) == len(content)
    tried = proxy.tried
    for key, data in content.items():
        assert fs.cat(f"{_ROOT}/{key}") == data
    assert proxy.tried == tried  # not a timeout a read: the store was asked a moment ago
    with pytest.raises(OSError, match="away") as caught:
        fs.exists(f"{_ROOT}/other/unknown.bin")
    assert not isinstance(caught.value, FileNotFoundError)
    code = f"import fsspec; print(len(fsspec.filesystem('fluid').cat('{_ROOT}/dir/0.bin')))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert int(other.stdout) == len(content["dir/0.bin"])

    proxy.down = False
    new = bytes(10)
    bucket.put("dir/0.bin", new)
    back = FluidFileSystem(skip_instance_cache=True)
    back.invalidate_cache(_ROOT)
    _until(lambda: back.cat(f"{_ROOT}/dir/0.bin") == new)


def test_forgetting_while_the_store_is_away_loses_nothing(bucket: Bucket, proxy: Proxy, seed: int) -> None:
    """`datafluid refresh` and `invalidate_cache` make the next read ask; what was known is still the answer."""
    content = _declare(bucket, proxy, seed, offline="serve-stale", refresh="never")
    bucket.put("dir/new.bin", b"new")
    proxy.down = True
    connect().dataset("data").refresh()
    for again in (FluidFileSystem(skip_instance_cache=True), FluidFileSystem(skip_instance_cache=True)):
        again.invalidate_cache(f"{_ROOT}/dir/0.bin")
        assert again.find(_ROOT) == sorted(f"{_ROOT}/{key}" for key in content)
        assert [again.cat(f"{_ROOT}/{key}") for key in content] == list(content.values())
        assert again.du(_ROOT) == sum(map(len, content.values()))
        with pytest.raises(OSError, match="away"):
            again.info(f"{_ROOT}/dir/new.bin")
    proxy.down = False
    back = FluidFileSystem(skip_instance_cache=True)
    _until(lambda: f"{_ROOT}/dir/new.bin" in back.find(_ROOT))
    (bucket.server.root / bucket.name / "dir/1.bin").unlink()
    back.invalidate_cache(_ROOT)
    assert not back.exists(f"{_ROOT}/dir/1.bin")
    proxy.down = True
    back.invalidate_cache(_ROOT)
    with pytest.raises(OSError, match=r"(away|exist)"):  # what the store said was gone is not shown again
        back.cat(f"{_ROOT}/dir/1.bin")


def test_a_directory_that_is_not_mounted_is_not_empty(tmp_path: Path, seed: int) -> None:
    """A local under-store that has gone is away: cached files are served, others are no "no"."""
    (tmp_path / "disk").mkdir()
    data = random.Random(seed).randbytes(10_000)
    for name in ("cached.bin", "other.bin"):
        (tmp_path / "disk" / name).write_bytes(data)
    client = connect()
    marks = {"datafluid.io/offline": "serve-stale", "datafluid.io/refresh": "open"}
    client.apply(dataset_manifest("data", f"local://{tmp_path / 'disk'}", annotations=marks))
    client.dataset("data").wait(timeout=60)
    client.dataset("data").load("/cached.bin").wait(timeout=60)
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat(f"{_ROOT}/cached.bin") == data
    with pytest.raises(OSError, match=r"(is not there|away)") as caught:
        fs.info(f"{_ROOT}/third.bin")
    assert not isinstance(caught.value, FileNotFoundError)
    (tmp_path / "unplugged").rename(tmp_path / "disk")
    back = FluidFileSystem(skip_instance_cache=True)
    _until(lambda: back.cat(f"{_ROOT}/other.bin") == data)


def test_without_it_an_old_listing_is_not_believed(bucket: Bucket, proxy: Proxy, seed: int) -> None:
    """By default a read that must ask says that the store is away, and works again when it is back."""
    content = _declare(bucket, proxy, seed, refresh="open")
    fs = FluidFileSystem(skip_instance_cache=True)
    proxy.down = True
    with pytest.raises(OSError, match="cannot be reached") as caught:
        fs.cat(f"{_ROOT}/dir/0.bin")
    assert not isinstance(caught.value, FileNotFoundError)
    proxy.down = False
    assert fs.cat(f"{_ROOT}/dir/0.bin") == content["dir/0.bin"]


def test_the_status_says_since_when(bucket: Bucket, proxy: Proxy, seed: int) -> None:
    """A condition appears when the store is away, keeps its time, and goes when the store is back."""
    _declare(bucket, proxy, seed, offline="serve-stale")
    plane = connect().plane
    ref = connect().dataset("data").ref

    def away() -> list[dict[str, str]]:
        plane.controller.look_whether_reachable(ref)
        conditions = plane.get(ref)["status"]["conditions"]
        return [each for each in conditions if each["type"] == "UnderStoreAway"]

    assert away() == []
    proxy.down = True
    (first,) = away()
    assert "complete cached files are served" in first["message"]
    (second,) = away()
    assert second["lastTransitionTime"] == first["lastTransitionTime"]
    proxy.down = False
    assert away() == []


def _until(holds: object) -> None:
    import time

    end = time.monotonic() + 30
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end, "the return of the store was not noticed"
        time.sleep(0.2)
