"""``local://`` and ``pvc://``: a directory of this machine. Nothing above it is reached, symlinks included."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from datafluid.engine.understore.keys import addressable
from datafluid.engine.understore.parallel import in_pieces
from datafluid.engine.understore.port import Fetch, Listing, ObjectInfo
from datafluid.errors import (
    AlreadyExists,
    CacheFull,
    Corrupt,
    DatafluidError,
    Forbidden,
    NotFound,
    StaleVersion,
    Unavailable,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["LocalStore"]

_COPY = 1 << 20
_NO_FILE = (errno.ELOOP, errno.ENAMETOOLONG)


class LocalStore:
    """A directory as an under-store.

    Args:
        root: The directory, absolute.
        display_url: What messages call it.
    """

    atomic_move = True
    real_directories = True
    streams = 64

    def __init__(self, root: str, *, display_url: str) -> None:
        self.root = os.path.realpath(root)
        self._given = root
        self.display_url = display_url

    def probe(self) -> None:
        """Raise unless the directory is there and can be listed."""
        with self._mapped(""):
            os.scandir(self._given).close()

    def is_there(self) -> bool:
        """Whether there is anything at the root; a disk that is not mounted is no empty directory."""
        return os.path.exists(self.root)

    def stat(self, key: str) -> ObjectInfo:
        """A file; a directory is not an object."""
        with self._mapped(key):
            status = os.stat(self._path(key))
        if not stat.S_ISREG(status.st_mode):
            raise NotFound(f"{self.display_url}: {key!r} is not a file.")
        return _info(key, status)

    def is_directory(self, key: str) -> bool:
        """Whether a directory is there."""
        with suppress(NotFound), self._mapped(key):
            return stat.S_ISDIR(os.stat(self._path(key)).st_mode)
        return False

    def list(self, prefix: str) -> Listing:
        """One level; what leads outside the root, or back to itself, or is neither file nor directory, is left out."""
        objects, prefixes = [], []
        try:
            with self._mapped(prefix), os.scandir(self._path(prefix)) as entries:
                for entry in entries:
                    key = f"{prefix}/{entry.name}" if prefix else entry.name
                    with _left_out():
                        if addressable(key):  # the others are counted only
                            self._path(key)
                        status = entry.stat()
                        if stat.S_ISDIR(status.st_mode):
                            prefixes.append(key)
                        elif stat.S_ISREG(status.st_mode):
                            objects.append(_info(key, status))
        except (NotFound, NotADirectoryError):
            return Listing(objects=(), prefixes=())
        objects.sort(key=lambda info: info.key)
        return Listing(objects=tuple(objects), prefixes=tuple(sorted(prefixes)))

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """All files below, a page a directory."""
        if prefix:
            with suppress(NotFound):
                yield [self.stat(prefix)]
                return
        waiting = [prefix]
        while waiting:
            listing = self.list(waiting.pop())
            waiting += reversed(listing.prefixes)
            if listing.objects:
                yield listing.objects

    def local_path(self, key: str) -> str | None:
        """The file itself: it need not be copied to be read at local speed."""
        with suppress(NotFound, Forbidden, FileNotFoundError):
            return self._path(key)
        return None

    def read(self, fetch: Fetch) -> Buffer:
        """Bytes of one version of a file."""
        with self._mapped(fetch.info.key):
            fd = os.open(self._path(fetch.info.key), os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._same_version(fetch, fd)
            parts, position, end = [], fetch.start, fetch.start + fetch.length
            while position < end and (data := os.pread(fd, end - position, position)):
                parts.append(data)
                position += len(data)
            self._same_version(fetch, fd)
        finally:
            os.close(fd)
        if position != end:
            raise Corrupt(f"{self.display_url}: {fetch.info.key!r} ended at {position}, not at {end}.")
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """A read for each MiB."""
        return in_pieces(self.read, fetch)

    def close(self) -> None:
        """Nothing is kept open."""

    # -- writing ------------------------------------------------------------------------------------------------

    def put(self, key: str, source: BinaryIO, *, create: bool = False) -> ObjectInfo:
        """Write beside the target, then rename: nobody sees a part."""
        with self._mapped(key):
            target = self._path(key)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            fd, temporary = tempfile.mkstemp(prefix=".datafluid-", dir=os.path.dirname(target))
            try:
                with os.fdopen(fd, "wb") as file:
                    shutil.copyfileobj(source, file, _COPY)
                    os.fchmod(fd, 0o644)
                self._publish(temporary, target, key, create=create)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
            return _info(key, os.stat(target))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files and empty directories."""
        for key in keys:
            with suppress(NotFound), self._mapped(key):
                path = self._path(key)
                if os.path.isdir(path) and not os.path.islink(path):
                    os.rmdir(path)
                else:
                    os.unlink(path)

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Copy a file."""
        with self._mapped(source), open(self._path(source), "rb") as file:
            return self.put(target, file, create=not overwrite)

    def move(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Rename a file, atomically."""
        with self._mapped(source):
            old, new = self._path(source), self._path(target)
            os.makedirs(os.path.dirname(new), exist_ok=True)
            if overwrite:
                os.replace(old, new)
            else:
                self._publish(old, new, target, create=True)
                os.unlink(old)
            return _info(target, os.stat(new))

    def make_directory(self, key: str) -> None:
        """Make a directory and its parents."""
        with self._mapped(key):
            os.makedirs(self._path(key), exist_ok=True)

    # -- internals ----------------------------------------------------------------------------------------------

    def _path(self, key: str) -> str:
        """Where a key is, with every symlink followed, provided that it is below the root."""
        if key and not addressable(key):
            raise NotFound(f"{self.display_url}: {key!r} names no file.")
        plain = os.path.join(self.root, key) if key else self.root
        path = os.path.realpath(plain)
        if not _within(path, self.root):
            raise Forbidden(
                f"{self.display_url}: {key!r} leads outside the mount.", hint="Mount the directory it points to."
            )
        if path != plain and self._leads_back(key):
            raise NotFound(f"{self.display_url}: {key!r} leads back to itself.", hint="Check where its links lead.")
        return path

    def _leads_back(self, key: str) -> bool:
        """Whether a link on the way leads to a directory that the way has come through, or above one: it has no end."""
        passed, plain = [self.root], self.root
        for part in key.split("/"):
            plain = os.path.join(plain, part)
            path = os.path.realpath(plain)
            if any(_within(before, path) for before in passed):
                return True
            passed.append(path)
        return False

    def _publish(self, temporary: str, target: str, key: str, *, create: bool) -> None:
        if not create:
            os.replace(temporary, target)
            return
        try:
            os.link(temporary, target)
        except FileExistsError as error:
            raise AlreadyExists(f"{self.display_url}: {key!r} exists already.") from error

    def _same_version(self, fetch: Fetch, fd: int) -> None:
        if _info(fetch.info.key, os.fstat(fd)).version != fetch.info.version:
            raise StaleVersion(f"{self.display_url}: {fetch.info.key!r} has changed.", hint="Open it again.")

    @contextmanager
    def _mapped(self, key: str) -> Iterator[None]:
        where = f"{self.display_url}: {key!r}" if key else self.display_url
        try:
            yield
        except DatafluidError:
            raise
        except FileNotFoundError as error:
            raise NotFound(f"{where} does not exist.", hint="Check the mount point and the path.") from error
        except NotADirectoryError as error:
            raise NotFound(f"{where} is a file, or lies below one.", hint="Name its directory.") from error
        except PermissionError as error:
            raise Forbidden(f"{where} may not be accessed.", hint="Check its owner and mode.") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise CacheFull(f"{where}: the disk is full.", hint="Free some space.") from error
            if error.errno in _NO_FILE:
                raise NotFound(f"{where} names no file.", hint="Check where its links lead.") from error
            if error.errno in (errno.EIO, errno.ESTALE, errno.ENODEV, errno.ETIMEDOUT, errno.ENOTCONN):
                raise Unavailable(f"{where} cannot be read: {error.strerror}.", hint="Is the disk mounted?") from error
            raise


@contextmanager
def _left_out() -> Iterator[None]:
    """What is gone since it was listed, leads outside, or leads nowhere, is no part of a listing."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EACCES, *_NO_FILE):
            raise


def _within(path: str, directory: str) -> bool:
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def _info(key: str, status: os.stat_result) -> ObjectInfo:
    version = f"{status.st_size}-{status.st_mtime_ns}-{status.st_ino}"
    return ObjectInfo(key=key, size=status.st_size, version=version, mtime=status.st_mtime)
