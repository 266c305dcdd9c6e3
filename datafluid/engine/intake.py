"""Files of a mount come into the cache: room for a window at a time, ranges fetched at once, recorded as they come."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.filling import BLOCK, Extent, Filling, Inflow, Wanted
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.headway import Cancelled, Headway
from datafluid.engine.understore.parallel import fetch_in_threads
from datafluid.engine.understore.port import Fetch, ObjectInfo
from datafluid.engine.volume import Entry, Mount, Volume
from datafluid.errors import CacheFull

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Intake"]

_FETCH = 16 << 20  # large objects are fetched in ranges of this, several at once; a multiple of a checksum's piece
_STREAMS = 8  # large ranges that are fetched at once
_REQUESTS = 16  # small objects that are
_WINDOW_FILES = 128  # files that get their room in one transaction
_WINDOW_BYTES = 512 << 20
_FLUSH_FILES = 64
_FLUSH_SECONDS = 0.2


@dataclass(slots=True, eq=False)
class _File:
    """A file on its way: how many of its parts are still to come."""

    entry: Entry
    filling: Filling
    left: int = 0
    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Part:
    """A range of a file that is being fetched."""

    file: _File
    inflow: Inflow


@dataclass(eq=False)
class Intake:
    """Some files of one mount, on their way into the cache.

    Args:
        headway: Where files are counted as done or failed, and bytes as they come.
        cancelled: Asked whether to stop.
    """

    volume: Volume
    mount: Mount
    headway: Headway
    cancelled: Cancelled
    _full: CacheFull | None = None
    _flushed: float = 0.0
    _parts: dict[tuple[str, int], _Part] = field(default_factory=dict)
    _ready: list[tuple[_File, list[Extent]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # of what is on its way: held for moments only
    _recording: threading.Lock = field(default_factory=threading.Lock)  # one record at a time

    def take(self, entries: Sequence[Entry]) -> None:
        """Fetch what the cache lacks of some files. What came before an error is recorded, and stays.

        Raises:
            CacheFull: there is no room.
        """
        large = sum(entry.size for entry in entries) > BLOCK * len(entries)
        try:
            for fetch, error in fetch_in_threads(
                self.mount.store,
                self._fetches(entries),
                sink=self._sink,
                concurrency=_STREAMS if large else _REQUESTS,
                cancelled=lambda: self._full is not None or self.cancelled(),
            ):
                self._ended(fetch, error)
        finally:
            self._flush()
            with self._lock:
                left = {id(part.file): part.file for part in self._parts.values()}
                self._parts.clear()
            self.volume.cache.close(file.filling for file in left.values())
        if self._full is not None:
            raise self._full

    # -- fetching -----------------------------------------------------------------------------------------------

    def _fetches(self, entries: Sequence[Entry]) -> Iterator[Fetch]:
        """Files get their room shortly before they are fetched."""
        for window in _windows(entries):
            items = [(self._wanted(entry), entry.size) for entry in window]
            outcomes = self.volume.cache.begin(items, self.volume.binding.tiers)
            for entry, outcome in zip(window, outcomes, strict=True):
                if isinstance(outcome, Filling):
                    yield from self._parts_of(_File(entry, outcome))
                else:
                    self._settled(entry, outcome)
            if len(self._ready) >= _WINDOW_FILES:
                self._flush()

    def _wanted(self, entry: Entry) -> Wanted:
        info = ObjectInfo(key=self.mount.key(entry.path), size=entry.size, version=entry.version, mtime=entry.mtime)
        return self.volume.cache.wanted(self.mount.binding.origin, info)

    def _settled(self, entry: Entry, outcome: Sealed | CacheFull) -> None:
        """Nothing is to be fetched of a file: it is there, or there is no room for it."""
        if isinstance(outcome, CacheFull):
            self._full = self._full or outcome
            self.headway.failed(entry, outcome)
        else:
            self.headway.found(entry.size)
            self.headway.done()

    def _parts_of(self, file: _File) -> Iterator[Fetch]:
        info = file.filling.wanted.info
        holes = coalesce(file.filling.missing())
        ranges = [(a, min((a // _FETCH + 1) * _FETCH, end)) for start, end in holes for a in _cuts(start, end)]
        file.left = len(ranges)
        self.headway.found(info.size - sum(end - start for start, end in ranges))
        with self._lock:
            if not ranges:
                self._ready.append((file, []))
            for start, end in ranges:
                self._parts[info.key, start] = _Part(file, Inflow(file.filling, start, end))
        for start, end in ranges:
            yield Fetch(info=info, start=start, length=end - start)

    def _sink(self, fetch: Fetch, offset: int, data: Buffer) -> None:
        self._parts[fetch.info.key, fetch.start].inflow.add(data)
        self.headway.moved(memoryview(data).nbytes)

    def _ended(self, fetch: Fetch, error: Exception | None) -> None:
        part = self._parts[fetch.info.key, fetch.start]
        if error is None:
            try:
                part.inflow.finish()
            except CacheFull as full:
                error = full
        with self._lock:
            del self._parts[fetch.info.key, fetch.start]
            part.file.left -= 1
            part.file.error = part.file.error or error
            if isinstance(error, CacheFull):
                self._full = self._full or error
            self._ready.append((part.file, part.inflow.take()))
            due = len(self._ready) >= _FLUSH_FILES
        if due or time.monotonic() - self._flushed >= _FLUSH_SECONDS:
            self._flush()

    # -- recording ----------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Record what has come, seal what is complete, close what has ended. Fetches go on meanwhile."""
        with self._recording:
            with self._lock:
                ready, self._ready = self._ready, []
                ready += [(part.file, taken) for part in self._parts.values() if (taken := part.inflow.take())]
                ended = {id(file) for file, _ in ready if file.left == 0}
                self._flushed = time.monotonic()
            files: dict[int, tuple[_File, list[Extent]]] = {}
            for file, extents in ready:
                files.setdefault(id(file), (file, []))[1].extend(extents)
            if files:
                self._record(list(files.values()), ended)
        self.headway.tell()

    def _record(self, files: Sequence[tuple[_File, list[Extent]]], ended: set[int]) -> None:
        self.volume.cache.tally.count("loaded_bytes", sum(end - start for _, found in files for start, end, _ in found))
        outcomes = self.volume.cache.record([(file.filling, extents) for file, extents in files])
        over = [(file, sealed) for (file, _), sealed in zip(files, outcomes, strict=True) if id(file) in ended]
        self.volume.cache.close(file.filling for file, _ in over)
        for file, sealed in over:
            self._count(file, sealed)

    def _count(self, file: _File, sealed: Sealed | None) -> None:
        if sealed is None and file.error is None and self.volume.cache.sealed.find(file.filling.wanted.id) is None:
            file.error = CacheFull(
                "it was evicted while it was loaded.", hint="Raise the quota of the runtime's tieredstore."
            )
        if file.error is None:
            self.headway.done()
        elif not self.cancelled():
            self.headway.failed(file.entry, file.error)


def _windows(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    window: list[Entry] = []
    size = 0
    for entry in entries:
        if window and (len(window) >= _WINDOW_FILES or size + entry.size > _WINDOW_BYTES):
            yield window
            window, size = [], 0
        window.append(entry)
        size += entry.size
    if window:
        yield window


def _cuts(start: int, end: int) -> Iterator[int]:
    """Where the ranges of a hole begin: at its start, then at multiples of the range's size."""
    while start < end:
        yield start
        start = (start // _FETCH + 1) * _FETCH
