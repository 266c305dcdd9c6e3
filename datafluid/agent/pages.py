"""Which part of a file is in the page cache: ``cachestat`` where the kernel has it (6.5), ``mincore`` elsewhere."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import stat
import sys
from functools import cache
from pathlib import Path

from datafluid.model.node_report import PageCache

__all__ = ["read_page_cache", "resident_bytes"]

_CACHESTAT = 451  # the same on every architecture that is younger than Alpha
_WINDOW = 1 << 30  # bytes that mincore is asked about at once
_MAP_FAILED = ctypes.c_void_p(-1).value


class _Range(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_uint64), ("length", ctypes.c_uint64)]  # as ctypes wants it


class _Counts(ctypes.Structure):
    _fields_ = [  # as ctypes wants it
        (name, ctypes.c_uint64) for name in ("cached", "dirty", "writeback", "evicted", "recently_evicted")
    ]


def resident_bytes(path: str, *, use_cachestat: bool = True) -> int | None:
    """Bytes of a regular file that are in memory now; None where the kernel does not tell this user.

    Since 5.2 a kernel tells only who owns the file or may write it.

    Args:
        use_cachestat: False asks mincore, as on older kernels.

    Raises:
        OSError: it cannot be opened.
    """
    if sys.platform != "linux":
        return None
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            return None
        pages = _cachestat(fd) if use_cachestat else None
        if pages is None and (facts.st_uid == os.geteuid() or os.access(path, os.W_OK)):
            pages = _mincore(fd, facts.st_size)
    finally:
        os.close(fd)
    return None if pages is None else min(pages * mmap.PAGESIZE, facts.st_size)


def read_page_cache(meminfo: str = "/proc/meminfo") -> PageCache | None:
    """The page cache as a whole; None where there is no such figure."""
    try:
        lines = Path(meminfo).read_text(encoding="ascii").splitlines()
        found = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
        return PageCache(
            memory=found["MemTotal"],
            available=found["MemAvailable"],
            cached=max(0, found["Cached"] + found["Buffers"] - found["Shmem"]),
            dirty=found["Dirty"],
        )
    except (OSError, ValueError, KeyError, IndexError):
        return None


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64,
    )  # fmt: skip
    libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
    libc.mincore.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
    return libc


def _cachestat(fd: int) -> int | None:
    """Pages in memory; None where the call is not there, not for this file, or not for this user."""
    whole, counts = _Range(0, 0), _Counts()
    if _libc().syscall(_CACHESTAT, fd, ctypes.byref(whole), ctypes.byref(counts), 0) != 0:
        return None
    return int(counts.cached)


def _mincore(fd: int, size: int) -> int | None:
    """Pages in memory, a window at a time."""
    pages = 0
    for start in range(0, size, _WINDOW):
        length = min(_WINDOW, size - start)
        address = _libc().mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, fd, start)
        if address == _MAP_FAILED:
            return None
        try:
            seen = (ctypes.c_ubyte * -(-length // mmap.PAGESIZE))()
            if _libc().mincore(address, length, seen) != 0:
                return None if ctypes.get_errno() != errno.ENOMEM else pages  # cut short meanwhile
            pages += sum(each & 1 for each in bytes(seen))
        finally:
            _libc().munmap(address, length)
    return pages
