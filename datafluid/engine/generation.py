"""A counter in a mapped file: reading it costs a memory access, and a change is seen by every process at once."""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path

from datafluid.engine.locks import FileLock

__all__ = ["Generation"]

_COUNTER = struct.Struct("<Q")


class Generation:
    """What a process remembers is valid while this number is unchanged.

    Args:
        path: The file; created when missing. Mappings are shared and survive a fork.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "generation"
        >>> one, other = Generation(path), Generation(path)
        >>> before = one.read()
        >>> other.bump()
        >>> one.read() - before
        1
    """

    __slots__ = ("_lock_path", "_map", "_view")

    def __init__(self, path: Path) -> None:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(fd).st_size < _COUNTER.size:
                os.pwrite(fd, b"\0", _COUNTER.size - 1)  # a hole in a mapped file kills who touches it on a full disk
            self._map = mmap.mmap(fd, _COUNTER.size)
        finally:
            os.close(fd)
        self._view = memoryview(self._map).cast("Q")
        self._lock_path = path.with_name(path.name + ".lock")

    def read(self) -> int:
        """The number now."""
        return self._view[0]

    def bump(self) -> None:
        """Add one: everybody forgets."""
        with FileLock(self._lock_path):
            self._view[0] += 1
