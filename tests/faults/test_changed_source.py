"""Objects that change or vanish while they are read: one handle reads one version, and the next open the new one."""

from __future__ import annotations

import errno
import random

import pytest

from datafluid.client import connect
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_SIZE = 12_000_000
_PATH = "default/data/data.bin"


@pytest.mark.parametrize("growth", [0, 5, -5])
def test_a_reader_never_mixes_versions(bucket: Bucket, seed: int, growth: int) -> None:
    """Changed after the first bytes: what comes then is the old version, or ESTALE; never the new one."""
    source = random.Random(seed)
    old, new = source.randbytes(_SIZE), source.randbytes(_SIZE + growth)
    bucket.put("data.bin", old)
    apply_bucket_dataset(connect(), bucket, "data")
    fs = FluidFileSystem(skip_instance_cache=True)
    with fs.open(_PATH) as file:
        got = file.read(1000)
        bucket.put("data.bin", new)
        try:
            while data := file.read(200_000):
                got += data
        except OSError as error:
            assert error.errno == errno.ESTALE
        assert got == old[: len(got)]
    fs.invalidate_cache(_PATH)
    assert fs.cat(_PATH) == new
    assert fs.info(_PATH)["size"] == len(new)


def test_deleted_under_a_reader(bucket: Bucket, seed: int) -> None:
    """The reader is told; the name is gone for the next one; what is complete in the cache is nobody's any more."""
    old = random.Random(seed).randbytes(_SIZE)
    bucket.put("data.bin", old)
    apply_bucket_dataset(connect(), bucket, "data")
    fs = FluidFileSystem(skip_instance_cache=True)
    with fs.open(_PATH) as file:
        got = file.read(1000)
        (bucket.server.root / bucket.name / "data.bin").unlink()
        with pytest.raises(OSError, match=r"\."):
            while data := file.read(200_000):
                got += data
        assert got == old[: len(got)]
    fs.invalidate_cache(_PATH)
    with pytest.raises(FileNotFoundError):
        fs.open(_PATH)


def test_every_open_asks_where_that_is_wanted(bucket: Bucket, seed: int) -> None:
    """With ``refresh: open`` a new version is seen at the next open, in a process that has the old one cached."""
    source = random.Random(seed)
    versions = [source.randbytes(100_000 + number) for number in range(3)]
    bucket.put("data.bin", versions[0])
    apply_bucket_dataset(connect(), bucket, "data", annotations={"datafluid.io/refresh": "open"})
    fs = FluidFileSystem(skip_instance_cache=True)
    for version in versions:
        bucket.put("data.bin", version)
        assert fs.cat(_PATH) == version
        with fs.open(_PATH) as file:
            assert file.read() == version
