"""A dataset that mounts another store: nothing of the old one is handed out any more, and nothing of it takes room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from datafluid.client import Client, connect
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset, dataset_manifest, runtime_manifest


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Two directories, in which ``same.bin`` has one size and one time, and other bytes."""
    for name in ("old", "new"):
        directory = tmp_path / name
        directory.mkdir()
        for file in ("same.bin", f"{name}.bin"):
            (directory / file).write_bytes(name.encode() * 100)
            os.utime(directory / file, (1e9, 1e9))
    return tmp_path / "old", tmp_path / "new"


def _fs() -> FluidFileSystem:
    return FluidFileSystem(skip_instance_cache=True)


def _is_the_new_one(fs: FluidFileSystem, dataset: str = "default/data") -> None:
    assert fs.ls(dataset, detail=False) == [f"{dataset}/new.bin", f"{dataset}/same.bin"]
    assert fs.cat(f"{dataset}/same.bin") == b"new" * 100
    assert fs.cat(f"{dataset}/new.bin") == b"new" * 100
    assert not fs.exists(f"{dataset}/old.bin")


@pytest.mark.parametrize("warm", [True, False], ids=["loaded", "listed"])
def test_another_directory_is_read_at_once(places: tuple[Path, Path], *, warm: bool) -> None:
    """By a filesystem that has read the old one, and by a new one."""
    old, new = places
    client = connect()
    handle = apply_local_dataset(client, old, "data")
    before = _fs()
    assert before.cat("default/data/same.bin") == b"old" * 100
    assert len(before.ls("default/data")) == 2
    if warm:
        handle.load().wait(timeout=60)
    apply_local_dataset(client, new, "data")
    _is_the_new_one(before)
    _is_the_new_one(_fs())


def test_another_bucket_is_read_at_once_and_the_old_one_takes_no_room(bucket: Bucket, tmp_path: Path) -> None:
    """Equal keys below two prefixes are two files."""
    for name in ("old", "new"):
        for file in ("same.bin", f"{name}.bin"):
            bucket.put(f"{name}/{file}", name.encode() * 100)
    client = connect()
    client.apply(runtime_manifest("data", tmp_path / "tier"))
    for name in ("old", "new"):
        client.apply(dataset_manifest("data", f"{bucket.url}/{name}", options=bucket.options))
        client.dataset("data").wait(timeout=60)
        if name == "old":
            client.dataset("data").load().wait(timeout=60)
            assert len(list((tmp_path / "tier").rglob("*.bin"))) == 2
    assert client.dataset("data").status.cached == 0
    assert list((tmp_path / "tier").rglob("*.bin")) == []
    _is_the_new_one(_fs())


def test_who_refers_to_the_dataset_reads_the_new_one_too(places: tuple[Path, Path]) -> None:
    """Without a step of its own."""
    old, new = places
    client = connect()
    apply_local_dataset(client, old, "data")
    _referring(client)
    fs = _fs()
    assert fs.cat("default/other/same.bin") == b"old" * 100
    apply_local_dataset(client, new, "data")
    _is_the_new_one(fs, "default/other")


def _referring(client: Client) -> None:
    client.apply(dataset_manifest("other", "dataset://default/data"))
    client.dataset("other").wait(timeout=60)


def test_other_credentials_and_tuning_keep_what_is_cached(bucket: Bucket) -> None:
    """It is the same store."""
    bucket.put("a.bin", b"a" * 100)
    client = connect()
    apply_bucket_dataset(client, bucket, "data").load().wait(timeout=60)
    client.apply(dataset_manifest("data", bucket.url + "/", options={**bucket.options, "timeout": "20s"}))
    client.dataset("data").wait(timeout=60)
    assert client.dataset("data").status.cached == 100
