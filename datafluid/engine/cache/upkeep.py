"""Looking after the cache as a whole: what is in it, pins, evicting, finding bit rot, clearing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datafluid.engine.cache import index
from datafluid.engine.cache.checksum import tree_digest
from datafluid.engine.cache.identity import CachedName
from datafluid.engine.cache.store import CacheStore

if TYPE_CHECKING:
    import apsw

__all__ = [
    "Removed",
    "Selection",
    "Usage",
    "cached_bytes",
    "content_of",
    "evict",
    "metrics",
    "pin",
    "pinned",
    "sealed_bytes",
    "unpin",
    "usage",
    "verify",
]

#: Files handled in one transaction: others get their turn in between.
_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which cached files are meant; nothing given means all.

    Args:
        origins: Only files of these mounts.
        contents: Only these files.
    """

    origins: Collection[str] | None = None
    contents: Collection[bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the files of one mount take in one tier. ``origin`` is "" for files whose mount a lost index knew."""

    origin: str
    medium: str
    path: str
    account: str
    quota: int
    files: int
    partial: int
    allocated: int
    pinned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What went out of the cache."""

    files: int
    allocated: int
    kept: int = 0


def usage(store: CacheStore) -> list[Usage]:
    """What is cached, by tier and mount; tiers that hold nothing are there too, but not those of deleted datasets."""
    found = store.db.query(
        "SELECT coalesce(o.name, ''), t.medium, t.path, t.account, t.quota, count(c.id),"
        " total(c.id IS NOT NULL AND c.checksum IS NULL), total(c.allocated),"
        " total(c.id IN (SELECT content FROM pin))"
        " FROM tier t LEFT JOIN content c ON c.tier=t.id LEFT JOIN origin o ON o.id=c.origin"
        " GROUP BY t.id, c.origin HAVING t.quota > 0 OR count(c.id) > 0 ORDER BY t.id, 1"
    )
    return [
        Usage(
            origin=origin,
            medium=medium,
            path=path,
            account=account,
            quota=quota,
            files=files,
            partial=int(partial),
            allocated=int(allocated),
            pinned=int(held),
        )
        for origin, medium, path, account, quota, files, partial, allocated, held in found
    ]


def cached_bytes(store: CacheStore, origins: Collection[str]) -> int:
    """Bytes of the current versions of files that are cached, of partial ones what is there."""
    wanted, names = _named(origins)
    ((partial,),) = store.db.query(
        "SELECT total(e.end - e.start) FROM extent e JOIN content c ON c.id = e.content"
        f" WHERE c.checksum IS NULL AND c.used != 0 AND c.origin IN ({wanted})",
        names,
    )
    return sealed_bytes(store, origins) + int(partial)


def sealed_bytes(store: CacheStore, origins: Collection[str]) -> int:
    """Bytes of the current versions of files that are cached completely."""
    wanted, names = _named(origins)
    ((complete,),) = store.db.query(
        f"SELECT total(size) FROM content WHERE checksum IS NOT NULL AND used != 0 AND origin IN ({wanted})", names
    )
    return int(complete)


def metrics(store: CacheStore) -> dict[str, int]:
    """All counters, over all processes that wrote theirs down."""
    store.tally.flush()
    return {str(name): int(value) for name, value in store.db.query("SELECT name, value FROM metric ORDER BY name")}


def pin(store: CacheStore, owner: str, contents: Iterable[bytes]) -> None:
    """Keep files from being evicted as long as ``owner`` wants them; pinning twice is pinning once."""
    for batch in _batches(contents):
        with store.db.transaction() as db:
            db.executemany("INSERT OR IGNORE INTO pin VALUES(?,?)", [(content, owner) for content in batch])


def unpin(store: CacheStore, owner: str, contents: Iterable[bytes] | None = None) -> None:
    """Let go of files that ``owner`` had pinned; None means all of them."""
    if contents is None:
        with store.db.transaction() as db:
            db.execute("DELETE FROM pin WHERE owner=?", (owner,))
        return
    for batch in _batches(contents):
        with store.db.transaction() as db:
            db.executemany("DELETE FROM pin WHERE content=? AND owner=?", [(content, owner) for content in batch])


def pinned(store: CacheStore) -> dict[str, int]:
    """How many files each owner has pinned."""
    found = store.db.query("SELECT owner, count(*) FROM pin GROUP BY owner ORDER BY owner")
    return {str(owner): int(count) for owner, count in found}


def evict(store: CacheStore, selection: Selection, *, pinned_too: bool = False) -> Removed:
    """Remove cached files; readers that have one open keep their bytes, and nobody's fill is disturbed.

    Args:
        pinned_too: Also what is pinned.

    Returns:
        What went; ``kept`` counts what was pinned or is being filled.
    """
    files = allocated = kept = 0
    for batch in _batches(row.id for row in _select(store, selection)):
        with store.db.transaction() as db:
            for content in batch:
                row = index.find(db, content)
                if row is None:
                    continue
                if _is_filled(db, content) or (not pinned_too and _is_pinned(db, content)):
                    kept += 1
                    continue
                store.tiers.at(row.tier).remove(row.name)
                index.drop(db, row)
                files, allocated = files + 1, allocated + row.allocated
    return Removed(files=files, allocated=allocated, kept=kept)


def verify(
    store: CacheStore, selection: Selection, *, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[str]:
    """Read every complete file and compare it with its checksum; what does not match is removed from the cache.

    Args:
        progress: Told the bytes read so far and in all.

    Returns:
        The paths of damaged files; the next read of each fetches it again.
    """
    rows = [row for row in _select(store, selection) if row.sealed]
    done, total, damaged = 0, sum(row.size for row in rows), []
    for row in rows:
        progress(done, total)
        if not _is_right(store, row):
            damaged.append(store.tiers.at(row.tier).file_path(row.name))
            store.sealed.forget(row)
        done += row.size
    progress(done, total)
    return damaged


def content_of(path: str) -> bytes | None:
    """Which cached file a path is, by its name; None for a file that is not the cache's, read in place."""
    name = CachedName.parse(os.path.basename(path))
    return name.id if name is not None and f"{os.sep}.datafluid-" in path else None


def _is_right(store: CacheStore, row: index.Row) -> bool:
    try:
        fd = store.tiers.at(row.tier).open(row.name)
    except FileNotFoundError:
        return False
    try:
        return os.fstat(fd).st_size == row.size and tree_digest(fd, row.size) == row.checksum
    except OSError:  # a bad sector
        return False
    finally:
        os.close(fd)


def _named(origins: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """A sub-query for the numbers of some origins, and what it is bound to."""
    return f"SELECT id FROM origin WHERE name IN ({','.join('?' * len(origins))})", tuple(origins)


def _select(store: CacheStore, selection: Selection) -> list[index.Row]:
    with store.db.transaction() as db:
        rows = list(index.rows(db))
        names = {int(number): str(name) for number, name in db.execute("SELECT id, name FROM origin")}
    if selection.origins is not None:
        rows = [row for row in rows if names.get(row.origin) in selection.origins]
    if selection.contents is not None:
        rows = [row for row in rows if row.id in selection.contents]
    return rows


def _batches(contents: Iterable[bytes]) -> Iterator[Sequence[bytes]]:
    whole = list(contents)
    for start in range(0, len(whole), _BATCH):
        yield whole[start : start + _BATCH]


def _is_pinned(db: apsw.Connection, content: bytes) -> bool:
    return any(True for _ in db.execute("SELECT 1 FROM pin WHERE content=?", (content,)))


def _is_filled(db: apsw.Connection, content: bytes) -> bool:
    return any(True for _ in db.execute("SELECT 1 FROM reservation WHERE content=?", (content,)))
