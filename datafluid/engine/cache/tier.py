"""One directory of the cache. Nothing outside ``<path>/.datafluid-<id>/`` is ever written or deleted."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from datafluid.engine.cache.identity import CachedName
from datafluid.errors import CacheFull, Forbidden, Unavailable

__all__ = ["BLOCK", "Tier", "blocks", "disk_errors"]

BLOCK = 4096
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO in a file's place must not keep who opens it


def blocks(size: int) -> int:
    """``size`` rounded up to whole disk blocks."""
    return -(-size // BLOCK) * BLOCK


class Tier:
    """Files below one tier directory, reached by directory descriptors only.

    Args:
        path: The tier's directory, absolute; created (0700) when missing.
        home_id: Names the sub-directory, so that two homes may share one disk directory.

    Raises:
        Forbidden: the directory, or what is in our place below it, is not the user's own.
        Unavailable: it cannot be made or opened.
    """

    def __init__(self, path: str, home_id: str) -> None:
        self.path = path
        self.root = f"{path}/.datafluid-{home_id}"
        self._directories: set[str] = set()
        self._lock = threading.Lock()
        self._fd = self._enter()

    def _enter(self) -> int:
        """Open our directory, and make it where it is missing."""
        try:
            Path(self.path).mkdir(mode=0o700, parents=True, exist_ok=True)
            top = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise Unavailable(
                f"the cache directory {self.path} cannot be used: {error.strerror}.",
                hint="Check tieredstore.levels[].path and its permissions.",
            ) from error
        name = os.path.basename(self.root)
        try:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=top)
            fd = os.open(name, _OPEN_DIRECTORY, dir_fd=top)
        except OSError as error:
            raise Forbidden(
                f"{self.root} is not a directory that datafluid made: {error.strerror}.", hint="Move it away."
            ) from error
        finally:
            os.close(top)
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
            os.close(fd)
            raise Forbidden(f"{self.root} is open to others.", hint=f"Run `chmod 700 {self.root}`, or remove it.")
        return fd

    def file_path(self, name: CachedName) -> str:
        """The absolute path of a cached file."""
        return f"{self.root}/{name.directory}/{name}"

    def create(self, name: CachedName, size: int) -> tuple[int, bool]:
        """Open a partial file for reading and writing, sparse and of full size.

        Returns:
            The descriptor, and whether the file is new: then nothing that was known of it holds.
        """
        with disk_errors(self.path):
            try:
                return self._create(name, size)
            except FileNotFoundError:  # somebody has removed our directories behind our back
                self._enter_again()
                return self._create(name, size)

    def _create(self, name: CachedName, size: int) -> tuple[int, bool]:
        self._ensure_directory(name.directory)
        place, flags = f"{name.directory}/{name}", os.O_RDWR | os.O_CREAT | _FLAGS
        try:
            fd, new = os.open(place, flags | os.O_EXCL, 0o600, dir_fd=self._fd), True
        except FileExistsError:
            fd, new = os.open(place, flags, 0o600, dir_fd=self._fd), False
        try:
            if new or os.fstat(fd).st_size != size:
                os.ftruncate(fd, size)
        except BaseException:
            os.close(fd)
            raise
        return fd, new

    def _enter_again(self) -> None:
        with self._lock:
            fd = self._enter()
            os.dup2(fd, self._fd, inheritable=False)  # in one step: other threads are using it
            os.close(fd)
            self._directories.clear()

    def open(self, name: CachedName) -> int:
        """Open a cached file for reading.

        Raises:
            FileNotFoundError: it is gone.
        """
        return os.open(f"{name.directory}/{name}", os.O_RDONLY | _FLAGS, dir_fd=self._fd)

    def seal(self, fd: int, partial: CachedName, sealed: CachedName) -> os.stat_result:
        """Make a complete file read-only and give it its final name; returns its status afterwards.

        Raises:
            CacheFull: the disk takes nothing more.
        """
        with disk_errors(self.path):
            os.fchmod(fd, 0o400)
            os.rename(
                f"{partial.directory}/{partial}",
                f"{sealed.directory}/{sealed}",
                src_dir_fd=self._fd,
                dst_dir_fd=self._fd,
            )
        return os.fstat(fd)

    def remove(self, name: CachedName) -> None:
        """Unlink a cached file; open and mapped readers keep their bytes. One that is gone is no error.

        Raises:
            CacheFull: the disk is read-only.
        """
        place = f"{name.directory}/{name}"
        with disk_errors(self.path), suppress(FileNotFoundError):
            try:
                os.unlink(place, dir_fd=self._fd)
            except IsADirectoryError:  # somebody else's, and not ours to delete: only out of the way
                os.rename(place, f"{place}.{secrets.token_hex(4)}", src_dir_fd=self._fd, dst_dir_fd=self._fd)

    def scan(self) -> Iterator[tuple[CachedName, os.stat_result]]:
        """Every cached file that is really there."""
        for directory in sorted(os.listdir(self._fd)):
            try:
                below = os.open(directory, _OPEN_DIRECTORY, dir_fd=self._fd)
            except OSError:
                continue
            try:
                for file in sorted(os.listdir(below)):
                    name = CachedName.parse(file)
                    if name is not None and name.directory == directory:
                        with suppress(FileNotFoundError):
                            yield name, os.stat(file, dir_fd=below, follow_symlinks=False)
            finally:
                os.close(below)

    def free(self) -> tuple[int, int]:
        """Bytes free for us, and bytes in all, on the tier's disk."""
        status = os.fstatvfs(self._fd)
        return status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize

    def sync(self) -> None:
        """Write everything of the tier's disk down: afterwards a loss of power loses none of it."""
        import ctypes

        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(self._fd) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed")

    def _ensure_directory(self, directory: str) -> None:
        if directory in self._directories:
            return
        with self._lock, suppress(FileExistsError):
            os.mkdir(directory, 0o700, dir_fd=self._fd)
        self._directories.add(directory)


_TROUBLE = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "is full",
    errno.EROFS: "is read-only",  # as after an error of the disk itself
    errno.EIO: "cannot be written",
}


class disk_errors:  # noqa: N801  # reads as a statement: with disk_errors(path)
    """A disk that takes nothing more becomes CacheFull, wherever the kernel notices it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError) and error.errno in _TROUBLE and not isinstance(error, CacheFull):
            raise CacheFull(
                f"the disk of the cache directory {self._path} {_TROUBLE[error.errno]}.",
                hint="Free some space, make it writable, or move the tier to another disk.",
            ) from error
