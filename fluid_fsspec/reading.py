"""Open files that are read: a builtin buffered file over a cached file, or over a reader that fetches the rest."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterable
from threading import get_ident
from typing import TYPE_CHECKING, Any

from datafluid.engine.ranges import UNIT, read_at
from datafluid.engine.streams import ReaderFile

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from fluid_fsspec.base import Rooted
    from fluid_fsspec.tree import Tree

__all__ = ["FetchingFile", "FluidFile", "open_to_read"]

_SHARING = threading.Lock()
_NOBODY = -1
_BUFFER = 4 << 10  # what the built-in open takes on most disks; a larger one makes a random read of 4 KiB cost more
_read, _seek, _tell = io.BufferedReader.read, io.BufferedReader.seek, io.BufferedReader.tell  # super() costs as much


def open_to_read(fs: Rooted, tree: Tree, below: str, path: str) -> FluidFile:
    """Open the complete local file where there is one, else a reader.

    Raises:
        NotFound, IsADirectory: there is no such file.
    """
    local = tree.open_local(below)
    if local is not None:
        return FluidFile(local, fs, path)
    return FetchingFile(ReaderFile(tree.open(below)), fs, path, buffer_size=UNIT)


class FluidFile(io.BufferedReader):
    """A file of a dataset, opened for reading. It pickles: the copy opens anew, at the same position.

    Several threads may use it at once. A read that a thread makes after its own seek is from where that thread went,
    whatever others do meanwhile: DuckDB reads one handle in many threads so, and gets wrong bytes from files that
    do not heed it. All other reads go on where the last one, of any thread, has ended.

    Args:
        raw: The cached file.
        fs: The filesystem.
        path: Its bare path.
    """

    def __init__(self, raw: io.RawIOBase, fs: Rooted, path: str, *, buffer_size: int = _BUFFER) -> None:
        super().__init__(raw, buffer_size)
        self.fs = fs
        self.path = path
        self._owner = get_ident()
        self._sought: int | None = None  # where the owner went and has not read yet
        self._shared: _Shared | None = None

    @property
    def size(self) -> int:
        """Bytes."""
        return os.fstat(self.fileno()).st_size

    @property
    def full_name(self) -> str:
        """The URL."""
        return str(self.fs.unstrip_protocol(self.path))

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch ``(start, end)`` ranges in parallel, before they are read; on a complete file nothing is to do."""

    def pread(self, start: int, end: int) -> bytes:
        """Bytes ``[start, end)``, wherever the file stands, and without moving it."""
        return read_at(self.fileno(), start, end)

    # Below, `_owner` is the opening thread until another one joins; comparing it is all that one thread pays.

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to another position."""
        if get_ident() != self._owner:
            return self._share().seek(offset, whence)
        position = self._sought = _seek(self, offset, whence)
        return position if self._shared is None else self._shared.seek(position)  # somebody has joined meanwhile

    def tell(self) -> int:
        """The position."""
        return super().tell() if get_ident() == self._owner else self._share().tell()

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; without ``size`` all of the rest."""
        if get_ident() != self._owner:
            return self._share().read(-1 if size is None else size)
        self._sought = None
        return _read(self, size)

    def read1(self, size: int = -1, /) -> bytes:
        """Some of the next bytes, with one read at most."""
        if get_ident() != self._owner:
            return self._share().read(UNIT if size < 0 else size)
        self._sought = None
        return super().read1(size)

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill a buffer with the next bytes."""
        if get_ident() != self._owner:
            return self._share().readinto(buffer)
        self._sought = None
        return super().readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line."""
        if get_ident() != self._owner:
            return self._share().readline(-1 if size is None else size)
        self._sought = None
        return super().readline(size)

    def __next__(self) -> bytes:
        if get_ident() != self._owner:
            return next(self._share())
        self._sought = None
        return super().__next__()

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.fs, self.path, self.tell())

    def __del__(self) -> None:
        self.close()

    def _share(self) -> _Shared:
        """From the first use by another thread on, positions are kept for each thread that seeks."""
        with _SHARING:
            if self._shared is None:
                self._shared = _Shared(self, super().tell(), {self._owner: self._sought})
                self._owner = _NOBODY
            return self._shared


class FetchingFile(FluidFile):
    """A file that is not complete on this machine."""

    raw: ReaderFile

    @property
    def size(self) -> int:
        """Bytes."""
        return self.raw.reader.size

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch ``(start, end)`` ranges in parallel."""
        self.raw.reader.ensure(ranges)

    def pread(self, start: int, end: int) -> bytes:
        """Bytes ``[start, end)``, wherever the file stands, and without moving it."""
        self.raw.reader.ensure([(start, end)])
        return self.raw.reader.pread(start, max(0, end - start))

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes. A large read goes to the reader whole: it must see what is asked for, not pieces of it."""
        if size is None or size <= UNIT or get_ident() != self._owner:
            return super().read(size)
        self._sought = None
        position = _tell(self)
        data = self.raw.reader.pread(position, size)
        _seek(self, position + len(data))
        return data


class _Shared(io.RawIOBase):
    """The positions of a `FluidFile` that several threads use."""

    def __init__(self, file: FluidFile, position: int, sought: dict[int, int | None]) -> None:
        self._file = file
        self._position = position
        self._sought = sought

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = {0: 0, 1: self.tell(), 2: self._file.size}[whence]
        if base + offset < 0:
            raise ValueError(f"negative position {base + offset}")
        self._position = self._sought[get_ident()] = base + offset
        return base + offset

    def tell(self) -> int:
        sought = self._sought.get(get_ident())
        return self._position if sought is None else sought

    def read(self, size: int = -1, /) -> bytes:
        sought = self._sought.pop(get_ident(), None)
        start = self._position if sought is None else sought
        data = self._file.pread(start, self._file.size if size < 0 else start + size)
        self._position = start + len(data)
        return data

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(view.nbytes)
        view[: len(data)] = data
        return len(data)


def _reopen(fs: Rooted, path: str, position: int) -> FluidFile:
    file: FluidFile = fs.open(path, "rb")
    file.seek(position)
    return file
