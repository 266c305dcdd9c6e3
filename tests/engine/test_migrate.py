"""DataMigrate copies between datasets and external stores, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafluid.client import Client, connect
from datafluid.errors import OperationFailed
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset

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
    from fluid_fsspec import FluidFileSystem

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
