"""Warming: bring files of a dataset into its cache, as fast as the store gives them.

What was fetched is recorded in pieces as it comes, so a load that was killed goes on where it was: the next one
fetches only what is missing. One file's trouble is not another's: errors are collected, and the load says so at
its end.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.filling import BLOCK, Extent, Filling, Inflow, Wanted
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.understore.parallel import fetch_in_threads
from datafluid.engine.understore.port import Fetch, ObjectInfo
from datafluid.engine.volume import Entry, Mount, Volume
from datafluid.errors import CacheFull, Corrupt, DatafluidError, NotFound, StaleVersion, Unavailable

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Loaded", "Loader"]

_FETCH = 16 << 20  # large objects are fetched in ranges of this, several at once; a multiple of a checksum's piece
_STREAMS = 8  # large ranges that are fetched at once
_REQUESTS = 16  # small objects that are
_WINDOW_FILES = 128  # files that get their room in one transaction
_WINDOW_BYTES = 512 << 20
_FLUSH_FILES = 64
_FLUSH_SECONDS = 0.2
_ERRORS_SHOWN = 20
_WORTH_ANOTHER_TRY = (StaleVersion, NotFound, Unavailable, Corrupt)

Progress = Callable[[Mapping[str, Any]], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How a load went.

    Args:
        files: Files that are cached now.
        failed: Files that could not be loaded.
        errors: What went wrong, the first few, each as ``path: reason``.
        unaddressable: Objects that no path can name; they are in the store and cannot be loaded.
        cancelled: It was told to stop.
        progress: The last progress.
    """

    files: int
    failed: int
    errors: tuple[str, ...]
    unaddressable: int
    cancelled: bool
    progress: Mapping[str, Any]


