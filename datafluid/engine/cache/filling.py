"""A partial file that is being filled: bytes first, then the record of them."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datafluid.engine.cache.checksum import PIECE
from datafluid.engine.cache.extents import Ranges, add, coalesce, covers, missing
from datafluid.engine.cache.identity import CachedName
from datafluid.engine.cache.tier import Tier, disk_errors
from datafluid.engine.understore.port import ObjectInfo

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["BLOCK", "Extent", "Filling", "Inflow", "PieceHasher", "Wanted"]

# Written at once. The kernel keeps a file in pages as large as its writes, which makes reads up to a tenth faster; but
# pages of a MiB come from memory that a virtual machine may have given back, where the first touch costs four times as
# much as the copy.
BLOCK = 512 << 10
_CLOSED = -1
_MOST_PARTS = 512  # the kernel takes 1,024
Extent = tuple[int, int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A version of an object that should be cached."""

    origin: str
    info: ObjectInfo
    id: bytes


@dataclass(slots=True, kw_only=True, eq=False)
class Filling:
    """A partial file that is being filled. Safe to use from several threads; made and closed by the cache store."""

    wanted: Wanted
    name: CachedName
    tier: Tier
    tier_id: int
    have: Ranges = ()
    sealed: bool = False  # by us
    _fd: int | None = None  # None: not opened yet
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def fd(self) -> int:
        """Its descriptor. A file whose room is reserved is made by the first who needs it: making it takes a while.

        Raises:
            CacheFull: the disk is full.
        """
        if self._fd is None:
            self.open()
        assert self._fd is not None
        return self._fd

    def open(self) -> bool:
        """Open the file, and make it when there is none; whether it is new: then nothing is known of it.

        Raises:
            CacheFull: the disk is full.
        """
        with self._lock:
            if self._fd is not None:
                return False
            self._fd, new = self.tier.create(self.name, self.size)
        return new

    def close(self) -> None:
        """Let go of the file; nothing opens it again."""
        with self._lock:
            fd, self._fd = self._fd, _CLOSED
        if fd is not None and fd != _CLOSED:
            os.close(fd)

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        return self.wanted.info.size

    @property
    def complete(self) -> bool:
        """Whether every byte was recorded."""
        return covers(self.have, 0, self.size)

    @property
    def evicted(self) -> bool:
        """Whether the file has no name any more: what it holds is for who has it open, and for nobody else.

        True for good; ask within a transaction of the index, in which nobody else can evict.
        """
        return self._fd is not None and os.fstat(self._fd).st_nlink == 0

    def missing(self, start: int = 0, end: int | None = None) -> Ranges:
        """What is not recorded yet of ``[start, end)``."""
        return missing(self.have, start, self.size if end is None else end)

    def write(self, offset: int, data: Buffer) -> None:
        """Write bytes at an offset; they count once they are recorded.

        Raises:
            CacheFull: the disk is full.
        """
        view = memoryview(data).cast("B")
        with disk_errors(self.tier.path):
            while view:
                written = os.pwrite(self.fd, view, offset)
                offset += written
                view = view[written:]

    def write_many(self, offset: int, parts: Sequence[memoryview]) -> None:
        """Write consecutive pieces of memory at an offset, in one call where the system takes it; see `write`."""
        left = list(parts)
        with disk_errors(self.tier.path):
            while left:
                written = os.pwritev(self.fd, left[:_MOST_PARTS], offset)
                offset += written
                while left and written >= left[0].nbytes:
                    written -= left.pop(0).nbytes
                if written:
                    left[0] = left[0][written:]

    def note(self, found: Iterable[tuple[int, int]]) -> None:
        """Remember in this process what the index has recorded."""
        with self._lock:
            for start, end in found:
                self.have = add(self.have, start, end)

    def note_all(self, found: Ranges) -> None:
        """Remember what other processes have recorded meanwhile."""
        with self._lock:
            self.have = coalesce((*self.have, *found))


class Inflow:
    """A range of a file that comes in pieces, from one thread.

    What comes is written in large aligned blocks, without being copied together: the kernel keeps such a file in
    large pages, and reading it is a tenth to a third faster than after small writes.

    Args:
        start: Where the range begins in the file.
        end: Where it ends.
    """

    def __init__(self, filling: Filling, start: int, end: int) -> None:
        self._filling = filling
        self._end = end
        self._position = start  # up to here it is written
        self._hasher = PieceHasher(start)
        self._waiting: list[memoryview] = []
        self._waiting_bytes = 0

    def add(self, data: Buffer) -> None:
        """Take the next bytes, and write what fills blocks or ends the range.

        Raises:
            CacheFull: the disk is full.
        """
        view = memoryview(data).cast("B")
        reached = self._position + self._waiting_bytes + view.nbytes
        border = reached if reached >= self._end else reached // BLOCK * BLOCK
        take = border - self._position - self._waiting_bytes
        if take > 0 and border > self._position:
            self._wait(view[:take])
            self._write()
            view = view[take:]
        self._wait(view)

    def finish(self) -> None:
        """Write what waits, and hash up to there: nothing more comes."""
        self._write()
        self._hasher.finish()

    def take(self) -> list[Extent]:
        """The extents that are written and were not taken yet."""
        taken = list(self._hasher.extents)
        del self._hasher.extents[: len(taken)]
        return taken

    def _write(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._filling.write_many(self._position, waiting)
        self._position += self._waiting_bytes
        self._waiting_bytes = 0
        for view in waiting:
            self._hasher.update(view)

    def _wait(self, view: memoryview) -> None:
        if view.nbytes:
            self._waiting.append(view)
            self._waiting_bytes += view.nbytes


class PieceHasher:
    """Hashes a stream of bytes that starts at any offset, cut where the checksum's pieces end.

    Args:
        start: Where the stream starts in the file.
    """

    def __init__(self, start: int) -> None:
        import xxhash

        self._new = xxhash.xxh3_128
        self._state = xxhash.xxh3_128()
        self._start = self._position = start
        self.extents: list[Extent] = []

    def update(self, data: Buffer) -> None:
        """Take the next bytes of the stream."""
        view = memoryview(data).cast("B")
        while view:
            border = (self._position // PIECE + 1) * PIECE
            part = view[: border - self._position]
            self._state.update(part)
            self._position += len(part)
            view = view[len(part) :]
            if self._position == border:
                self._cut()

    def finish(self) -> list[Extent]:
        """The extents that the stream made."""
        if self._position > self._start:
            self._cut()
        return self.extents

    def _cut(self) -> None:
        self.extents.append((self._start, self._position, self._state.digest()))
        self._state = self._new()
        self._start = self._position
