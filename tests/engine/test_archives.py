"""A home that is packed and unpacked elsewhere: the same datasets, the same bytes, no store and no secrets."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from datafluid.client import Client, connect
from datafluid.engine.reconcile.values import find_condition
from datafluid.errors import CacheFull, Conflict, DatafluidError, NotFound
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import dataset_manifest, runtime_manifest
from tests.faults.store_proxy import Proxy

_STALE = {"datafluid.io/offline": "serve-stale"}
_ROOT = "default/data"


@dataclass
class Elsewhere:
    """Another home, on a site that no store can be reached from."""

    home: Path
    monkeypatch: pytest.MonkeyPatch

    def enter(self) -> Client:
        """From now on this process, and what it starts, works there."""
        self.monkeypatch.setenv("DATAFLUID_HOME", str(self.home))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self.monkeypatch.delenv(name, raising=False)
        return connect()


@pytest.fixture
def content(bucket: Bucket, seed: int) -> dict[str, bytes]:
    """What the bucket holds: small, large, empty, deep, and a name that is not ASCII."""
    source = random.Random(seed)
    sizes = {"a.bin": 70_000, "deep/er/large.parquet": 9_000_001, "deep/empty": 0, "deep/数据 [x].csv": 1}
    found = {key: source.randbytes(size) for key, size in sizes.items()}
    for key, data in found.items():
        bucket.put(key, data)
    return found


@pytest.fixture
def options(bucket: Bucket, proxy: Proxy) -> dict[str, str]:
    """Mount options that go through the link."""
    return {**bucket.options, "endpoint": proxy.endpoint}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Where the archive is unpacked."""
    return Elsewhere(tmp_path / "elsewhere", monkeypatch)


@pytest.fixture
def archive(bucket: Bucket, content: dict[str, bytes], options: dict[str, str], tmp_path: Path) -> Path:
    """A home with one loaded dataset, packed."""
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=options, annotations=_STALE))
    client.dataset("data").wait(timeout=60)
    client.dataset("data").load().wait(timeout=60)
    bucket.put("unknown.bin", b"put after the last listing")
    packed = client.cache.pack(tmp_path / "home.tar")
    assert (packed.files, packed.bytes) == (len(content), sum(map(len, content.values())))
    assert (packed.absent, packed.damaged, packed.objects) == (0, (), ("Dataset default/data",))
    return tmp_path / "home.tar"


def test_the_other_home_needs_no_store(
    archive: Path, content: dict[str, bytes], proxy: Proxy, elsewhere: Elsewhere
) -> None:
    """Reads, listings and new processes work without link and credentials, and the status tells what is known."""
    proxy.down = True
    client = elsewhere.enter()
    told: list[tuple[int, int]] = []
    done = client.cache.unpack(archive, progress=lambda behind, total: told.append((behind, total)))
    assert (done.files, done.present, done.objects) == (len(content), 0, ("Dataset default/data",))
    assert told == sorted(told)
    assert archive.stat().st_size - told[-1][0] <= 1024
    assert proxy.tried == 0  # nobody was asked
    status = client.plane.get(client.dataset("data").ref)["status"]
    assert (status["phase"], status["fileNum"]) == ("Bound", str(len(content)))
    assert "archive" in (find_condition(status, "UnderStoreAway") or {})["message"]

    fs = FluidFileSystem(skip_instance_cache=True)
    fs.invalidate_cache(_ROOT)
    for key, data in content.items():
        assert fs.cat_file(f"{_ROOT}/{key}") == data
        assert fs.info(f"{_ROOT}/{key}")["size"] == len(data)
    assert fs.find(_ROOT) == sorted(f"{_ROOT}/{key}" for key in content)
    assert client.cache.verify() == []
    code = f"import fsspec; print(len(fsspec.filesystem('fluid').cat('{_ROOT}/a.bin')))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert int(other.stdout) == len(content["a.bin"])


