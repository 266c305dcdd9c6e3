"""What is known of directories, out of the cache index and into another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.engine.cache import index
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.understore.keys import addressable

__all__ = ["Directory", "Listed", "adopt", "directories"]

_PART = 10_000  # entries of a directory that travel together
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999: what can be shown as a date


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry of a directory, as the index has it. ``checksum``: of the cached file that travels along."""

    name: str
    is_directory: bool
    size: int = 0
    mtime: float | None = None
    version: str = ""
    as_of: float | None = None
    checksum: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """What is known of a directory, or a part of it.

    Args:
        path: Its key below the mount.
        as_of: When the store said so, seconds since the epoch.
        first: Nothing of it came before.
        complete: What is in none of the parts so far is not in the store.
    """

    path: str
    as_of: float
    first: bool
    complete: bool
    entries: tuple[Listed, ...]

    def key(self, entry: Listed) -> str:
        """The key of an entry below the mount."""
        return f"{self.path}/{entry.name}" if self.path else entry.name

    def to_json(self) -> dict[str, Any]:
        """The form that travels; `from_json` reads it back to an equal value."""
        return {
            "path": self.path,
            "as_of": self.as_of,
            "first": self.first,
            "complete": self.complete,
            "entries": [
                [e.name, e.is_directory, e.size, e.mtime, e.version, e.as_of, e.checksum.hex() if e.checksum else None]
                for e in self.entries
            ],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Directory:
        """Read what `to_json` wrote, and believe none of it.

        Raises:
            ValueError: it is something else.
        """
        path, rows = data.get("path"), data.get("entries")
        if not isinstance(path, str) or (path and not addressable(path)) or not isinstance(rows, list):
            raise ValueError("no directory")
        entries = tuple(_entry(row) for row in rows)
        as_of = _moment(data.get("as_of"))
        return cls(
            path=path,
            as_of=as_of,
            first=data.get("first") is True,
            complete=data.get("complete") is True,
            entries=entries,
        )


def directories(cache: CacheStore, origin: str) -> Iterator[Directory]:
    """Everything that is known below a mount's origin; large directories in parts."""
    known = cache.db.query(
        "SELECT d.id, d.path, d.as_of, d.complete FROM directory d JOIN origin o ON o.id=d.origin WHERE o.name=?"
        " ORDER BY d.path",
        (origin,),
    )
    for number, path, as_of, complete in known:
        after, first = "", True
        while True:
            rows = cache.db.query(
                "SELECT name, is_directory, size, mtime, version, as_of FROM entry WHERE directory=? AND name>?"
                f" ORDER BY name LIMIT {_PART}",
                (number, after),
            )
            entries = tuple(
                Listed(name=name, is_directory=bool(kind), size=size, mtime=mtime, version=version, as_of=own)
                for name, kind, size, mtime, version, own in rows
            )
            last = len(rows) < _PART
            yield Directory(path=path, as_of=as_of, first=first, complete=bool(complete) and last, entries=entries)
            if last:
                break
            after, first = rows[-1][0], False


def adopt(cache: CacheStore, origin: str, directory: Directory, now: float) -> None:
    """Take over what another index knew; what is known here and newer stays."""
    as_of = min(directory.as_of, now)
    with cache.db.transaction() as db:
        place = index.intern(db, "origin", origin)
        found = list(db.execute("SELECT id, as_of FROM directory WHERE origin=? AND path=?", (place, directory.path)))
        if found and found[0][1] > as_of:
            return
        if found:
            (number, _), *_ = found
            db.execute("UPDATE directory SET as_of=?, complete=? WHERE id=?", (as_of, directory.complete, number))
        else:
            db.execute(
                "INSERT INTO directory(origin, path, as_of, complete) VALUES(?,?,?,?)",
                (place, directory.path, as_of, directory.complete),
            )
            number = db.last_insert_rowid()
        if directory.first:
            db.execute("DELETE FROM entry WHERE directory=?", (number,))
        db.executemany(
            "INSERT OR REPLACE INTO entry VALUES(?,?,?,?,?,?,?)",
            [
                (
                    number,
                    e.name,
                    e.is_directory,
                    e.size,
                    e.mtime,
                    e.version,
                    None if e.as_of is None else min(e.as_of, now),
                )
                for e in directory.entries
            ],
        )


def _entry(row: Any) -> Listed:
    if not isinstance(row, list) or len(row) != 7:
        raise ValueError("no entry")
    name, is_directory, size, mtime, version, as_of, checksum = row
    if not isinstance(name, str) or "/" in name or not addressable(name) or not isinstance(version, str):
        raise ValueError("no name")
    version.encode()  # half a character can be kept nowhere
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 62:
        raise ValueError("no size")
    digest = bytes.fromhex(checksum) if isinstance(checksum, str) else None
    if digest is not None and (len(digest) != 16 or is_directory):
        raise ValueError("no checksum")
    return Listed(
        name=name,
        is_directory=is_directory is True,
        size=size,
        mtime=None if mtime is None else _moment(mtime),
        version=version,
        as_of=None if as_of is None else _moment(as_of),
        checksum=digest,
    )


def _moment(value: Any) -> float:
    if not isinstance(value, (int, float)) or not _FIRST <= value <= _LAST:  # NaN is neither
        raise ValueError("no moment")
    return float(value)
