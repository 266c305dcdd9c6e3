"""Open files. Reading: a builtin buffered file over a cached file, or over a reader that fetches what is missing.
Writing: a file that appears whole when it is closed, and not at all when its block is left by an exception.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from datafluid.engine.cache.store import stamp_of
from datafluid.engine.reading import ReaderFile

if TYPE_CHECKING:
    from datafluid.engine.editing import Writer
    from datafluid.engine.mounted import Local
    from fluid_fsspec.filesystem import FluidFileSystem
    from fluid_fsspec.tree import Tree

__all__ = ["CompressedFile", "FluidFile", "TextFile", "WriteFile", "open_to_read"]

_PATIENCE = 3  # a cached file may be evicted between the look and the open, but hardly three times
_BUFFER = 64 << 10


def open_to_read(fs: FluidFileSystem, tree: Tree, below: str, path: str) -> FluidFile:
    """Open the complete local file where there is one, else a reader.

    Raises:
        NotFound, IsADirectory: there is no such file.
    """
    local = tree.hot(below) or tree.local(below)
    for _ in range(_PATIENCE):
        if local is None:
            break
        raw = _open_local(local)
        if raw is not None:
            return FluidFile(raw, fs, path, local.entry.size)
        tree.refresh(below)
        local = tree.local(below)
    reader = tree.open(below)
    return FluidFile(ReaderFile(reader), fs, path, reader.size, buffer_size=_BUFFER)


def _open_local(local: Local) -> io.FileIO | None:
    """The file, unless something else has that name by now."""
    try:
        raw = io.FileIO(local.path)
    except FileNotFoundError:
        return None
    if stamp_of(os.fstat(raw.fileno())) == local.stamp:
        return raw
    raw.close()
    return None


class FluidFile(io.BufferedReader):
    """A file of a dataset, opened for reading. It pickles: the copy opens anew, at the same position.

    Args:
        raw: The cached file, or a `ReaderFile`.
        fs: The filesystem.
        path: Its bare path.
        size: Bytes.
    """

    def __init__(
        self,
        raw: io.RawIOBase,
        fs: FluidFileSystem,
        path: str,
        size: int,
        *,
        buffer_size: int = io.DEFAULT_BUFFER_SIZE,
    ) -> None:
        super().__init__(raw, buffer_size)
        self.fs = fs
        self.path = path
        self.size = size

    @property
    def full_name(self) -> str:
        """The URL."""
        return self.fs.unstrip_protocol(self.path)

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch ``(start, end)`` ranges in parallel, before they are read; nothing on a cached file."""
        if isinstance(self.raw, ReaderFile):
            self.raw.reader.ensure(ranges)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.fs, self.path, self.tell())


def _reopen(fs: FluidFileSystem, path: str, position: int) -> FluidFile:
    file: FluidFile = fs.open(path, "rb")
    file.seek(position)
    return file


class WriteFile(io.BufferedWriter):
    """A file that is being written.

    Args:
        writer: Where it goes.
        path: Its bare path.
        autocommit: Appear when closed; without, when committed.
    """

    raw: Writer

    def __init__(self, writer: Writer, path: str, *, autocommit: bool) -> None:
        super().__init__(writer, _BUFFER)
        self.path = path
        self.autocommit = autocommit

    def close(self) -> None:
        """Publish the file, unless it waits for `commit`.

        Raises:
            AlreadyExists: it was opened with ``x`` and something has appeared meanwhile.
            Unavailable, Forbidden: as the under-store raises them; nothing was written.
        """
        if self.autocommit:
            super().close()
        elif not self.raw.closed:
            self.flush()

    def commit(self) -> None:
        """Publish the file: the end of a transaction."""
        super().close()

    def discard(self) -> None:
        """Forget what was written."""
        self.raw.discard()

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        if not self.raw.closed:
            warnings.warn(f"{self.path} was never closed, so nothing was written", ResourceWarning, stacklevel=2)
            self.discard()


class CompressedFile(io.BufferedWriter):
    """A compressor over a file that is being written: closing it closes both, and an exception discards both.

    Args:
        compressor: A file that compresses into ``target``.
        target: A `WriteFile`.
    """

    def __init__(self, compressor: Any, target: WriteFile) -> None:
        super().__init__(compressor, _BUFFER)
        self._target = target

    def close(self) -> None:
        """Write the end, then publish."""
        if not self.closed:
            super().close()
            self._target.close()

    def discard(self) -> None:
        """Forget what was written."""
        self._target.discard()
        self.detach()

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()


class TextFile(io.TextIOWrapper):
    """Text over a file that is being written; an exception in its block discards it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        if kind is None:
            self.close()
        else:
            binary: Any = self.detach()
            binary.discard()
