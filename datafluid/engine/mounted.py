"""What a volume is made of: its mounts, and what it says of a file."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.cache.sealed import stamp_of
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.home import Home
from datafluid.engine.listing import ListingCache
from datafluid.engine.understore.port import ObjectInfo, UnderStore
from datafluid.errors import NotFound, Unavailable

Route = Literal["engine", "hcfs", "direct"]

__all__ = ["Block", "Entry", "Local", "Mount", "OpenStore", "Route", "Source", "entry_of", "open_checked"]

OpenStore = Callable[[Home, Binding, MountBinding], UnderStore]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory of a dataset. ``path`` is relative to the dataset."""

    path: str
    size: int
    type: Literal["file", "directory"]
    mtime: float | None = None
    version: str = ""


@dataclass(frozen=True, slots=True)
class Local:
    """A complete file on this machine.

    Args:
        path: Where it is.
        stamp: Device, inode, size, mtime and ctime: an open that finds others has found another file.
        entry: What the dataset says of it.
        medium: The tier's medium, or ``under-store`` when it is the original itself.
        expires: Until when (monotonic) it may be opened without looking it up again.
        generation: The counter's value for which this is true.
    """

    path: str
    stamp: tuple[int, int, int, int, int]
    entry: Entry
    medium: str
    expires: float
    generation: int


class LocalFile(io.FileIO):
    """A cached file, opened for reading. Readers leave files to the collector: that loses nothing, so it is silent."""

    def __del__(self) -> None:
        self.close()


def _at_once(path: str, flags: int) -> int:
    """Open without waiting: a FIFO in a file's place must not keep who opens it."""
    return os.open(path, flags | os.O_NONBLOCK)


def open_checked(local: Local) -> LocalFile | None:
    """Open a local file, unless something else has its name by now."""
    try:
        file = LocalFile(local.path, opener=_at_once)
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        return None
    if stamp_of(os.fstat(file.fileno())) == local.stamp:
        return file
    file.close()
    return None


@dataclass(frozen=True, slots=True)
class Block:
    """A range of a file and where its bytes are.

    ``tier`` is None when they are not cached; ``hosts`` are other machines that have them, None for this one.
    """

    start: int
    length: int
    tier: str | None
    hosts: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a volume gets what is not cached here.

    Args:
        route: ``engine``, ``hcfs`` or ``direct``.
        why: What it is.
        skipped: The ways before it, each with the reason why not.
    """

    route: Route
    why: str
    skipped: tuple[tuple[Route, str], ...] = ()


class Mount:
    """One mount of a volume, with its store opened at first use."""

    def __init__(
        self, home: Home, binding: Binding, mount: MountBinding, cache: CacheStore, opener: OpenStore, *, ask: str
    ) -> None:
        self.binding = mount
        self.listing = ListingCache(cache, mount.origin, binding.refresh, lambda: self.store, ask=ask)
        self._open: Callable[[], UnderStore] = lambda: opener(home, binding, mount)
        self._store: tuple[int, UnderStore] | None = None

    @property
    def store(self) -> UnderStore:
        """The under-store, opened in this process."""
        if self._store is None or self._store[0] != os.getpid():
            try:
                self._store = (os.getpid(), self._open())
            except NotFound as error:  # of a secret: what is read may well exist
                raise Unavailable(error.message, hint=error.hint) from error
        return self._store[1]

    def close(self) -> None:
        """Let go of the store's connections; it can still be used."""
        if self._store is not None and self._store[0] == os.getpid():
            self._store[1].close()

    def key(self, path: str) -> str:
        """The under-store's key of a dataset path that lies in this mount."""
        below = path[len(self.binding.path) :].strip("/")
        return "/".join(part for part in (self.binding.prefix, below) if part)

    def path(self, key: str) -> str:
        """The dataset path of an under-store key."""
        below = key[len(self.binding.prefix) :].strip("/") if self.binding.prefix else key
        return "/".join(part for part in (self.binding.path, below) if part)


def entry_of(mount: Mount, info: ObjectInfo) -> Entry:
    return Entry(mount.path(info.key), info.size, "file", info.mtime, info.version)
