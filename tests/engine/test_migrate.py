"""DataMigrate copies between datasets and external stores, once."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client, connect
from datafluid.errors import Invalid, OperationFailed
from datafluid.loads import LoadHandle
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset, dataset_manifest
from tests.engine.test_load_faults import wait_until_gone, worker_pid
from tests.relay import Relay

FILES = {"a.txt": b"a" * 10, "deep/er/b.bin": b"b" * 200_000, "deep/c": b""}


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


@pytest.fixture
def source(client: Client, bucket: Bucket) -> None:
    """The dataset `source` over a bucket."""
    for key, data in FILES.items():
        bucket.put(key, data)
    apply_bucket_dataset(client, bucket, "source")


def contents(directory: Path) -> dict[str, bytes]:
    """Every file below a directory."""
    return {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


def test_a_dataset_to_a_directory_and_again(client: Client, source: None, bucket: Bucket, tmp_path: Path) -> None:
    """Everything arrives; what is there already is not copied again."""
    (tmp_path / "out").mkdir()
    target = f"local://{tmp_path / 'out'}"
    first = client.migrate("fluid://default/source", target)
    first.wait(timeout=60)
    assert contents(tmp_path / "out") == FILES
    before = len(bucket.gets())
    again = client.migrate("fluid://default/source", target)
    again.wait(timeout=60)
    assert "0 files copied, 3 were there already" in str(again.status)
    assert len(bucket.gets()) == before
    assert contents(tmp_path / "out") == FILES


def test_a_dataset_to_a_dataset(client: Client, source: None, tmp_path: Path) -> None:
    """Into one that may be written; its readers see the files at once."""
    (tmp_path / "data").mkdir()
    apply_local_dataset(client, tmp_path / "data", "target", accessModes=["ReadWriteMany"])
    client.migrate("fluid://default/source/deep", "fluid://default/target").wait(timeout=60)
    fs = FluidFileSystem()
    assert fs.cat("default/target/er/b.bin") == FILES["deep/er/b.bin"]
    assert fs.find("default/target") == ["default/target/c", "default/target/er/b.bin"]


def test_a_read_only_target_fails_clearly(client: Client, source: None, tmp_path: Path) -> None:
    """With the reason, and nothing is written."""
    (tmp_path / "data").mkdir()
    apply_local_dataset(client, tmp_path / "data", "target")
    with pytest.raises(OperationFailed, match="read-only"):
        client.migrate("fluid://default/source", "fluid://default/target").wait(timeout=60)
    assert contents(tmp_path / "data") == {}


WRITABLE: Any = {"accessModes": ["ReadWriteMany"]}
MIB = 1 << 20


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An empty directory."""
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


@pytest.fixture
def target(client: Client, directory: Path) -> Path:
    """The same; it is the writable dataset `target` too."""
    apply_local_dataset(client, directory, "target", **WRITABLE)
    return directory


def done(load: LoadHandle) -> str:
    """Wait for a migration; what it says of itself: "2 copied, 1 there"."""
    assert load.wait(timeout=60).phase == "Complete"
    conditions: list[dict[str, Any]] = load.manifest["status"]["conditions"]
    said = re.fullmatch(r"(\d+) files? copied, (\d+) were there already\.", conditions[-1]["message"])
    assert said is not None, conditions
    return f"{said[1]} copied, {said[2]} there"


def from_store(client: Client, bucket: Bucket, below: str, path: str) -> LoadHandle:
    """Start a migration from a bucket that no dataset need mount to `target`."""
    outside = {"externalStorage": {"uri": bucket.url + below}}
    target = {"dataset": {"name": "target", "namespace": "default", "path": path}}
    manifest = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataMigrate",
        "metadata": {"name": "copy", "namespace": "default"},
        "spec": {"from": outside, "to": target, "options": bucket.options},
    }
    client.apply(manifest)
    return LoadHandle(client.plane, client.ref("datamigrate", "copy"))


def test_a_store_to_a_dataset(client: Client, source: None, bucket: Bucket, target: Path) -> None:
    """From a bucket; readers of the dataset, who knew it empty, see the files at once."""
    fs = FluidFileSystem()
    assert fs.ls("default/target") == []
    assert done(from_store(client, bucket, "", "/")) == "3 copied, 0 there"
    assert contents(target) == FILES
    for key, data in FILES.items():
        assert fs.cat(f"default/target/{key}") == data, key


def test_a_prefix_of_a_store_to_a_path(client: Client, source: None, bucket: Bucket, target: Path) -> None:
    """Names are relative to the prefix, and go below the path."""
    done(from_store(client, bucket, "/deep", "/raw/2024"))
    assert contents(target) == {"raw/2024/er/b.bin": FILES["deep/er/b.bin"], "raw/2024/c": b""}


def test_a_path_that_is_a_file(client: Client, source: None, directory: Path) -> None:
    """It keeps its last name."""
    done(client.migrate("fluid://default/source/deep/er/b.bin", f"local://{directory}/one"))
    assert contents(directory) == {"one/b.bin": FILES["deep/er/b.bin"]}