class _Stopped(Exception):
    """No error: it ends a walk from within when the load is cancelled."""


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
class Loader:
    """One load of one dataset.

    Args:
        volume: The dataset's bytes.
        progress: Told how far it is, with the keys of ``status.progress``.
        cancelled: Asked whether to stop.
    """

    volume: Volume
    progress: Progress = lambda told: None
    cancelled: Cancelled = lambda: False
    _started: float = field(default_factory=time.monotonic)
    _flushed: float = 0.0
    _files_total: int = 0
    _bytes_total: int = 0
    _files_done: int = 0
    _bytes_done: int = 0
    _fetched: int = 0
    _failures: list[tuple[Entry, Exception]] = field(default_factory=list)
    _unaddressable: list[str] = field(default_factory=list)
    _parts: dict[tuple[str, int], _Part] = field(default_factory=dict)
    _ready: list[tuple[_File, list[Extent]]] = field(default_factory=list)
    _full: CacheFull | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)  # of what is below way: held for moments only
    _recording: threading.Lock = field(default_factory=threading.Lock)  # one record at a time

    def load(self, paths: Sequence[str] = ("",), *, metadata_only: bool = False, refresh: bool = False) -> Loaded:
        """Load everything below some paths.

        Args:
            paths: Relative to the dataset; ``""`` is all of it. One that lies in another is counted once.
            metadata_only: List, and fetch no bytes.
            refresh: List anew, however fresh what is known.

        Raises:
            NotFound: a path does not exist.
            CacheFull: there is no room; what was loaded stays cached.
            Unavailable, Forbidden: the under-store cannot be listed.
        """
        wanted: list[tuple[Mount, Entry]] = []
        with suppress(_Stopped):
            wanted.extend(self._plan(paths, refresh=refresh))
        self._files_total = len(wanted)
        self._bytes_total = sum(entry.size for _, entry in wanted)
        self._tell()
        if metadata_only:
            self._files_done = len(wanted)
            return self._result()
        self._need_capacity()
        for mount in dict.fromkeys(mount for mount, _ in wanted):
            self._load_from(mount, [entry for source, entry in wanted if source is mount])
        self._tell()
        if self._full is not None:
            raise self._full
        return self._result()

    # -- planning -----------------------------------------------------------------------------------------------

    def _plan(self, paths: Sequence[str], *, refresh: bool) -> Iterator[tuple[Mount, Entry]]:
        seen: list[str] = []
        for path in sorted(paths):
            if any(not above or path == above or path.startswith(above + "/") for above in seen):
                continue
            seen.append(path)
            if refresh:
                self.volume.refresh(path)
            if path:
                self.volume.info(path)
            for entry in self.volume.walk(path, unaddressable=self._unaddressable.append, between=self._look_out):
                self._look_out()
                mount = self.volume.mount_of(entry.path)
                assert mount is not None
                yield mount, entry

    def _look_out(self) -> None:
        if self.cancelled():
            raise _Stopped

    def _need_capacity(self) -> None:
        from datafluid.model.quantity import format_size

        quota = sum(tier.quota for tier in self.volume.binding.tiers)
        if self._bytes_total > quota:
            raise CacheFull(
                f"{format_size(self._bytes_total)} do not fit into the cache of {format_size(quota)}.",
                hint="Raise the quota of the runtime's tieredstore, or load fewer paths.",
            )

    # -- fetching -----------------------------------------------------------------------------------------------

    def _load_from(self, mount: Mount, entries: Sequence[Entry]) -> None:
        self._attempt(mount, entries)
        again = [each for each in self._failures if isinstance(each[1], _WORTH_ANOTHER_TRY)]
        if again and not self.cancelled():
            self._failures = [each for each in self._failures if each not in again]
            self._attempt(mount, list(self._looked_up_again(again)))

    def _looked_up_again(self, failures: Iterable[tuple[Entry, Exception]]) -> Iterator[Entry]:
        for entry, _ in failures:
            self.volume.refresh(entry.path)
            try:
                fresh = self.volume.info(entry.path)
            except NotFound:  # deleted since it was listed: there is nothing to load
                self._files_total -= 1
                self._bytes_total -= entry.size
            except DatafluidError as error:
                self._failures.append((entry, error))
            else:
                self._bytes_total += fresh.size - entry.size
                yield fresh

    def _attempt(self, mount: Mount, entries: Sequence[Entry]) -> None:
        large = sum(entry.size for entry in entries) > BLOCK * len(entries)
        try:
            for fetch, error in fetch_in_threads(
                mount.store,
                self._fetches(mount, entries),
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

    def _fetches(self, mount: Mount, entries: Sequence[Entry]) -> Iterator[Fetch]:
        """Files get their room a window at a time, shortly before they are fetched."""
        for window in _windows(entries):
            items = [(self._wanted(mount, entry), entry.size) for entry in window]
            outcomes = self.volume.cache.begin(items, self.volume.binding.tiers)
            for entry, outcome in zip(window, outcomes, strict=True):
                if isinstance(outcome, Filling):
                    yield from self._parts_of(_File(entry, outcome))
                else:
                    self._settled(entry, outcome)
            if len(self._ready) >= _WINDOW_FILES:
                self._flush()

    def _settled(self, entry: Entry, outcome: Sealed | CacheFull) -> None:
        """Nothing is to be fetched of a file: it is there, or there is no room for it."""
        with self._lock:
            if isinstance(outcome, CacheFull):
                self._full = self._full or outcome
                self._failures.append((entry, outcome))
            else:
                self._files_done += 1
                self._bytes_done += entry.size

    def _parts_of(self, file: _File) -> Iterator[Fetch]:
        info = file.filling.wanted.info
        holes = coalesce(file.filling.missing())
        ranges = [(a, min((a // _FETCH + 1) * _FETCH, end)) for start, end in holes for a in _cuts(start, end)]
        file.left = len(ranges)
        with self._lock:
            self._bytes_done += info.size - sum(end - start for start, end in ranges)
            if not ranges:
                self._ready.append((file, []))
            for start, end in ranges:
                self._parts[info.key, start] = _Part(file, Inflow(file.filling, start, end))
        for start, end in ranges:
            yield Fetch(info=info, start=start, length=end - start)

    def _wanted(self, mount: Mount, entry: Entry) -> Wanted:
        info = ObjectInfo(key=mount.key(entry.path), size=entry.size, version=entry.version, mtime=entry.mtime)
        return self.volume.cache.wanted(mount.binding.origin, info)

    def _sink(self, fetch: Fetch, offset: int, data: Buffer) -> None:
        part = self._parts[fetch.info.key, fetch.start]
        part.inflow.add(data)
        length = memoryview(data).nbytes
        with self._lock:
            self._bytes_done += length
            self._fetched += length

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
        self._tell()

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
        with self._lock:
            if file.error is None:
                self._files_done += 1
            elif not self.cancelled():
                self._failures.append((file.entry, file.error))

    # -- telling ------------------------------------------------------------------------------------------------

    def _figures(self) -> dict[str, Any]:
        rate = self._fetched / max(0.001, time.monotonic() - self._started)
        left = max(0, self._bytes_total - self._bytes_done)
        return {
            "bytesTotal": self._bytes_total,
            "bytesDone": min(self._bytes_done, self._bytes_total),
            "filesTotal": self._files_total,
            "filesDone": self._files_done,
            "rate": round(rate),
            "etaSeconds": round(left / rate, 1) if rate and left else (0 if not left else None),
            "errors": [f"{entry.path}: {error}" for entry, error in self._failures[:_ERRORS_SHOWN]],
        }

    def _tell(self) -> None:
        self.progress(self._figures())

    def _result(self) -> Loaded:
        figures = self._figures()
        return Loaded(
            files=self._files_done,
            failed=len(self._failures),
            errors=tuple(figures["errors"]),
            unaddressable=len(self._unaddressable),
            cancelled=self.cancelled(),
            progress=figures,
        )


def _windows(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
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
