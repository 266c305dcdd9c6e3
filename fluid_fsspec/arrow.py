"""``fluid://`` for Arrow: on a cache hit Arrow opens the cached file itself, and Python is not on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow.fs import FSSpecHandler, PyFileSystem

if TYPE_CHECKING:
    from fluid_fsspec.filesystem import FluidFileSystem

__all__ = ["arrow_filesystem"]


class _FluidHandler(FSSpecHandler):  # type: ignore[misc]  # pyarrow has no types
    """fsspec's handler, but for what it opens."""

    fs: FluidFileSystem

    def open_input_file(self, path: str) -> pa.NativeFile:
        """A native file on a cache hit."""
        local = self.fs.local_path(path)
        if local is not None:
            try:
                return pa.OSFile(local, "rb")
            except FileNotFoundError:  # evicted since: the filesystem looks again
                pass
        return pa.PythonFile(self.fs.open(path, "rb"), mode="r")

    def open_input_stream(self, path: str) -> pa.NativeFile:
        """The same: a file is a stream."""
        return self.open_input_file(path)


def arrow_filesystem(fs: FluidFileSystem) -> PyFileSystem:
    """See `fluid_fsspec.FluidFileSystem.to_arrow`."""
    return PyFileSystem(_FluidHandler(fs))
