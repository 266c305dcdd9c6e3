"""One dataset's bytes: what the filesystem, the client and the loader see of it.

hot    the path is remembered in this process: nothing but a dictionary and a memory-mapped counter
local  a complete file on this machine: cached, or the under-store's own when that is a local directory
open   anything else: a `Reader`, which fetches what is missing into the cache
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.cache import index
from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.identity import content_id
from datafluid.engine.cache.sealed import stamp_of
from datafluid.engine.cache.store import open_cache
from datafluid.engine.editing import Editing
from datafluid.engine.generation import Generation
from datafluid.engine.home import Home
from datafluid.engine.looking import Looking
from datafluid.engine.mounted import Block, Entry, Local, LocalFile, Mount, OpenStore, Source, open_checked
from datafluid.engine.ranges import UNIT, read_at
from datafluid.engine.streams import ReaderFile
from datafluid.engine.understore.port import HostedRange, ObjectInfo, TellsHosts, UnderStore
from datafluid.errors import IsADirectory

if TYPE_CHECKING:
    from datafluid.engine.reader import Reader

__all__ = ["Block", "Entry", "Local", "Mount", "Volume"]

_PATIENCE = 3  # a cached file may be evicted between the look and the open, but hardly three times


class Volume(Looking, Editing):
    """The bytes of one bound dataset.

    Args:
        home: The home directory.
        binding: The dataset, resolved.
        opener: Opens the under-store of a mount.
        source: Where what is not cached comes from; None for the under-stores of a dataset of this machine.
    """

    def __init__(
        self, home: Home, binding: Binding, *, opener: OpenStore | None = None, source: Source | None = None
    ) -> None:
        self.home = home
        self.source = source
        self.cache = open_cache(home)
        opener = opener or _open_store
        ask = "datafluid doctor" if source is None else f"datafluid explain {binding.namespace}/{binding.name}"
        mounts = [Mount(home, binding, mount, self.cache, opener, ask=ask) for mount in binding.mounts]
        super().__init__(binding, mounts, Generation(home.generation))
        self._local: dict[str, Local] = {}

    def close(self) -> None:
        """Let go of connections; who has it open, or has kept it, may go on."""
        for mount in self.mounts:
            mount.close()

    def hot(self, path: str) -> Local | None:
        """The complete local file of a path that this process has opened lately; costs a microsecond."""
        local = self._local.get(path)
        if local is None:
            return None
        if local.generation != self._generation.read() or local.expires < time.monotonic():
            self._local.pop(path, None)
            return None
        return local

    def local(self, path: str) -> Local | None:
        """The complete local file of ``path``, checked; None when it must be fetched.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        generation = self._generation.read()
        entry, as_of, mount = self._file(path)
        found = self._cached_or_in_place(mount, entry)
        if found is None:
            return None
        local = Local(*found[:2], entry, found[2], self._expiry(as_of), generation)
        self._remember(self._local, path, local)
        self.cache.tally.count(f"hits_{local.medium}")
        return local

    def local_path(self, path: str) -> str | None:
        """Where the complete file is on this machine; None when it is not cached."""
        local = self.local(path)
        return local.path if local else None

    def open_local(self, path: str) -> LocalFile | None:
        """Open the complete local file of ``path``, and make sure that it is the one; None when it must be fetched.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        local = self.hot(path) or self.local(path)
        for _ in range(_PATIENCE):
            if local is None:
                break
            if (file := open_checked(local)) is not None:
                return file
            self._local.pop(path, None)
            if local.medium == "under-store":
                self.refresh(path)
            local = self.local(path)
        return None

    def open(self, path: str) -> Reader:
        """Read a file that may not be cached. See `open_local` first: a complete file is better opened itself."""
        from datafluid.engine.reader import Reader  # loads do without them, and warm reads
        from datafluid.engine.version import VersionReader

        entry, _, mount = self._file(path)
        origin, key = mount.binding.origin, mount.key(path)

        def found(entry: Entry) -> ObjectInfo:
            return ObjectInfo(key=key, size=entry.size, version=entry.version, mtime=entry.mtime)

        return Reader(
            found(entry),
            lambda info: VersionReader(self.cache, mount.store, self.cache.wanted(origin, info), self.binding.tiers),
            forget=lambda: self.refresh(path),
            look=lambda: found(self.info(path)),
        )

    def open_binary(self, path: str) -> io.BufferedReader:
        """Open a file to read it from start to end: the complete local file where there is one.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        local = self.open_local(path)
        return io.BufferedReader(local if local is not None else ReaderFile(self.open(path)), 16 * UNIT)

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several ``(start, end)`` ranges of a file; what is missing is fetched in parallel."""
        file = self.open_local(path)
        if file is not None:
            with file:
                return [read_at(file.fileno(), start, end) for start, end in ranges]
        with self.open(path) as reader:
            reader.ensure(ranges)
            return [reader.pread(start, end - start) for start, end in ranges]

    def blocks(self, path: str, start: int = 0, length: int | None = None) -> list[Block]:
        """Which ranges of a file are cached."""
        entry = self.info(path)
        end = entry.size if length is None else min(start + length, entry.size)
        mount = self.mount_of(path)
        if mount is None or entry.type == "directory":
            raise IsADirectory(f"{self._shown(path)} is a directory.", hint="Name a file in it.")
        local = self.local(path)
        if local is not None:
            return [Block(start, max(0, end - start), local.medium)]
        info = ObjectInfo(key=mount.key(path), size=entry.size, version=entry.version)
        have = coalesce(self.cache.cached_ranges(self.cache.wanted(mount.binding.origin, info)))
        if not have and isinstance(mount.store, TellsHosts):
            return [block for each in mount.store.hosts(info.key) if (block := _cut(each, start, end)) is not None]
        return _laid_out(have, start, end)

    def cached_bytes(self, entries: Iterable[Entry]) -> int:
        """How many bytes of some files are cached."""
        sizes: dict[str, dict[bytes, int]] = {}
        total = 0
        for entry in entries:
            mount = self.mount_of(entry.path)
            if mount is None:
                continue
            origin = mount.binding.origin
            if origin not in sizes:
                with self.cache.db.reading() as db:
                    sizes[origin] = index.sizes(db, origin)
            total += sizes[origin].get(content_id(origin, mount.key(entry.path), entry.version, entry.size), 0)
        return total

    def _file(self, path: str) -> tuple[Entry, float, Mount]:
        """A file, when the store said so, and the mount that it lies in.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        entry, as_of = self._look_up(path)
        mount = self.mount_of(path)
        if mount is None or entry.type == "directory":
            raise IsADirectory(f"{self._shown(path)} is a directory.", hint="Name a file in it.")
        return entry, as_of, mount

    def _cached_or_in_place(self, mount: Mount, entry: Entry) -> tuple[str, tuple[int, int, int, int, int], str] | None:
        key = mount.key(entry.path)
        wanted = self.cache.wanted(mount.binding.origin, ObjectInfo(key=key, size=entry.size, version=entry.version))
        sealed = self.cache.sealed.find(wanted.id)
        if sealed is not None:
            return sealed.path, sealed.stamp, sealed.medium
        place = getattr(mount.store, "local_path", None)
        path = place(key) if place is not None else None
        with suppress(OSError):  # it is gone since it was listed, or all of the store is
            return None if path is None else (path, stamp_of(os.stat(path)), "under-store")
        return None


def _open_store(home: Home, binding: Binding, mount: MountBinding) -> UnderStore:
    from datafluid.engine.understore.factory import open_store

    return open_store(home, binding, mount)


def _cut(block: HostedRange, start: int, end: int) -> Block | None:
    left, right = max(block.start, start), min(block.start + block.length, end)
    return Block(left, right - left, block.tier, block.hosts) if left < right else None


def _laid_out(have: Iterable[tuple[int, int]], start: int, end: int) -> list[Block]:
    """``[start, end)`` as blocks: what is had of it, and what is between."""
    found: list[Block] = []
    for left, right in have:
        left, right = max(left, start), min(right, end)
        if left >= right:
            continue
        if left > start:
            found.append(Block(start, left - start, None))
        found.append(Block(left, right - left, "partial"))
        start = right
    if start < end:
        found.append(Block(start, end - start, None))
    return found
