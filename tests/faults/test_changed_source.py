"""Objects that change or vanish while they are read: one handle reads one version, and the next open the new one."""

from __future__ import annotations

import errno
import random
from collections.abc import Callable
from pathlib import Path

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


def _whole(fs: FluidFileSystem) -> bytes:
    with fs.open(_PATH) as file:
        found: bytes = file.read()
        return found


def _in_pieces(fs: FluidFileSystem) -> bytes:
    with fs.open(_PATH) as file:
        return b"".join(iter(lambda: file.read(70_000), b""))


def _from_its_end(fs: FluidFileSystem) -> bytes:
    with fs.open(_PATH) as file:
        size = file.seek(0, 2)
        file.seek(0)
        found: bytes = file.read(size)
        return found


def _by_size(fs: FluidFileSystem) -> bytes:
    with fs.open(_PATH) as file:
        found: bytes = file.read(file.size)
        return found


def _cat(fs: FluidFileSystem) -> bytes:
    found: bytes = fs.cat_file(_PATH)
    return found


def _ranges(fs: FluidFileSystem) -> bytes:
    (found,) = fs.cat_ranges([_PATH], [0], [None], on_error="raise")
    assert isinstance(found, bytes)
    return found


def _got(fs: FluidFileSystem, tmp_path: Path) -> bytes:
    fs.get_file(_PATH, str(tmp_path / "got"))
    return (tmp_path / "got").read_bytes()


def _arrow_file(fs: FluidFileSystem) -> bytes:
    with fs.to_arrow().open_input_file(_PATH) as file:
        found: bytes = file.read()
        return found


def _arrow_stream(fs: FluidFileSystem) -> bytes:
    with fs.to_arrow().open_input_stream(_PATH) as file:
        found: bytes = file.read()
        return found


_SURE = [_whole, _in_pieces, _cat, _ranges, _got]
_TOLD = [_from_its_end, _by_size, _arrow_file, _arrow_stream]


@pytest.mark.parametrize(
    "sizes", [(10, 100_000), (100_000, 10), (9_000_000, 9_000_001), (100_000, 0), (0, 10)], ids=str
)
@pytest.mark.parametrize("read", [*_SURE, *_TOLD], ids=lambda read: read.__name__.strip("_"))
def test_what_has_changed_since_it_was_listed(
    bucket: Bucket, seed: int, tmp_path: Path, sizes: tuple[int, int], read: Callable[..., bytes]
) -> None:
    """All of the new version, not as much of it as the old one was long; whoever was told the old size is told."""
    source = random.Random(seed)
    old, new = map(source.randbytes, sizes)
    bucket.put("data.bin", old)
    apply_bucket_dataset(connect(), bucket, "data")
    fs = FluidFileSystem(skip_instance_cache=True)
    assert fs.info(_PATH)["size"] == len(old)
    bucket.put("data.bin", new)

    def ask() -> bytes:
        return read(fs, tmp_path) if read is _got else read(fs)

    try:
        assert ask() in ((old, new) if not old else (new,))  # of an empty file nothing is fetched
    except OSError as error:
        assert error.errno == errno.ESTALE
        assert read in _TOLD
        assert ask() == new  # who opens it again sees what is there now
