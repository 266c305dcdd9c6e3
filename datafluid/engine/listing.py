"""What a mount holds, as far as it is known or its store tells.

Within the refresh window answers come from the cache index; a file is looked up by itself rather than by listing its
directory, and a directory that was listed completely also knows what is not there. What was forgotten is asked for
anew, but while the store is away the old answer is better than none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from datafluid.engine.cache.directories import Directories, Found
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.sweeping import Between, Levels, by_directory, by_page, is_directory, level, nameable
from datafluid.engine.understore.keys import addressable, can_name
from datafluid.engine.understore.port import Listing, ObjectInfo, UnderStore
from datafluid.errors import NotFound, Unavailable

__all__ = ["ListingCache"]


class ListingCache:
    """Listings of one mount.

    Args:
        cache: The home's cache.
        origin: The mount's origin.
        refresh: How old an answer may be, seconds; None: any age.
        store: Opens the store; called only when it must be asked.
        ask: The command that tells whether the store can be reached.
    """

    def __init__(
        self, cache: CacheStore, origin: str, refresh: float | None, store: Callable[[], UnderStore], *, ask: str
    ) -> None:
        self._known = Directories(cache.db, origin)
        self._refresh = refresh
        self._store = store
        self._away = f"Cached files are served; `{ask}` tells whether the store answers."

    def lookup(self, key: str, *, stale: bool = False) -> Found:
        """What is at ``key``: from the index when it is fresh, else from the store.

        Args:
            stale: Take an answer of any age, and never ask the store.

        Raises:
            Unavailable: with ``stale``, nothing is known of the key; else as the store raises it.
            Forbidden: as the store raises it.
        """
        if not _is_nameable(key):
            return Found("nothing", None, time.time())
        known = self._known.find(key, stale=stale)
        if known is not None and (stale or self._is_fresh(known.as_of)):
            return known
        if stale:
            raise Unavailable(f"nothing is known of {key!r}, and its under-store is away.", hint=self._away)
        return self._ask(self._store(), key)

    def list(self, key: str, *, stale: bool = False) -> tuple[Listing, float]:
        """One level below ``key`` and the time it was listed.

        Args:
            stale: Take an answer of any age, and never ask the store.

        Raises:
            Unavailable, Forbidden: as `lookup`.
        """
        if not _is_nameable(key):
            return Listing(objects=(), prefixes=()), time.time()
        known = self._known.listing(key, stale=stale)
        if known is not None and (stale or self._is_fresh(known[1])):
            return known
        if stale:
            raise Unavailable(f"what {key!r} holds is not known, and its under-store is away.", hint=self._away)
        now = time.time()
        store = self._store()
        listing = nameable(store, level(store, key))
        self._known.put([(key, listing)], now)
        return listing, now

    def walk(
        self, key: str, unaddressable: Callable[[str], None] = lambda key: None, between: Between = lambda: None
    ) -> Iterable[ObjectInfo]:
        """List everything below ``key`` anew, remember all of it, and yield the objects.

        Directories are remembered as complete once the walk has ended, for only then are they.

        Args:
            unaddressable: Told each key that no path can name.
            between: Called between two requests.
        """
        now = time.time()
        store = self._store()
        levels: Levels = {key: ([], set())}
        sweep = by_directory if getattr(store, "real_directories", False) else by_page
        wanted = can_name(store)
        for info in sweep(store, key, levels, between):
            if wanted(info.key):
                yield info
            else:
                unaddressable(info.key)
        self._known.put(((path, nameable(store, listing)) for path, listing in _listings(levels)), now)
        for objects, prefixes in levels.values():
            for info in objects:
                if info.key in prefixes and info.size:
                    unaddressable(info.key)

    def forget(self, key: str) -> None:
        """The next question about anything below ``key`` goes to the store, if it can be reached."""
        if _is_nameable(key):
            self._known.forget(key)

    def changed(self, key: str) -> None:
        """Something was written, moved or deleted at ``key``: what is above it may have another form too."""
        self._known.change(key)

    def age(self, key: str) -> float | None:
        """When what is known of ``key`` was learnt; None when nothing is."""
        known = self._known.find(key, stale=True)
        return abs(known.as_of) if known else None

    def is_known(self, key: str) -> bool:
        """Whether what is known of ``key`` may still be answered."""
        known = self._known.find(key)
        return known is not None and self._is_fresh(known.as_of)

    def _is_fresh(self, as_of: float) -> bool:
        """Whether what was learnt then may still be answered."""
        if self._refresh is None:
            return as_of >= 0
        return 0 <= time.time() - as_of < self._refresh  # a listing from the future means that the clock jumped

    def _ask(self, store: UnderStore, key: str) -> Found:
        """What the store says of ``key``: the object, else the directory, for a mere prefix is no object."""
        now = time.time()
        if key:
            if not can_name(store)(key):
                return self._nothing(key, now)
            try:
                info = store.stat(key)
            except NotFound:
                if not getattr(store, "listable", True):
                    return self._nothing(key, now)
            else:
                self._known.put_object(info, now)
                return Found("file", info, now)
        listing = nameable(store, level(store, key))
        if key and not _is_there(store, key, listing):
            return self._nothing(key, now)
        self._known.put([(key, listing)], now)
        return Found("directory", None, now)

    def _nothing(self, key: str, as_of: float) -> Found:
        if self._known.find(key, stale=True) is not None:  # it was there once
            self._known.drop(key)
        return Found("nothing", None, as_of)


def _is_there(store: UnderStore, key: str, listing: Listing) -> bool:
    """Whether a directory exists that was listed so: an empty one only where directories are real."""
    if getattr(store, "real_directories", False):
        return is_directory(store, key)
    return bool(listing.objects or listing.prefixes)


def _listings(levels: Levels) -> Iterator[tuple[str, Listing]]:
    for path, (objects, prefixes) in levels.items():
        yield path, Listing(objects=tuple(objects), prefixes=tuple(sorted(prefixes)))


def _is_nameable(key: str) -> bool:
    """Whether the index may be asked: what no path can name is no text that SQLite takes, and nowhere."""
    return not key or addressable(key)