def test_when_the_link_is_there_again(
    archive: Path, content: dict[str, bytes], bucket: Bucket, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an ordinary home: new files are seen, what is cached is not fetched."""
    elsewhere.enter().cache.unpack(archive)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", bucket.server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", bucket.server.secret_key)
    before = len(bucket.gets())
    client = connect()
    client.dataset("data").refresh()
    fs = FluidFileSystem(skip_instance_cache=True)
    for key, data in content.items():
        assert fs.cat_file(f"{_ROOT}/{key}") == data
    assert len(bucket.gets()) == before
    assert fs.cat(f"{_ROOT}/unknown.bin") == b"put after the last listing"


def test_interrupted_and_begun_again(archive: Path, content: dict[str, bytes], elsewhere: Elsewhere) -> None:
    """Whatever came is whole; the second time only the rest is written."""
    client = elsewhere.enter()

    def stop(behind: int, total: int) -> None:
        if behind > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.cache.unpack(archive, progress=stop)
    assert client.cache.verify() == []
    whole = [row.files - row.partial for row in client.cache.status().datasets]
    done = client.cache.unpack(archive)
    assert done.present == sum(whole)
    assert done.files + done.present == len(content)
    assert done.objects == ()
    assert client.cache.unpack(archive).present == len(content)


def test_everything_that_is_declared_and_nothing_that_is_over(
    bucket: Bucket, content: dict[str, bytes], options: dict[str, str], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    """Runtimes, references and schedules travel; loads that ran once, labels of controllers and statuses do not."""
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=options, annotations=_STALE))
    client.apply(runtime_manifest("data", tmp_path / "tier", quota="64Mi"))
    client.apply(dataset_manifest("part", "dataset://default/data/deep", annotations=_STALE))
    client.apply(dataset_manifest("other", bucket.url, options=options))
    for name in ("data", "part", "other"):
        client.dataset(name).wait(timeout=60)
    client.dataset("data").load("/deep").wait(timeout=60)
    client.dataset("data").load(schedule="0 3 * * *", name="nightly")
    some = client.cache.pack(tmp_path / "some.tar", ["default/part"])
    assert sorted(some.objects) == [
        "AlluxioRuntime default/data",
        "DataLoad default/nightly",
        "Dataset default/data",
        "Dataset default/part",
    ]
    assert some.absent == 1  # a.bin was not loaded
    assert len(client.cache.pack(tmp_path / "all.tar").objects) == len(some.objects) + 1

    there = elsewhere.enter()
    there.cache.unpack(tmp_path / "some.tar")
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.cat("default/part/er/large.parquet") == content["deep/er/large.parquet"]
    assert {tier.path for tier in there.cache.status().tiers} == {str(tmp_path / "tier")}
    (cron,) = there.list("DataLoad")
    assert (cron["metadata"]["name"], cron["spec"]["schedule"]) == ("nightly", "0 3 * * *")
    assert [each.name for each in there.datasets()] == ["data", "part"]


def test_what_is_declared_otherwise_is_not_touched(
    archive: Path, bucket: Bucket, content: dict[str, bytes], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    """The same name with another mount: nothing is declared, nothing is written."""
    client = elsewhere.enter()
    (tmp_path / "mine").mkdir()
    client.apply(dataset_manifest("data", f"local://{tmp_path / 'mine'}"))
    before = client.plane.get(client.dataset("data").ref)
    with pytest.raises(Conflict, match="declared otherwise"):
        client.cache.unpack(archive)
    assert client.plane.get(client.dataset("data").ref)["spec"] == before["spec"]
    assert sum(tier.files for tier in client.cache.status().tiers) == 0


def test_what_does_not_fit_is_refused_at_once(
    bucket: Bucket, content: dict[str, bytes], options: dict[str, str], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    """Rather than that the last files drive the first ones out."""
    client = connect()
    client.apply(dataset_manifest("data", bucket.url, options=options))
    client.dataset("data").wait(timeout=60)
    client.dataset("data").load().wait(timeout=60)
    client.cache.pack(tmp_path / "home.tar")
    there = elsewhere.enter()
    there.apply(runtime_manifest("data", tmp_path / "tier", quota="4Mi"))
    with pytest.raises(CacheFull, match="do not fit"):
        there.cache.unpack(tmp_path / "home.tar")


def test_secrets_stay_where_they_are(
    home: Path,
    bucket: Bucket,
    content: dict[str, bytes],
    options: dict[str, str],
    tmp_path: Path,
    elsewhere: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Their names travel, their values do not; without them cached files are read, and others are no "no"."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    directory = home / "secrets" / "default" / "s3"
    directory.mkdir(parents=True)
    for key, value in (("access", bucket.server.access_key), ("secret", bucket.server.secret_key)):
        (directory / key).touch(mode=0o600)
        (directory / key).write_text(value)
    manifest = dataset_manifest("data", bucket.url, options=options, annotations=_STALE)
    manifest["spec"]["mounts"][0]["encryptOptions"] = [
        {"name": option, "valueFrom": {"secretKeyRef": {"name": "s3", "key": key}}}
        for option, key in (("aws.accessKeyId", "access"), ("aws.secretKey", "secret"))
    ]
    client = connect()
    client.apply(manifest)
    client.dataset("data").wait(timeout=60)
    client.dataset("data").load("/deep").wait(timeout=60)
    client.cache.pack(tmp_path / "home.tar")
    packed = (tmp_path / "home.tar").read_bytes()
    assert bucket.server.secret_key.encode() not in packed
    assert bucket.server.access_key.encode() not in packed

    elsewhere.enter().cache.unpack(tmp_path / "home.tar")
    fs = FluidFileSystem(skip_instance_cache=True)
    fs.invalidate_cache(_ROOT)
    assert fs.cat(f"{_ROOT}/deep/er/large.parquet") == content["deep/er/large.parquet"]
    with pytest.raises(OSError, match=r"secret default/s3 has no key") as caught:
        fs.cat(f"{_ROOT}/a.bin")
    assert not isinstance(caught.value, FileNotFoundError)


def test_damaged_files_stay_behind(archive: Path, tmp_path: Path) -> None:
    """What does not match its checksum is not packed, and is named."""
    client = connect()
    cached = Path(FluidFileSystem(skip_instance_cache=True).local_path(f"{_ROOT}/a.bin"))
    status = cached.stat()
    cached.chmod(0o600)
    with cached.open("r+b") as file:
        file.write(b"x")
    cached.chmod(0o400)
    os.utime(cached, ns=(status.st_atime_ns, status.st_mtime_ns))
    packed = client.cache.pack(tmp_path / "again.tar")
    assert (packed.files, packed.absent) == (3, 1)


def test_packing_what_is_not_there(tmp_path: Path) -> None:
    """No archive, and nothing left over."""
    with pytest.raises(NotFound, match=r"default/nothing"):
        connect().cache.pack(tmp_path / "home.tar", ["default/nothing"])
    assert list(tmp_path.iterdir()) == []


def test_unpacking_what_is_not_there(tmp_path: Path) -> None:
    """A file that does not exist, a directory and a pipe are errors, at once."""
    os.mkfifo(tmp_path / "pipe")
    for name in ("nothing", "pipe", "."):
        with pytest.raises((OSError, DatafluidError)):
            connect().cache.unpack(tmp_path / name)


def test_an_empty_home(tmp_path: Path, elsewhere: Elsewhere) -> None:
    """Nothing is packed and nothing unpacked, without an error."""
    assert connect().cache.pack(tmp_path / "home.tar").objects == ()
    assert elsewhere.enter().cache.unpack(tmp_path / "home.tar").objects == ()
    assert json.loads((tmp_path / "home.tar").read_bytes()[512:].split(b"\0")[0])["datafluid"] == 1