def test_into_a_bucket(client: Client, bucket: Bucket, directory: Path) -> None:
    """From a dataset over a directory to a writable one over a bucket, a large file in parts."""
    large = os.urandom(MIB) * 12
    (directory / "dir").mkdir()
    (directory / "dir/large").write_bytes(large)
    (directory / "ünï code").write_bytes(b"small")
    apply_local_dataset(client, directory, "source")
    apply_bucket_dataset(client, bucket, "bucket", **WRITABLE)
    assert done(client.migrate("default/source", "default/bucket/in")) == "2 copied, 0 there"
    fs = FluidFileSystem()
    assert fs.find("default/bucket") == ["default/bucket/in/dir/large", "default/bucket/in/ünï code"]
    assert fs.cat("default/bucket/in/dir/large") == large


def test_what_is_cached_is_not_fetched(client: Client, source: None, bucket: Bucket, directory: Path) -> None:
    """A loaded dataset is copied from the cache."""
    client.dataset("source").load().wait(timeout=60)
    bucket.server.settle()
    before = len(bucket.gets())
    done(client.migrate("default/source", f"local://{directory}"))
    assert contents(directory) == FILES
    bucket.server.settle()
    assert len(bucket.gets()) == before


def test_a_second_run(client: Client, source: None, bucket: Bucket, directory: Path) -> None:
    """What is missing, shorter or older is copied; what the target has more stays."""
    done(client.migrate("default/source", f"local://{directory}"))
    bucket.put("new", b"new")
    (directory / "mine").write_bytes(b"mine")
    (directory / "a.txt").write_bytes(b"a")
    (directory / "deep/er/b.bin").write_bytes(bytes(200_000))
    os.utime(directory / "deep/er/b.bin", (1.0, 1.0))
    assert done(client.migrate("default/source", f"local://{directory}")) == "3 copied, 1 there"
    assert contents(directory) == {**FILES, "new": b"new", "mine": b"mine"}


def test_a_new_version(client: Client, source: None, bucket: Bucket, directory: Path) -> None:
    """Of the same size, although the source's listing was fresh and its old bytes are cached."""
    assert FluidFileSystem().cat("default/source/a.txt") == b"a" * 10
    done(client.migrate("default/source", f"local://{directory}"))
    os.utime(directory / "a.txt", (1.0, 1.0))
    bucket.put("a.txt", b"A" * 10)
    assert done(client.migrate("default/source", f"local://{directory}")) == "1 copied, 2 there"
    assert (directory / "a.txt").read_bytes() == b"A" * 10


def test_a_read_only_target_says_what_to_do(client: Client, source: None, directory: Path) -> None:
    """The failure names the dataset and the accessMode, and an event says it too."""
    apply_local_dataset(client, directory, "target")
    load = client.migrate("default/source", "default/target", name="copy")
    with pytest.raises(OperationFailed, match=r"default/target.*read-only.*ReadWriteMany"):
        load.wait(timeout=60)
    assert any("read-only" in event.message for event in client.events("datamigrate", "copy"))


def test_a_path_that_is_not_there(client: Client, source: None, directory: Path) -> None:
    """The failure names it."""
    with pytest.raises(OperationFailed, match="no/such/path"):
        client.migrate("default/source/no/such/path", f"local://{directory}").wait(timeout=60)
    assert contents(directory) == {}


def test_two_stores_are_no_migration(client: Client, bucket: Bucket, directory: Path) -> None:
    """One end is a dataset."""
    with pytest.raises(Invalid, match="dataset"):
        client.migrate(bucket.url, f"local://{directory}")


def test_one_files_trouble_is_not_the_others(client: Client, source: None, directory: Path) -> None:
    """The others are copied, the failure counts and names it, and the next run copies what is missing."""
    (directory / "a.txt").mkdir()
    with pytest.raises(OperationFailed, match=r"1 file could not be copied, 2 were.*a\.txt"):
        client.migrate("default/source", f"local://{directory}").wait(timeout=60)
    assert contents(directory) == {key: data for key, data in FILES.items() if key != "a.txt"}
    (directory / "a.txt").rmdir()
    assert done(client.migrate("default/source", f"local://{directory}")) == "1 copied, 2 there"
    assert contents(directory) == FILES


@pytest.fixture
def slow(client: Client, bucket: Bucket) -> Iterator[Relay]:
    """The dataset `slow` of eight files, 1 MiB each, whose store stops answering after 3 MiB."""
    for number in range(8):
        bucket.put(f"part-{number}", bytes([number]) * MIB)
    relay = Relay(bucket.server.endpoint, 3 * MIB)
    client.apply(dataset_manifest("slow", bucket.url, options={**bucket.options, "endpoint": relay.endpoint}))
    client.dataset("slow").wait(timeout=60)
    yield relay
    relay.close()


def test_a_killed_migration_goes_on(home: Path, client: Client, slow: Relay, directory: Path) -> None:
    """`kill -9` in the middle: no file of the target is half, and the next pass copies the rest."""
    load = client.migrate("default/slow", f"local://{directory}")
    assert slow.blocked.wait(timeout=60)
    pid = worker_pid(home)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid)
    whole = {f"part-{number}": bytes([number]) * MIB for number in range(8)}
    for key, data in contents(directory).items():
        assert key not in whole or data == whole[key], key
    slow.release()
    client.run_due(wait=True)
    done(load)
    assert contents(directory).items() >= whole.items()
