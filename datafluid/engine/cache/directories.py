"""The part of ``cache.db`` that knows directories: what they hold, and when the store said so.

Rows in, rows out: whether an answer is still good enough is decided by `datafluid.engine.listing`. What is forgotten
stays, with its time made negative.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from datafluid.engine.cache import index
from datafluid.engine.cache.identity import content_id
from datafluid.engine.database import Database
from datafluid.engine.understore.port import Listing, ObjectInfo
from datafluid.errors import CacheFull

if TYPE_CHECKING:
    import apsw

__all__ = ["Directories", "Found"]

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


class Directories:
    """What is known of the directories of one mount.

    Args:
        db: The cache index.
        origin: The mount's origin.
    """

    def __init__(self, db: Database, origin: str) -> None:
        self._db = db
        self._origin = origin

    def find(self, key: str, *, stale: bool = False) -> Found | None:
        """What is known to be at ``key``; None when nothing is known.

        Args:
            stale: Believe entries also of a directory in which something has changed since it was listed.
        """
        if key == "":
            listed = self._directory("")
            return Found("directory", None, listed[1]) if listed else None
        parent, _, name = key.rpartition("/")
        rows = self._db.look(_LOOK_UP, (self._origin, parent, name))
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

    def listing(self, key: str, *, stale: bool = False) -> tuple[Listing, float] | None:
        """One level below ``key`` and the time it was listed; None when only parts of it are known.

        Args:
            stale: Take a directory in which something has changed since it was listed.
        """
        found = self._directory(key)
        if found is None or found[2] not in ((1, _WAS) if stale else (1,)):
            return None
        rows = self._db.look(
            "SELECT name, is_directory, size, mtime, version FROM entry WHERE directory=? ORDER BY name", (found[0],)
        )
        start = f"{key}/" if key else ""
        objects = tuple(
            ObjectInfo(key=start + name, size=size, version=version, mtime=mtime)
            for name, is_directory, size, mtime, version in rows
            if not is_directory
        )
        return Listing(objects=objects, prefixes=tuple(start + row[0] for row in rows if row[1])), found[1]

    def put(self, listings: Iterable[tuple[str, Listing]], as_of: float) -> None:
        """Remember complete listings, all or none of them; on a full disk none, so the store is asked again."""
        with suppress(CacheFull), self._db.transaction() as db:
            for key, listing in listings:
                self._put(db, key, listing, as_of)

    def put_object(self, info: ObjectInfo, as_of: float) -> None:
        """Remember one object that was looked up by itself; on a full disk not, so the store is asked again."""
        with suppress(CacheFull), self._db.transaction() as db:
            parent, _, name = info.key.rpartition("/")
            directory = self._open_directory(db, parent, as_of, complete=False)
            self._supersede(db, directory, Listing(objects=(info,), prefixes=()))
            db.execute(
                "INSERT OR REPLACE INTO entry VALUES(?,?,0,?,?,?,?)",
                (directory, name, info.size, info.mtime, info.version, as_of),
            )

    def forget(self, key: str) -> None:
        """Make old what is known of ``key``, of what is below it, and of its directory's completeness."""
        with self._db.transaction() as db:
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

    def change(self, key: str) -> None:
        """Know nothing of what is at ``key`` and below; the directories above it are not complete any more.

        Raises:
            CacheFull: the disk is full.
        """
        with self._db.transaction() as db:
            self._drop(db, key)
            above = key
            while above:
                above = above.rpartition("/")[0]
                db.execute(
                    "UPDATE directory SET complete=? WHERE complete=1 AND origin=? AND path=?",
                    (_WAS, self._number(db), above),
                )

    def drop(self, key: str) -> None:
        """Know nothing of what is at ``key`` and below; on a full disk what is known stays."""
        with suppress(CacheFull), self._db.transaction() as db:
            self._drop(db, key)

    def _directory(self, key: str) -> tuple[int, float, int] | None:
        rows = self._db.look(
            f"SELECT id, as_of, complete {_DIRECTORY}",
            (self._origin, key),
        )
        return rows[0] if rows else None

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
        return index.intern(db, "origin", self._origin)  # not kept: the transaction may be rolled back

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
                old = content_id(self._origin, info.key, before[0], before[1])
                db.execute("UPDATE content SET used=0 WHERE id=?", (old,))

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


def _at_or_below(key: str) -> tuple[str, tuple[str | int, ...]]:
    """A condition on ``directory.path``, and what it is bound to."""
    below = f"{key}/" if key else ""
    return "(path=? OR substr(path, 1, ?)=?)", (key, len(below), below)
