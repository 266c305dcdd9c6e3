"""Ranges of files: how much is fetched at once, and reading some bytes of an open file."""

from __future__ import annotations

import os

__all__ = ["UNIT", "read_at"]

UNIT = 64 << 10  # random reads are widened to this: small enough for Parquet columns, large enough for a request


def read_at(fd: int, start: int, end: int) -> bytes:
    """Bytes ``[start, end)`` of an open file, however many; fewer only at its end."""
    parts: list[bytes] = []
    while start < end and (data := os.pread(fd, end - start, start)):
        parts.append(data)
        start += len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)
