"""``fluid://`` for Arrow: on a cache hit Arrow opens the cached file itself, and Python is not on its way."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow.fs import FSSpecHandler, PyFileSystem

from fluid_fsspec.reading import FetchingFile

if TYPE_CHECKING:
    from fluid_fsspec.filesystem import FluidFileSystem

__all__ = ["arrow_filesystem"]


class _FluidHandler(FSSpecHandler):  # type: ignore[misc]  # pyarrow has no types
    """fsspec's handler, but for what it opens."""

    fs: FluidFileSystem

    def open_input_file(self, path: str) -> pa.NativeFile:
        """A native file on a cache hit: the very file that was opened and checked, by its descriptor's name."""
        file = self.fs.open(path, "rb")
        if not isinstance(file, FetchingFile):
            with suppress(FileNotFoundError):  # a machine without /dev/fd reads through Python
                native = pa.OSFile(f"/dev/fd/{file.fileno()}", "rb")
                file.close()
                return native
        return pa.PythonFile(file, mode="r")

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """The same: a file is a stream."""
        return self.open_input_file(path)


def arrow_filesystem(fs: FluidFileSystem) -> PyFileSystem:
    """See `fluid_fsspec.FluidFileSystem.to_arrow`."""
    return PyFileSystem(_FluidHandler(fs))
