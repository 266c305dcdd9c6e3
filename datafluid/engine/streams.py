"""A file of a dataset, or an object of an under-store, as a binary stream."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from datafluid.engine.ranges import UNIT
from datafluid.engine.understore.port import Fetch, ObjectInfo, UnderStore

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from datafluid.engine.reader import Reader

__all__ = ["AllOrNothing", "ObjectFile", "ReaderFile"]


class AllOrNothing:
    """A stream that is written and appears when it is closed: an exception that leaves its block discards it."""

    if TYPE_CHECKING:

        def close(self) -> None: ...
        def discard(self) -> None: ...

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class ReaderFile(io.RawIOBase):
    """A `datafluid.engine.reader.Reader` with a position; owns the reader."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer from the position on; a small one only as far as one fetch brings it."""
        view = memoryview(buffer).cast("B")
        if view.nbytes <= UNIT:
            view = view[: UNIT - self._position % UNIT]
        count = self.reader.readinto_at(self._position, view)
        self._position += count
        return count

    def readall(self) -> bytes:
        """The rest, fetched in parallel."""
        self.reader.ensure([(self._position, sys.maxsize)])  # its size is not asked for: that binds to a version
        data = self.reader.pread(self._position, sys.maxsize)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to another position."""
        position = offset + {0: 0, 1: self._position, 2: self.reader.size}[whence]
        if position < 0:
            raise ValueError(f"negative position {position}")
        self._position = position
        return position

    def tell(self) -> int:
        """The position."""
        return self._position

    def close(self) -> None:
        """Let go of the reader."""
        if not self.closed:
            self.reader.close()
        super().close()


class ObjectFile(io.RawIOBase):
    """One version of an object, read from its store from start to end."""

    def __init__(self, store: UnderStore, info: ObjectInfo) -> None:
        self._store = store
        self._info = info
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer from the position on."""
        view = memoryview(buffer).cast("B")
        length = min(view.nbytes, self._info.size - self._position)
        if length:
            view[:length] = memoryview(self._store.read(Fetch(info=self._info, start=self._position, length=length)))
            self._position += length
        return length
