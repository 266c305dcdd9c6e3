"""The checksum of a file: XXH3-128 over the XXH3-128 of each 4 MiB piece.

Pieces arrive in any order and from several streams; the checksum of the whole comes from theirs without
reading the bytes again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["PIECE", "combine", "piece_digest", "pieces", "range_digest", "tree_digest"]

PIECE = 4 << 20
_READ = 1 << 20


def piece_digest(data: Buffer) -> bytes:
    """XXH3-128 of some bytes, 16 bytes."""
    import xxhash

    return xxhash.xxh3_128_digest(data)


def pieces(size: int) -> Iterator[tuple[int, int]]:
    """The pieces ``(start, end)`` of a file of ``size`` bytes."""
    return ((start, min(start + PIECE, size)) for start in range(0, size, PIECE))


def combine(digests: Iterable[bytes]) -> bytes:
    """The checksum of a file from those of its pieces, in order."""
    return piece_digest(b"".join(digests))


def range_digest(fd: int, start: int, end: int) -> bytes:
    """XXH3-128 of a range of an open file; of fewer bytes when the file ends early."""
    import xxhash

    state = xxhash.xxh3_128()
    position = start
    while position < end:
        data = os.pread(fd, min(_READ, end - position), position)
        if not data:
            break
        state.update(data)
        position += len(data)
    return state.digest()


def tree_digest(fd: int, size: int) -> bytes:
    """The checksum of an open file of ``size`` bytes."""
    return combine(range_digest(fd, start, end) for start, end in pieces(size))
