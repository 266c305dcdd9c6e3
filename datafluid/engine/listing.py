"""What directories hold, remembered: listings in the cache index with the time they were taken.

Within the refresh window answers come from the index; a file is looked up by itself rather than by listing its
directory, and a directory that was listed completely also knows what is not there. What is forgotten is kept with its
time made negative: the store is asked, but while it is away the old answer is better than none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from datafluid.engine.cache import index
from datafluid.engine.cache.identity import content_id
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.sweeping import Between, Levels, by_directory, by_page, is_directory, level, nameable
from datafluid.engine.understore.keys import addressable, can_name
from datafluid.engine.understore.port import Listing, ObjectInfo, UnderStore
from datafluid.errors import CacheFull, NotFound, Unavailable

if TYPE_CHECKING:
    import apsw

__all__ = ["Found", "ListingCache"]

# A directory, and an entry of it: at most a row of each. Not a join, which takes SQLite three times as long.
_DIRECTORY = "FROM directory WHERE origin=(SELECT id FROM origin WHERE name=?1) AND path=?2"
_LOOK_UP = (
    f"SELECT as_of, complete, NULL, NULL, NULL {_DIRECTORY} UNION ALL SELECT as_of, is_directory, size, mtime, version"
    f" FROM entry WHERE directory=(SELECT id {_DIRECTORY}) AND name=?3"
)
_WAS = 2  # of a directory: it was complete, and something in it has changed since


@dataclass(frozen=True, slots=True)
class Found:
    """What is at a key.

    Args:
        kind: ``file``, ``directory``, or ``nothing``.
        info: The object, for a file.
        as_of: When the store said so, seconds since the epoch.
    """

    kind: Literal["file", "directory", "nothing"]
    info: ObjectInfo | None
    as_of: float


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
        self._cache = cache
        self._origin_name = origin
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
        known = self._known(key, stale=stale)
        if known is not None and (stale or self.is_fresh(known.as_of)):
            return known
        if stale:
            raise Unavailable(f"nothing is known of {key!r}, and its under-store is away.", hint=self._away)
        return self._ask(self._store(), key)

    def list(self, key: str, *, stale: bool = False) -> tuple[Listing, float]:
        """One level below ``key`` and the time it was listed."""
        if not _is_nameable(key):
            return Listing(objects=(), prefixes=()), time.time()
        known = self._known_listing(key, stale=stale)
        if known is not None and (stale or self.is_fresh(known[1])):
            return known
        if stale:
            raise Unavailable(f"what {key!r} holds is not known, and its under-store is away.", hint=self._away)
        now = time.time()
        store = self._store()
        listing = nameable(store, level(store, key))
        with suppress(CacheFull), self._cache.db.transaction() as db:  # then it is asked again
            self._put(db, key, listing, now)
        return listing, now

    def walk(
        self, key: str, unaddressable: Callable[[str], None] = lambda key: None, between: Between = lambda: None
    ) -> Iterable[ObjectInfo]:
        """List everything below ``key`` anew, remember all of it, and yield the objects.

        Directories are remembered as complete once the walk has ended, for only then are they.
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
        with suppress(CacheFull), self._cache.db.transaction() as db:  # then it is asked again
            for path, (objects, prefixes) in levels.items():
                listing = Listing(objects=tuple(objects), prefixes=tuple(sorted(prefixes)))
                self._put(db, path, nameable(store, listing), now)
                for info in objects:
                    if info.key in prefixes and info.size:
                        unaddressable(info.key)

    def forget(self, key: str) -> None:
        """The next question about anything below ``key`` goes to the store, if it can be reached."""
        if not _is_nameable(key):
            return
        with self._cache.db.transaction() as db:
            origin, (condition, bindings) = self._number(db), _at_or_below(key)
            below = f"SELECT id FROM directory WHERE origin=? AND {condition}"
            db.execute(f"UPDATE entry SET as_of=-abs(as_of) WHERE directory IN ({below})", (origin, *bindings))
            db.execute(f"UPDATE directory SET as_of=-abs(as_of) WHERE origin=? AND {condition}", (origin, *bindings))
            parent, _, name = key.rpartition("/")
            db.execute(
                "UPDATE entry SET as_of=(SELECT -abs(coalesce(entry.as_of, d.as_of)) FROM directory d"
                " WHERE d.id=entry.directory) WHERE name=? AND directory IN"
                " (SELECT id FROM directory WHERE origin=? AND path=?)",
                (name, origin, parent),
            )
            db.execute(
                "UPDATE directory SET complete=? WHERE complete=1 AND origin=? AND path=?", (_WAS, origin, parent)
            )

    def changed(self, key: str) -> None:
        """Something was written, moved or deleted at ``key``: what is above it may have another form too."""
        with self._cache.db.transaction() as db:
            self._drop(db, key)
            above = key
            while above:
                above = above.rpartition("/")[0]
                db.execute(
                    "UPDATE directory SET complete=? WHERE complete=1 AND origin=? AND path=?",
                    (_WAS, self._number(db), above),
                )

    def remember(self, info: ObjectInfo) -> None:
        """Note one object that was just written or looked up."""
        with suppress(CacheFull), self._cache.db.transaction() as db:  # then it is asked again
            self._remember(db, info, time.time())

    def age(self, key: str) -> float | None:
        """When what is known of ``key`` was learnt; None when nothing is."""
        known = self._known(key, stale=True)
        return abs(known.as_of) if known else None

    def is_known(self, key: str) -> bool:
        """Whether what is known of ``key`` may still be answered."""
        known = self._known(key)
        return known is not None and self.is_fresh(known.as_of)

    # -- the index ----------------------------------------------------------------------------------------------

    def is_fresh(self, as_of: float) -> bool:
        """Whether what was learnt then may still be answered."""
        if self._refresh is None:
            return as_of >= 0
        return 0 <= time.time() - as_of < self._refresh  # a listing from the future means that the clock jumped

    def _known(self, key: str, *, stale: bool = False) -> Found | None:
        if key == "":
            listed = self._directory("")
            return Found("directory", None, listed[1]) if listed else None
        parent, _, name = key.rpartition("/")
        rows = self._cache.db.look(_LOOK_UP, (self._origin_name, parent, name))
        if not rows:
            return None
        as_of, complete = rows[0][:2]
        if len(rows) == 1:
            return Found("nothing", None, as_of) if complete == 1 else None
        own, is_directory, size, mtime, version = rows[1]
        if own is None and complete != 1 and not stale:
            return None
        learnt = as_of if own is None else own
        if is_directory:
            return Found("directory", None, learnt)
        return Found("file", ObjectInfo(key=key, size=size, version=version, mtime=mtime), learnt)

    def _known_listing(self, key: str, *, stale: bool = False) -> tuple[Listing, float] | None:
        found = self._directory(key)
        if found is None or found[2] not in ((1, _WAS) if stale else (1,)):
            return None
        rows = self._cache.db.look(
            "SELECT name, is_directory, size, mtime, version FROM entry WHERE directory=? ORDER BY name", (found[0],)
        )
        start = f"{key}/" if key else ""
        objects = tuple(
            ObjectInfo(key=start + name, size=size, version=version, mtime=mtime)
            for name, is_directory, size, mtime, version in rows
            if not is_directory
        )
        return Listing(objects=objects, prefixes=tuple(start + row[0] for row in rows if row[1])), found[1]

    def _directory(self, key: str) -> tuple[int, float, int] | None:
        rows = self._cache.db.look(
            f"SELECT id, as_of, complete {_DIRECTORY}",
            (self._origin_name, key),
        )
        return rows[0] if rows else None

    def _ask(self, store: UnderStore, key: str) -> Found:
        now = time.time()
        if key and not can_name(store)(key):
            return self._nothing(key, now)
        if key:
            try:
                info = store.stat(key)
            except NotFound:
                if not getattr(store, "listable", True):
                    return self._nothing(key, now)
            else:
                self.remember(info)
                return Found("file", info, now)
        listing = nameable(store, level(store, key))
        if not listing.objects and not listing.prefixes and key and not getattr(store, "real_directories", False):
            return self._nothing(key, now)
        if key and getattr(store, "real_directories", False) and not is_directory(store, key):
            return self._nothing(key, now)
        with suppress(CacheFull), self._cache.db.transaction() as db:  # then it is asked again
            self._put(db, key, listing, now)
        return Found("directory", None, now)

    def _nothing(self, key: str, as_of: float) -> Found:
        if self._known(key, stale=True) is not None:  # it was there once
            with suppress(CacheFull), self._cache.db.transaction() as db:  # then it is asked again
                self._drop(db, key)
        return Found("nothing", None, as_of)

    def _drop(self, db: apsw.Connection, key: str) -> None:
        """Know nothing of what is at ``key`` and below."""
        origin, (condition, bindings) = self._number(db), _at_or_below(key)
        below = f"SELECT id FROM directory WHERE origin=? AND {condition}"
        db.execute(f"DELETE FROM entry WHERE directory IN ({below})", (origin, *bindings))
        db.execute(f"DELETE FROM directory WHERE origin=? AND {condition}", (origin, *bindings))
        parent, _, name = key.rpartition("/")
        db.execute(
            "DELETE FROM entry WHERE name=? AND directory IN (SELECT id FROM directory WHERE origin=? AND path=?)",
            (name, origin, parent),
        )

    def _number(self, db: apsw.Connection) -> int:
        return index.intern(db, "origin", self._origin_name)  # not kept: the transaction may be rolled back

    def _put(self, db: apsw.Connection, key: str, listing: Listing, as_of: float) -> None:
        directory = self._open_directory(db, key, as_of, complete=True)
        self._supersede(db, directory, listing)
        db.execute("DELETE FROM entry WHERE directory=?", (directory,))
        cut = len(key) + 1 if key else 0
        db.executemany(
            "INSERT OR REPLACE INTO entry VALUES(?,?,?,?,?,?,NULL)",
            [(directory, prefix[cut:], 1, 0, None, "") for prefix in listing.prefixes]
            + [(directory, info.key[cut:], 0, info.size, info.mtime, info.version) for info in listing.objects],
        )

    def _supersede(self, db: apsw.Connection, directory: int, listing: Listing) -> None:
        """Older versions of changed objects are the first that an eviction takes."""
        known = {
            name: (version, size)
            for name, version, size in db.execute(
                "SELECT name, version, size FROM entry WHERE directory=? AND is_directory=0", (directory,)
            )
        }
        for info in listing.objects:
            before = known.get(info.key.rpartition("/")[2])
            if before is not None and before != (info.version, info.size):
                old = content_id(self._origin_name, info.key, before[0], before[1])
                db.execute("UPDATE content SET used=0 WHERE id=?", (old,))

    def _remember(self, db: apsw.Connection, info: ObjectInfo, as_of: float) -> None:
        parent, _, name = info.key.rpartition("/")
        directory = self._open_directory(db, parent, as_of, complete=False)
        self._supersede(db, directory, Listing(objects=(info,), prefixes=()))
        db.execute(
            "INSERT OR REPLACE INTO entry VALUES(?,?,0,?,?,?,?)",
            (directory, name, info.size, info.mtime, info.version, as_of),
        )

    def _open_directory(self, db: apsw.Connection, key: str, as_of: float, *, complete: bool) -> int:
        origin = self._number(db)
        for number, known_complete in db.execute(
            "SELECT id, complete FROM directory WHERE origin=? AND path=?", (origin, key)
        ):
            if complete:
                db.execute("UPDATE directory SET as_of=?, complete=1 WHERE id=?", (as_of, number))
            elif known_complete == 0:
                db.execute("UPDATE directory SET as_of=? WHERE id=?", (as_of, number))
            return int(number)
        db.execute(
            "INSERT INTO directory(origin, path, as_of, complete) VALUES(?,?,?,?)", (origin, key, as_of, complete)
        )
        return int(db.last_insert_rowid())


def _is_nameable(key: str) -> bool:
    """Whether the index may be asked: what no path can name is no text that SQLite takes, and nowhere."""
    return not key or addressable(key)


def _at_or_below(key: str) -> tuple[str, tuple[str | int, ...]]:
    """A condition on ``directory.path``, and what it is bound to."""
    below = f"{key}/" if key else ""
    return "(path=? OR substr(path, 1, ?)=?)", (key, len(below), below)
