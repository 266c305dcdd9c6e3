"""Kernel locks: they end with whoever holds them, so nobody ever cleans up after a crash.

On Linux these are open-file-description locks: they belong to an open file, not to a process, so threads
exclude each other too, and closing some other descriptor of the same file does not drop them. A forked child
would share the parent's open file and so keep the lock alive after the parent's death; all lock descriptors are
therefore closed in forked children. Elsewhere ``flock`` serves whole-file locks.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import weakref
from pathlib import Path

__all__ = ["FileLock"]

_FLOCK = struct.Struct("hhqqi4x")  # l_type, l_whence, l_start, l_len, l_pid: struct flock of 64-bit Linux
_HAS_OFD = hasattr(fcntl, "F_OFD_SETLK")
_HELD: weakref.WeakSet[FileLock] = weakref.WeakSet()


class FileLock:
    """An exclusive lock on a file, or on a range of its bytes. The file is never removed.

    Args:
        path: The lock file; created when missing.
        start: First byte of the range.
        length: Bytes; 0 locks everything from ``start`` on.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "lock"
        >>> with FileLock(path) as lock:
        ...     FileLock(path).try_acquire()
        False
    """

    def __init__(self, path: Path, *, start: int = 0, length: int = 0) -> None:
        self._path = path
        self._range = (start, length)
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; whether it was."""
        return self._acquire(wait=False)

    def acquire(self) -> None:
        """Take the lock, waiting as long as it takes (signals interrupt the wait)."""
        self._acquire(wait=True)

    def release(self) -> None:
        """Let go; nothing happens when it is not held."""
        fd, self._fd = self._fd, None
        _HELD.discard(self)
        if fd is not None:
            os.close(fd)

    def fileno(self) -> int:
        """The descriptor that holds it, to be handed to an executed process, which then holds it too.

        Raises:
            RuntimeError: it is not held.
        """
        if self._fd is None:
            raise RuntimeError("this lock is not held")
        return self._fd

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._fd is not None

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def _acquire(self, *, wait: bool) -> bool:
        if self._fd is not None:
            raise RuntimeError("this lock is held already; make another FileLock")
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            taken = _lock(fd, *self._range, wait=wait)
        except BaseException:
            os.close(fd)
            raise
        if not taken:
            os.close(fd)
            return False
        self._fd = fd
        _HELD.add(self)
        return True


def _lock(fd: int, start: int, length: int, *, wait: bool) -> bool:
    try:
        if _HAS_OFD:
            request = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
            fcntl.fcntl(fd, fcntl.F_OFD_SETLKW if wait else fcntl.F_OFD_SETLK, request)
        else:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def _close_in_child() -> None:
    for lock in list(_HELD):
        lock.release()


os.register_at_fork(after_in_child=_close_in_child)
