"""Ranges of files: how much is fetched at once, and reading some bytes of an open file."""

from __future__ import annotations

import io
import os

__all__ = ["UNIT", "read_at"]

UNIT = 64 << 10  # random reads are widened to this: small enough for Parquet columns, large enough for a request
_LARGE = 16 << 20  # from here on several threads are worth their start: most of a read is the kernel giving us memory
_SHARE = 8 << 20  # what a thread reads at a time
_THREADS = 4


def read_at(fd: int, start: int, end: int) -> bytes:
    """Bytes ``[start, end)`` of an open file, however many; fewer only at its end."""
    return _read_large(fd, start, end) if end - start >= _LARGE else _read(fd, start, end)


def _read(fd: int, start: int, end: int) -> bytes:
    parts: list[bytes] = []
    while start < end and (data := os.pread(fd, end - start, start)):
        parts.append(data)
        start += len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _read_large(fd: int, start: int, end: int) -> bytes:
    from concurrent.futures import ThreadPoolExecutor

    target = io.BytesIO(bytes(end - start))  # nobody else has these bytes: they are filled in place, and never copied

    def fill(offset: int) -> int:
        share = view[offset : offset + _SHARE]
        filled = 0
        while filled < len(share) and (count := os.preadv(fd, [share[filled:]], start + offset + filled)):
            filled += count
        return filled

    with target.getbuffer() as view, ThreadPoolExecutor(_THREADS, thread_name_prefix="fluid-read") as threads:
        filled = sum(threads.map(fill, range(0, end - start, _SHARE)))
    target.truncate(filled)
    return target.getvalue()
