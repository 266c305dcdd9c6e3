"""The part of ``cache.db`` that knows cached files: rows in, rows out. Decisions are made elsewhere."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datafluid.engine.cache.extents import Ranges, coalesce
from datafluid.engine.cache.identity import CachedName

if TYPE_CHECKING:
    import apsw

__all__ = ["Row", "TierRow", "boot_name", "signature"]

_STAT = struct.Struct("<QQQQQ")
_COLUMNS = "id, origin, tier, size, allocated, suffix, checksum, signature, boot, used"


@dataclass(frozen=True, slots=True)
class Row:
    """A cached file, as the index has it."""

    id: bytes
    origin: int
    tier: int
    size: int
    allocated: int
    suffix: str
    checksum: bytes | None
    signature: int | None
    boot: int
    used: int

    @property
    def sealed(self) -> bool:
        """Whether it is complete."""
        return self.checksum is not None

    @property
    def name(self) -> CachedName:
        """What its file is called."""
        return CachedName(self.id, self.checksum, self.suffix)


@dataclass(frozen=True, slots=True)
class TierRow:
    """A tier's account."""

    id: int
    path: str
    account: str
    medium: str
    quota: int
    used: int


def signature(status: os.stat_result) -> int:
    """What changes when somebody touches a file: 63 bits of its device, inode, size and times."""
    packed = _STAT.pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest()) >> 1


@lru_cache(1)
def boot_name() -> str:
    """Names the time since the machine started: what was not synced before it may be gone."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def find(db: apsw.Connection, content: bytes) -> Row | None:
    """One cached file."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM content WHERE id=?", (content,)):
        return Row(*row)
    return None


def rows(db: apsw.Connection, condition: str = "1", bindings: Sequence[Any] = ()) -> Iterable[Row]:
    """All cached files for which an SQL condition holds."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM content WHERE {condition}", tuple(bindings)):
        yield Row(*row)


def put(db: apsw.Connection, row: Row) -> None:
    """Insert or replace a cached file."""
    db.execute(
        f"INSERT OR REPLACE INTO content({_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?,?)",
        (
            row.id,
            row.origin,
            row.tier,
            row.size,
            row.allocated,
            row.suffix,
            row.checksum,
            row.signature,
            row.boot,
            row.used,
        ),
    )


def drop(db: apsw.Connection, row: Row) -> None:
    """Forget a cached file and give its bytes back to its tier."""
    db.execute("DELETE FROM content WHERE id=?", (row.id,))
    db.execute("DELETE FROM extent WHERE content=?", (row.id,))
    db.execute("DELETE FROM pin WHERE content=?", (row.id,))
    charge(db, row.tier, -row.allocated)


def charge(db: apsw.Connection, tier: int, delta: int) -> None:
    """Add bytes to a tier's account."""
    if delta:
        db.execute("UPDATE tier SET used=used+? WHERE id=?", (delta, tier))


def tier_row(db: apsw.Connection, tier: int) -> TierRow:
    """A tier's account."""
    ((path, account, medium, quota, used),) = db.execute(
        "SELECT path, account, medium, quota, used FROM tier WHERE id=?", (tier,)
    )
    return TierRow(tier, path, account, medium, quota, used)


def extents(db: apsw.Connection, content: bytes) -> list[tuple[int, int, bytes]]:
    """The recorded extents of a partial file: start, end, digest."""
    found = db.execute("SELECT start, end, digest FROM extent WHERE content=? ORDER BY start", (content,))
    return [(start, end, digest) for start, end, digest in found]


def ranges(db: apsw.Connection, content: bytes) -> Ranges:
    """What a partial file holds."""
    return coalesce((start, end) for start, end, _ in extents(db, content))


def add_extents(db: apsw.Connection, content: bytes, found: Iterable[tuple[int, int, bytes]]) -> None:
    """Record that bytes were written."""
    db.executemany(
        "INSERT OR REPLACE INTO extent VALUES(?,?,?,?)", [(content, start, end, digest) for start, end, digest in found]
    )


def sizes(db: apsw.Connection, origin: str) -> dict[bytes, int]:
    """How many bytes are cached of everything below a mount's origin."""
    found = db.execute(
        "SELECT content.id, CASE WHEN checksum IS NULL"
        " THEN (SELECT coalesce(sum(end - start), 0) FROM extent WHERE extent.content = content.id) ELSE size END"
        " FROM content JOIN origin ON origin.id = content.origin WHERE origin.name = ?",
        (origin,),
    )
    return dict(found)


def intern(db: apsw.Connection, table: str, name: str) -> int:
    """The number of a name in one of the small tables ``boot`` and ``origin``."""
    for (number,) in db.execute(f"SELECT id FROM {table} WHERE name=?", (name,)):
        return int(number)
    db.execute(f"INSERT INTO {table}(name) VALUES(?)", (name,))
    return int(db.last_insert_rowid())


def reserved(db: apsw.Connection, session: int, content: bytes) -> int:
    """Bytes that a session has reserved for a file."""
    found = list(db.execute("SELECT bytes FROM reservation WHERE session=? AND content=?", (session, content)))
    return int(found[0][0]) if found else 0


def spend(db: apsw.Connection, session: int, content: bytes, tier: int, grown: int) -> None:
    """A file has grown by so many bytes, and what a session had reserved for it ends."""
    own = reserved(db, session, content)
    if own:
        db.execute("DELETE FROM reservation WHERE session=? AND content=?", (session, content))
    charge(db, tier, grown - own)


def reserve(db: apsw.Connection, session: int, content: bytes, tier: int, delta: int) -> None:
    """Change a reservation, and the tier's account with it."""
    now = reserved(db, session, content) + delta
    if now:
        db.execute("INSERT OR REPLACE INTO reservation VALUES(?,?,?,?)", (session, content, tier, now))
    else:
        db.execute("DELETE FROM reservation WHERE session=? AND content=?", (session, content))
    charge(db, tier, delta)
