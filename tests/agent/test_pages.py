"""The page cache of single files, by both of the kernel's ways."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from datafluid.agent.pages import read_page_cache, resident_bytes

MIB = 1 << 20
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the page cache is asked of Linux only")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """8 MiB on disk, of which nothing is in memory."""
    path = tmp_path / "block"
    with path.open("wb") as out:
        out.write(os.urandom(8 * MIB))
        out.flush()
        os.fsync(out.fileno())
        os.posix_fadvise(out.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident_bytes(str(path)):
        pytest.skip("this filesystem keeps what it is told to forget: run the tests on ext4 or xfs (TMPDIR)")
    return path


@pytest.mark.parametrize("use_cachestat", [True, False], ids=["cachestat", "mincore"])
def test_what_is_read_is_in_memory(file: Path, use_cachestat: bool) -> None:
    """Nothing, then some, then all; how much the kernel brings along, or drops meanwhile, is its own affair."""
    with file.open("rb", buffering=0) as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_RANDOM)  # no read-ahead
        opened.seek(2 * MIB)
        opened.read(MIB)
        some = resident_bytes(str(file), use_cachestat=use_cachestat)
        opened.seek(0)
        while opened.read(MIB):
            pass
    all_of_it = resident_bytes(str(file), use_cachestat=use_cachestat)
    assert some is not None
    assert all_of_it is not None
    assert MIB // 2 < some < 4 * MIB < all_of_it <= 8 * MIB


def test_both_ways_agree_on_an_odd_size(tmp_path: Path) -> None:
    """The last page counts for what the file has of it; an empty file has nothing."""
    odd, empty = tmp_path / "odd", tmp_path / "empty"
    odd.write_bytes(b"x" * 10_001)
    empty.touch()
    assert [resident_bytes(str(odd), use_cachestat=way) for way in (True, False)] == [10_001, 10_001]
    assert [resident_bytes(str(empty), use_cachestat=way) for way in (True, False)] == [0, 0]


def test_what_is_no_file_has_no_pages(tmp_path: Path) -> None:
    """A pipe does not block, a symlink is not followed."""
    os.mkfifo(tmp_path / "pipe")
    assert resident_bytes(str(tmp_path / "pipe")) is None
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with pytest.raises(OSError):
        resident_bytes(str(tmp_path / "link"))


def test_the_whole_is_within_memory() -> None:
    """The figures of /proc/meminfo, and None where there are none."""
    whole = read_page_cache()
    assert whole is not None
    assert 0 < whole.cached < whole.memory
    assert read_page_cache("/nonexistent") is None
