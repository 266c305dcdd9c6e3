"""Reading one version of an object: what is cached comes from the file, what is missing is fetched into it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache.extents import aligned, coalesce
from datafluid.engine.cache.filling import Filling, Inflow, Wanted
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.locks import FileLock
from datafluid.engine.ranges import UNIT, read_at
from datafluid.engine.understore.port import Fetch, UnderStore
from datafluid.errors import CacheFull

__all__ = ["VersionReader"]

_GAP = 64 << 10  # holes up to this size are fetched along rather than asked for separately
_AHEAD = 8 << 20  # one fetch of sequential read-ahead
_STREAK = 256 << 10  # bytes read one after the other that make a sequential reader; the window is twice the streak
_STREAMS = 4  # fetches of read-ahead in flight
_PATIENCE = 3  # a file may be evicted between the look and the open, but hardly so often
_CLAIM_PATIENCE = 30.0  # seconds to wait for another reader's fetch before fetching the same bytes


class VersionReader:
    """One version of an object, opened. Safe to use from several threads.

    Args:
        wanted: The version.
        tiers: Where it may be cached, in order of preference.
    """

    def __init__(self, cache: CacheStore, store: UnderStore, wanted: Wanted, tiers: Sequence[TierBinding]) -> None:
        self.wanted = wanted
        self.size = wanted.info.size
        self._cache = cache
        self._store = store
        self._tiers = tiers
        self._lock = threading.Lock()
        self._ahead: dict[int, Future[None]] = {}
        self._ahead_end = 0
        self._last_end = 0
        self._streak = 0
        self._filling: Filling | None = None  # what is being filled
        self._complete: int | None = None  # or the descriptor of a file that is complete; neither: read past the cache
        with suppress(CacheFull):  # the disk of the index, too
            self._enter()

    def _enter(self) -> None:
        for _ in range(_PATIENCE):
            (outcome,) = self._cache.begin([(self.wanted, 0)], self._tiers)
            if isinstance(outcome, Filling):
                self._filling = outcome
            elif isinstance(outcome, Sealed):  # completed by somebody else since the caller looked
                try:
                    self._complete = os.open(outcome.path, os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:  # and evicted
                    continue
            return

    def read(self, offset: int, end: int) -> bytes:
        """Bytes ``[offset, end)``; fewer only at the end of the object.

        Raises:
            StaleVersion: the object has another version by now.
            NotFound, Unavailable, Forbidden: as the under-store raises them.
        """
        end = min(end, self.size)
        if offset >= end:
            return b""
        if self._complete is not None:
            return read_at(self._complete, offset, end)
        filling = self._filling
        if filling is None:
            return self._bypass(offset, end)
        if filling.missing(offset, end):
            try:
                self._bring(filling, offset, end)
            except CacheFull:
                self._cache.tally.count("bypassed_bytes", end - offset)
                return self._bypass(offset, end)
        self._streak = self._streak + end - offset if offset == self._last_end else end - offset
        self._last_end = end
        return read_at(filling.fd, offset, end)

    def ensure(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch what is missing of several ``(start, end)`` ranges, in parallel, as far as there is room.

        Raises:
            StaleVersion, NotFound, Unavailable, Forbidden: as `read` does.
        """
        filling = self._filling
        if filling is None:
            return
        cut = [(start, min(end, self.size)) for start, end in ranges]
        wide = [aligned(start, end, unit=UNIT, size=self.size) for start, end in cut if start < end]
        holes = coalesce((hole for start, end in wide for hole in filling.missing(start, end)), gap=_GAP)
        parts = [(a, min(a + _AHEAD, end)) for start, end in holes for a in range(start, end, _AHEAD)]
        futures = [_pool().submit(self._fetch, start, end) for start, end in parts]
        wait(futures)  # all of them, before any error: they write to our descriptor
        for error in (future.exception() for future in futures):
            if error is not None and not isinstance(error, CacheFull):  # what finds no room is read past the cache
                raise error

    def close(self) -> None:
        """Let go of the file; reads afterwards fail."""
        with self._lock:
            filling, self._filling = self._filling, None
            complete, self._complete = self._complete, None
            ahead, self._ahead = self._ahead, {}
        for future in ahead.values():
            future.cancel()
        for future in ahead.values():
            if not future.cancelled():
                future.exception()  # it writes to our descriptor: wait until it has ended
        if complete is not None:
            os.close(complete)
        if filling is not None:
            self._cache.close([filling])

    # -- internals ----------------------------------------------------------------------------------------------

    def _bypass(self, offset: int, end: int) -> bytes:
        return bytes(self._store.read(Fetch(info=self.wanted.info, start=offset, length=end - offset)))

    def _bring(self, filling: Filling, offset: int, end: int) -> None:
        streak = self._streak + end - offset if offset == self._last_end else 0
        if streak >= _STREAK and self.size > UNIT:
            self._look_ahead(filling, offset, end, min(2 * streak, _STREAMS * _AHEAD))
        for start, stop in filling.missing(offset, end):
            self._fetch(*aligned(start, stop, unit=UNIT, size=self.size))

    def _look_ahead(self, filling: Filling, offset: int, end: int, window: int) -> None:
        """Keep fetches of a window of bytes to come in flight, and wait for those that ``[offset, end)`` needs."""
        with self._lock:
            position = max(self._ahead_end, offset // UNIT * UNIT)
            limit = min(self.size, end + window)
            if limit < self.size and limit - position < window // 2:
                limit = position  # wait until half of the window is used up: few large fetches beat many small ones
            while position < limit:
                stop = min(position + _AHEAD, self.size)
                if filling.missing(position, stop):
                    self._ahead[position] = _pool().submit(self._fetch, position, stop)
                position = stop
            self._ahead_end = max(self._ahead_end, position)
            needed = [start for start in self._ahead if start < end]
            waits = [self._ahead[start] for start in needed]
        for future in waits:
            future.result()
        with self._lock:
            for start in needed:
                self._ahead.pop(start, None)

    def _fetch(self, start: int, end: int) -> None:
        filling = self._filling
        if filling is None or not filling.missing(start, end):
            return
        claim = self._claim(start, end)
        try:
            self._cache.refreshed(filling)
            for left, right in coalesce(filling.missing(start, end), gap=_GAP):
                self._cache.reserve_more(filling, right - left, self._tiers)
                fetch = Fetch(info=self.wanted.info, start=left, length=right - left)
                inflow = Inflow(filling, left, right)
                for data in self._store.stream(fetch):
                    inflow.add(data)
                inflow.finish()
                self._cache.record([(filling, inflow.take())])
                self._cache.tally.count("misses")
                self._cache.tally.count("fetched_bytes", right - left)
        finally:
            claim.release()

    def _claim(self, start: int, end: int) -> FileLock:
        """Say that we fetch these bytes. A claim saves work; nothing is wrong when two fetch the same."""
        base = int.from_bytes(self.wanted.id[:4]) << 24
        first, last = start // UNIT, -(-end // UNIT)
        lock = FileLock(self._cache.home.locks / "claims", start=base + first, length=max(1, last - first))
        patience = time.monotonic() + _CLAIM_PATIENCE
        nap = 0.001
        while not lock.try_acquire() and time.monotonic() < patience:
            time.sleep(nap)
            nap = min(nap * 2, 0.05)
        return lock


_POOL: tuple[int, ThreadPoolExecutor] | None = None
_POOL_LOCK = threading.Lock()


def _pool() -> ThreadPoolExecutor:
    """The process's threads for fetches; a forked child gets its own."""
    global _POOL
    with _POOL_LOCK:
        if _POOL is None or _POOL[0] != os.getpid():
            _POOL = (os.getpid(), ThreadPoolExecutor(8, thread_name_prefix="fluid-fetch"))
        return _POOL[1]
