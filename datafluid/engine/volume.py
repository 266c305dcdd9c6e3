"""One dataset's bytes: what the filesystem, the client and the loader see of it.

hot    the path is remembered in this process: nothing but a dictionary and a memory-mapped counter
local  a complete file on this machine: cached, or the under-store's own when that is a local directory
open   anything else: a `Reader`, which fetches what is missing into the cache
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.cache import index
from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.identity import content_id
from datafluid.engine.cache.sealed import stamp_of
from datafluid.engine.cache.store import open_cache
from datafluid.engine.editing import Editing
from datafluid.engine.generation import Generation
from datafluid.engine.home import Home
from datafluid.engine.listing import Found
from datafluid.engine.mounted import Block, Entry, Local, LocalFile, Mount, OpenStore, Source, entry_of, open_checked
from datafluid.engine.ranges import UNIT, read_at
from datafluid.engine.streams import ReaderFile
from datafluid.engine.understore.port import HostedRange, ObjectInfo, TellsHosts, UnderStore
from datafluid.errors import IsADirectory, NotADirectory, NotFound, Unavailable

if TYPE_CHECKING:
    from datafluid.engine.reader import Reader

__all__ = ["Block", "Entry", "Local", "Mount", "Volume"]

_REMEMBERED = 8192  # paths a process remembers; a reader's memory does not grow with the dataset
_ASK_AGAIN = 5.0  # seconds between two questions to a store that is away, while stale files are served
_PATIENT = 10  # and so many times as long as the last question took: waiting is a tenth of the time at most
_FOREVER = float("inf")
_PATIENCE = 3  # a cached file may be evicted between the look and the open, but hardly three times
_T = TypeVar("_T")


class Volume(Editing):
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
        self.binding = binding
        self.source = source
        self.cache = open_cache(home)
        opener = opener or _open_store
        self.mounts = sorted(
            (Mount(home, binding, mount, self.cache, opener) for mount in binding.mounts),
            key=lambda mount: len(mount.binding.path),
            reverse=True,
        )
        self.offline_since: float | None = None
        self._ask_again = 0.0
        self._generation = Generation(home.generation)
        self._local: dict[str, Local] = {}
        self._entries: dict[str, tuple[Entry, float, int]] = {}

    def close(self) -> None:
        """Let go of connections; who has it open, or has kept it, may go on."""
        for mount in self.mounts:
            mount.close()

    # -- looking ------------------------------------------------------------------------------------------------

    def hot(self, path: str) -> Local | None:
        """The complete local file of a path that this process has opened lately; costs a microsecond."""
        local = self._local.get(path)
        if local is None:
            return None
        if local.generation != self._generation.read() or local.expires < time.monotonic():
            self._local.pop(path, None)
            return None
        return local

    def info(self, path: str) -> Entry:
        """What is at ``path``.

        Raises:
            NotFound: nothing is.
            Unavailable: the under-store is away and nothing fresh is known.
        """
        remembered = self._entries.get(path)
        if remembered is not None:
            entry, expires, generation = remembered
            if generation == self._generation.read() and time.monotonic() <= expires:
                return entry
        generation = self._generation.read()
        entry, as_of = self._look_up(path)
        self._remember(self._entries, path, (entry, self._expiry(as_of), generation))
        return entry

    def ls(self, path: str) -> list[Entry]:
        """One level below a directory, in name order.

        Raises:
            NotFound, NotADirectory: there is no such directory.
        """
        entries = {name: Entry(_join(path, name), 0, "directory") for name in self._virtual(path)}
        mount = self.mount_of(path)
        if mount is not None:
            key = mount.key(path)
            listing, _ = self._guarded(lambda stale: mount.listing.list(key, stale=stale))
            if not listing.objects and not listing.prefixes and path and not entries:
                self._must_be_directory(path)
            for prefix in listing.prefixes:
                entries.setdefault(_name(prefix), Entry(mount.path(prefix), 0, "directory"))
            for info in listing.objects:
                if info.key != key:
                    entries.setdefault(_name(info.key), entry_of(mount, info))
        elif not entries and path:
            raise NotFound(f"{self._shown(path)} does not exist.", hint="See `datafluid ls`.")
        return [entries[name] for name in sorted(entries)]

    def walk(
        self,
        path: str,
        *,
        unaddressable: Callable[[str], None] = lambda key: None,
        between: Callable[[], None] = lambda: None,
    ) -> Iterator[Entry]:
        """All files below ``path``; a file yields itself.

        Directories are listed anew in one sweep unless what is known of them is fresh.

        Args:
            unaddressable: Told the keys, found in a sweep, that no path can name.
            between: Called between two questions to the store; what it raises ends the walk.
        """
        if path and self.info(path).type == "file":
            yield self.info(path)
            return
        for mount in self.mounts:
            own = mount.binding.path
            if mount is self.mount_of(path):
                yield from self._walk_mount(mount, path, unaddressable, between)
            elif not path or own.startswith(path + "/"):
                yield from self._walk_mount(mount, own, unaddressable, between)

    def local(self, path: str) -> Local | None:
        """The complete local file of ``path``, checked; None when it must be fetched.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        generation = self._generation.read()
        entry, as_of = self._look_up(path)
        if entry.type == "directory":
            raise IsADirectory(f"{self._shown(path)} is a directory.", hint="Name a file in it.")
        mount = self.mount_of(path)
        assert mount is not None
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

        entry, _ = self._look_up(path)
        if entry.type == "directory":
            raise IsADirectory(f"{self._shown(path)} is a directory.", hint="Name a file in it.")
        mount = self.mount_of(path)
        assert mount is not None
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
        found, position = [], start
        for left, right in have:
            left, right = max(left, start), min(right, end)
            if left >= right:
                continue
            if left > position:
                found.append(Block(position, left - position, None))
            found.append(Block(left, right - left, "partial"))
            position = right
        if position < end:
            found.append(Block(position, end - position, None))
        return found

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

    def refresh(self, path: str = "") -> None:
        """Forget what is known below ``path``, in every process: the next question goes to the under-store."""
        for mount in self.mounts:
            if mount is self.mount_of(path):
                mount.listing.forget(mount.key(path))
            elif not path or mount.binding.path.startswith(path + "/"):
                mount.listing.forget(mount.binding.prefix)
        self._generation.bump()

    def as_of(self, path: str) -> float | None:
        """When what is served of ``path`` was true, seconds since the epoch; None when nothing is known."""
        mount = self.mount_of(path)
        return mount.listing.age(mount.key(path)) if mount else None

    # -- internals ----------------------------------------------------------------------------------------------

    def _look_up(self, path: str) -> tuple[Entry, float]:
        if not path or self._virtual(path):
            return Entry(path, 0, "directory"), _FOREVER
        mount = self.mount_of(path)
        if mount is None:
            raise NotFound(f"{self._shown(path)} does not exist.", hint="See `datafluid ls`.")
        if path == mount.binding.path:
            return Entry(path, 0, "directory"), _FOREVER
        key = mount.key(path)
        found: Found = self._guarded(lambda stale: mount.listing.lookup(key, stale=stale))
        if found.kind == "nothing":
            raise NotFound(f"{self._shown(path)} does not exist.", hint="`datafluid refresh` if it is new.")
        if found.info is None:
            return Entry(path, 0, "directory"), found.as_of
        return entry_of(mount, found.info), found.as_of

    def _guarded(self, ask: Callable[[bool], _T]) -> _T:
        """Ask; where the dataset serves stale files, answer from what is known while the store is away."""
        if self.offline_since is not None and time.monotonic() < self._ask_again:
            with suppress(Unavailable):  # nothing is known of it: the store may be back
                return ask(True)
        began = time.monotonic()
        try:
            answer = ask(False)
        except Unavailable:
            if not self.binding.serve_stale:
                raise
            self.offline_since = self.offline_since or time.time()
            now = time.monotonic()
            self._ask_again = now + max(_ASK_AGAIN, _PATIENT * (now - began))
            return ask(True)
        self.offline_since = None
        return answer

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

    def _walk_mount(
        self, mount: Mount, path: str, unaddressable: Callable[[str], None], between: Callable[[], None]
    ) -> Iterator[Entry]:
        between()
        top = mount.key(path)
        swept: Iterator[ObjectInfo] | None = None
        if not mount.listing.is_known(top):
            swept = self._guarded(
                lambda stale: None if stale else _begun(mount.listing.walk(top, unaddressable, between))
            )
        if swept is None:  # a directory after the other: what is known, or what is known still
            for entry in self.ls(path):
                if entry.type == "file":
                    yield entry
                elif self.mount_of(entry.path) is mount:
                    yield from self._walk_mount(mount, entry.path, unaddressable, between)
            return
        for info in swept:
            path_of = mount.path(info.key)
            if self.mount_of(path_of) is mount:
                yield entry_of(mount, info)

    def mount_of(self, path: str) -> Mount | None:
        """The mount that a path lies in."""
        for mount in self.mounts:
            own = mount.binding.path
            if not own or path == own or path.startswith(own + "/"):
                return mount
        return None

    def _virtual(self, path: str) -> list[str]:
        """Names below ``path`` that exist only because a mount is further down."""
        start = path + "/" if path else ""
        below = (m.binding.path[len(start) :] for m in self.mounts if m.binding.path.startswith(start))
        return sorted({rest.partition("/")[0] for rest in below if rest})

    def _must_be_directory(self, path: str) -> None:
        if self._look_up(path)[0].type == "file":
            raise NotADirectory(f"{self._shown(path)} is a file.", hint="Name a directory.")

    def _expiry(self, as_of: float) -> float:
        if as_of < 0:  # forgotten, and the store is away
            return 0.0
        if self.binding.refresh is None or as_of == _FOREVER:
            return _FOREVER
        return time.monotonic() + self.binding.refresh - max(0.0, time.time() - as_of)

    @staticmethod
    def _remember(memory: dict[str, _T], path: str, value: _T) -> None:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[path] = value

    def _shown(self, path: str) -> str:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")  # a name that is no UTF-8 could not be printed
        return f"fluid://{self.binding.namespace}/{self.binding.name}/{shown}".rstrip("/")


def _open_store(home: Home, binding: Binding, mount: MountBinding) -> UnderStore:
    from datafluid.engine.understore.factory import open_store

    return open_store(home, binding, mount)


def _cut(block: HostedRange, start: int, end: int) -> Block | None:
    left, right = max(block.start, start), min(block.start + block.length, end)
    return Block(left, right - left, block.tier, block.hosts) if left < right else None


def _begun(found: Iterable[_T]) -> Iterator[_T]:
    """The same, with the first already taken: whether there is an answer at all is known now."""
    rest = iter(found)
    return chain(list(islice(rest, 1)), rest)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _name(key: str) -> str:
    return key.rpartition("/")[2]
