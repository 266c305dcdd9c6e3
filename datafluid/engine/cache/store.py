"""The cache of one home: find a file, fill one, seal it. Everything that others may see happens in transactions."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import index, quota
from datafluid.engine.cache.checksum import combine, pieces, range_digest, tree_digest
from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.filling import Extent, Filling, Wanted
from datafluid.engine.cache.identity import CachedName, content_id, suffix_of
from datafluid.engine.cache.schema import MIGRATIONS
from datafluid.engine.cache.tier import Tier, blocks
from datafluid.engine.database import Database
from datafluid.engine.home import Home
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import CacheFull

if TYPE_CHECKING:
    import apsw

__all__ = ["CacheStore", "Sealed", "open_cache"]

_TOUCH_EVERY = 60  # seconds between two notes that a file is in use
_TOUCH_BATCH = 256
_OLD_BOOT = -1
_UNKNOWN_BOOT = -2  # nothing was written in it


@dataclass(frozen=True, slots=True)
class Sealed:
    """A complete cached file: where it is, and the status by which an open recognises it."""

    id: bytes
    path: str
    size: int
    stamp: tuple[int, int, int, int, int]
    medium: str


def stamp_of(status: os.stat_result) -> tuple[int, int, int, int, int]:
    """What an open compares: device, inode, size, mtime and ctime."""
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class CacheStore:
    """The cached files of one home.

    Args:
        home: The home directory.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.db = Database(home.cache_index, kind="disposable", migrations=MIGRATIONS)
        self.session = quota.Session(home.locks / "sessions")
        self._tiers: dict[int, Tier] = {}
        self._tier_ids: dict[TierBinding, int] = {}
        self._touched: set[bytes] = set()
        self._metrics: dict[str, int] = {}
        self._lock = threading.RLock()

    # -- finding ------------------------------------------------------------------------------------------------

    def wanted(self, origin: str, info: ObjectInfo) -> Wanted:
        """Names a version of an object below a mount's origin."""
        return Wanted(origin=origin, info=info, id=content_id(origin, info.key, info.version, info.size))

    def find_sealed(self, content: bytes) -> Sealed | None:
        """The complete file of that identity, checked; None when there is none or it was damaged."""
        found = self.db.look(
            "SELECT id, origin, tier, size, allocated, suffix, checksum, signature, boot, used"
            " FROM content WHERE id=? AND checksum IS NOT NULL",
            (content,),
        )
        if not found:
            return None
        row = index.Row(*found[0])
        tier = self.tier_of(row.tier)
        try:
            fd = tier.open(row.name)
        except OSError:
            self.forget(row)
            return None
        try:
            status = os.fstat(fd)
            if not self._trusted(row, status) and not self._rehash(row, fd, status):
                self.forget(row)
                return None
            if time.time() - row.used > _TOUCH_EVERY:
                self.touch(row.id)
            medium = self._medium_of(row.tier)
            return Sealed(row.id, tier.file_path(row.name), row.size, stamp_of(os.fstat(fd)), medium)
        finally:
            os.close(fd)

    def cached_ranges(self, wanted: Wanted) -> tuple[tuple[int, int], ...]:
        """What is cached of an object: all of it, some of it, nothing."""
        with self.db.reading() as db:
            row = index.find(db, wanted.id)
            if row is None:
                return ()
            return ((0, row.size),) if row.sealed else index.ranges(db, wanted.id)

    def touch(self, content: bytes) -> None:
        """Note that a file is in use; written down in batches."""
        self._touched.add(content)
        if len(self._touched) >= _TOUCH_BATCH:
            self.flush()

    def count(self, metric: str, amount: int = 1) -> None:
        """Add to a metric; written down in batches."""
        with self._lock:
            self._metrics[metric] = self._metrics.get(metric, 0) + amount

    def flush(self) -> None:
        """Write down what was touched and counted."""
        with self._lock:
            touched, self._touched = self._touched, set()
            metrics, self._metrics = self._metrics, {}
        if not touched and not metrics:
            return
        with suppress(CacheFull), self.db.transaction() as db:  # on a full disk figures are not worth an error
            db.executemany("UPDATE content SET used=? WHERE id=?", [(quota.now(), content) for content in touched])
            db.executemany(
                "INSERT INTO metric VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=value+excluded.value",
                list(metrics.items()),
            )

    # -- filling ------------------------------------------------------------------------------------------------

    def begin(
        self, items: Sequence[tuple[Wanted, int]], tiers: Sequence[TierBinding]
    ) -> list[Filling | Sealed | CacheFull]:
        """Reserve room for files to fill, in one transaction.

        A file that gets all of its room is made with its first bytes: nobody can evict it before, and of a thousand
        files each is made in the thread that fetches it.

        Args:
            items: Each object with the bytes to reserve for it now (rounded up to blocks).
            tiers: The dataset's tiers in order of preference.

        Returns:
            For each item: a `Filling`; what is there when it is complete already; or why there is no room.
        """
        for tier in tiers:
            self._register(tier)
        with self.db.transaction() as db:
            boot = index.intern(db, "boot", index.boot_name())
            prepared = [self._reserve(db, wanted, need, tiers) for wanted, need in items]
        opened: list[Filling | Sealed | CacheFull] = []
        for (wanted, need), outcome in zip(items, prepared, strict=True):
            if isinstance(outcome, CacheFull):
                opened.append(outcome)
            elif outcome.sealed:
                sealed = self.find_sealed(wanted.id)
                opened.append(sealed if sealed is not None else self.begin([(wanted, need)], tiers)[0])
            else:
                later = need >= outcome.size and outcome.allocated == 0 and outcome.boot == boot
                opened.append(self._filling(wanted, outcome, open_later=later))
        return opened

    def reserve_more(self, filling: Filling, need: int, tiers: Sequence[TierBinding]) -> None:
        """Reserve more bytes for a file that is being filled.

        Raises:
            CacheFull: there is no room, or the file was evicted meanwhile.
        """
        with self.db.transaction() as db:
            if filling.evicted:
                raise CacheFull("the file was evicted while it was filled.", hint="Raise the quota of its tier.")
            outcome = self._reserve(db, filling.wanted, need, tiers)
        if isinstance(outcome, CacheFull):
            raise outcome

    def record(self, written: Sequence[tuple[Filling, Sequence[Extent]]]) -> list[Sealed | None]:
        """Record what was written, and seal what is complete now, in one transaction.

        Returns:
            For each file: what it is when it was sealed; None while it is partial.
        """
        for filling, extents in written:
            filling.note((start, end) for start, end, _ in extents)
        with self.db.transaction() as db:
            outcomes = [self._record(db, filling, extents) for filling, extents in written]
        self.flush()
        return outcomes

    def close(self, fillings: Iterable[Filling]) -> None:
        """Stop filling: give back what was reserved and not used."""
        fillings = list(fillings)
        with suppress(CacheFull), self.db.transaction() as db:  # else it is settled when this process has ended
            for filling in fillings:
                if not filling.sealed:
                    self._release(db, filling)
                    self._remove_leftover(filling, index.find(db, filling.wanted.id))
        for filling in fillings:
            filling.close()

    def refreshed(self, filling: Filling) -> None:
        """Learn what other processes have recorded of a file meanwhile."""
        found = self.db.query("SELECT start, end FROM extent WHERE content=?", (filling.wanted.id,))
        if filling.evicted:  # asked after the query: what it told may be of the file that took our name
            return
        if found:
            filling.note_all(coalesce(found))
        elif self.db.query(
            "SELECT 1 FROM content WHERE id=? AND checksum IS NOT NULL AND signature=?",
            (filling.wanted.id, index.signature(os.fstat(filling.fd))),  # it may have been sealed before we opened ours
        ):
            filling.note_all(((0, filling.size),))

    def make_durable(self, tiers: Sequence[TierBinding]) -> None:
        """Write sealed files down to the disk: they need no re-hash after a loss of power."""
        started = quota.now()
        for binding in tiers:
            tier_id = self._register(binding)
            self._tiers[tier_id].sync()
            with self.db.transaction() as db:
                boot = index.intern(db, "boot", index.boot_name())
                db.execute(
                    "UPDATE content SET boot=0 WHERE tier=? AND boot=? AND checksum IS NOT NULL AND used<=?",
                    (tier_id, boot, started),
                )

    # -- internals ----------------------------------------------------------------------------------------------

    def _reserve(
        self, db: apsw.Connection, wanted: Wanted, need: int, tiers: Sequence[TierBinding]
    ) -> index.Row | CacheFull:
        row = index.find(db, wanted.id)
        if row is not None and row.sealed:
            return row
        need = blocks(need)
        if row is not None and row.tier not in map(self._register, tiers):
            self._drop(db, row)  # it was begun in a tier that the dataset has no more: begin again in one that it has
            row = None
        candidates = tiers if row is None else [t for t in tiers if self._register(t) == row.tier]
        tier_id = self._place(db, need, candidates)
        if tier_id is None:
            quotas = ", ".join(f"{t.medium} {t.path}" for t in tiers) or "no tier"
            return CacheFull(
                f"the cache ({quotas}) has no room for {need} bytes and nothing can be evicted.",
                hint="Raise the quota, unpin something, or free the disk.",
            )
        if row is None:
            boot = index.intern(db, "boot", index.boot_name())
            origin = index.intern(db, "origin", wanted.origin)
            suffix = suffix_of(wanted.info.key)
            row = index.Row(wanted.id, origin, tier_id, wanted.info.size, 0, suffix, None, None, boot, quota.now())
            index.put(db, row)
        index.reserve(db, self.session.id, wanted.id, tier_id, need)
        return row

    def _place(self, db: apsw.Connection, need: int, tiers: Sequence[TierBinding]) -> int | None:
        ids = [self._register(tier) for tier in tiers]
        for tier_id in ids:
            if not quota.tier_is_full(db, tier_id, self._tiers[tier_id], need):
                return tier_id
        quota.settle_dead_sessions(db, self.session, self._tiers)
        for binding, tier_id in zip(tiers, ids, strict=True):
            if quota.make_room(db, tier_id, self._tiers[tier_id], binding, need, evicted=self._evicted):
                return tier_id
        return None

    def _evicted(self, size: int) -> None:
        self.count("evictions")
        self.count("evicted_bytes", size)

    def _filling(self, wanted: Wanted, row: index.Row, *, open_later: bool) -> Filling:
        filling = Filling(wanted=wanted, name=row.name, tier=self.tier_of(row.tier), tier_id=row.tier)
        if open_later:
            return filling
        try:
            new = filling.open()
        except (OSError, CacheFull):
            with self.db.transaction() as db:
                self._release(db, filling)
            raise
        if new and not row.allocated:  # nothing can have been recorded of it
            return filling
        with self.db.transaction() as db:
            boot = index.intern(db, "boot", index.boot_name())
            if new and row.allocated:
                self._forget_extents(db, row.id)
            elif row.boot != boot:
                self._distrust(db, row, filling.fd, boot)
            filling.have = index.ranges(db, wanted.id)
        return filling

    def _forget_extents(self, db: apsw.Connection, content: bytes) -> None:
        """Somebody has removed the file behind our back: nothing of it is left."""
        row = index.find(db, content)
        if row is not None and not row.sealed:
            db.execute("DELETE FROM extent WHERE content=?", (content,))
            db.execute("UPDATE content SET allocated=0 WHERE id=?", (content,))
            index.charge(db, row.tier, -row.allocated)

    def _distrust(self, db: apsw.Connection, row: index.Row, fd: int, boot: int) -> None:
        """Extents of an earlier boot may never have reached the disk: keep those whose bytes are right."""
        for start, end, digest in index.extents(db, row.id):
            if range_digest(fd, start, end) != digest:
                db.execute("DELETE FROM extent WHERE content=? AND start=? AND end=?", (row.id, start, end))
        db.execute("UPDATE content SET boot=? WHERE id=?", (boot, row.id))

    def _record(self, db: apsw.Connection, filling: Filling, extents: Sequence[Extent]) -> Sealed | None:
        row = index.find(db, filling.wanted.id)
        if row is None or row.sealed or row.tier != filling.tier_id or filling.evicted:
            self._remove_leftover(filling, row)
            return None  # our descriptor keeps the bytes for this reader only
        known = index.extents(db, row.id) if row.allocated else []
        filling.note_all(coalesce((start, end) for start, end, _ in (*known, *extents)))
        if filling.complete:
            return self._seal(db, filling, row, (*known, *extents))
        index.add_extents(db, row.id, extents)
        grown = sum(blocks(end) - start for start, end, _ in extents)
        own = index.reserved(db, self.session.id, row.id)
        index.reserve(db, self.session.id, row.id, row.tier, -min(own, grown))
        db.execute("UPDATE content SET allocated=?, used=? WHERE id=?", (row.allocated + grown, quota.now(), row.id))
        index.charge(db, row.tier, grown)
        return None

    def _seal(self, db: apsw.Connection, filling: Filling, row: index.Row, extents: Sequence[Extent]) -> Sealed:
        known = {(start, end): digest for start, end, digest in extents}
        digests = [known.get((start, end)) or range_digest(filling.fd, start, end) for start, end in pieces(row.size)]
        sealed = CachedName(row.id, combine(digests), row.suffix)
        status = filling.tier.seal(filling.fd, row.name, sealed)
        filling.sealed = True
        index.spend(db, self.session.id, row.id, row.tier, blocks(row.size) - row.allocated)
        if row.allocated:
            db.execute("DELETE FROM extent WHERE content=?", (row.id,))
        db.execute(
            "UPDATE content SET checksum=?, signature=?, allocated=?, used=? WHERE id=?",
            (sealed.checksum, index.signature(status), blocks(row.size), quota.now(), row.id),
        )
        path = filling.tier.file_path(sealed)
        return Sealed(row.id, path, row.size, stamp_of(status), self._medium_of(row.tier))

    def _remove_leftover(self, filling: Filling, row: index.Row | None) -> None:
        """A partial file beside a sealed one, or of which the index knows nothing, is nobody's: it has no account."""
        if row is None or row.sealed:
            filling.tier.remove(filling.name)

    def _release(self, db: apsw.Connection, filling: Filling) -> None:
        index.spend(db, self.session.id, filling.wanted.id, filling.tier_id, 0)

    def _trusted(self, row: index.Row, status: os.stat_result) -> bool:
        if row.signature != index.signature(status) or status.st_size != row.size:
            return False
        return row.boot == 0 or row.boot == self._current_boot()

    def _current_boot(self) -> int:
        for (number,) in self.db.query("SELECT id FROM boot WHERE name=?", (index.boot_name(),)):
            return int(number)  # the usual case needs no write, so an open waits for no writer
        with suppress(CacheFull), self.db.transaction() as db:
            return index.intern(db, "boot", index.boot_name())
        return _UNKNOWN_BOOT

    def _rehash(self, row: index.Row, fd: int, status: os.stat_result) -> bool:
        if status.st_size != row.size or tree_digest(fd, row.size) != row.checksum:
            self.count("damaged")
            return False
        with suppress(CacheFull), self.db.transaction() as db:  # else it is hashed again the next time
            boot = index.intern(db, "boot", index.boot_name())
            db.execute(
                "UPDATE content SET signature=?, boot=? WHERE id=?", (index.signature(os.fstat(fd)), boot, row.id)
            )
        return True

    def forget(self, row: index.Row) -> None:
        """Drop a damaged or vanished file, unless another process has replaced it meanwhile."""
        with suppress(CacheFull), self.db.transaction() as db:  # else it is found damaged again
            if index.find(db, row.id) == row:
                self._drop(db, row)

    def _drop(self, db: apsw.Connection, row: index.Row) -> None:
        self.tier_of(row.tier).remove(row.name)
        index.drop(db, row)

    def tier_of(self, tier_id: int) -> Tier:
        tier = self._tiers.get(tier_id)
        if tier is None:
            ((path, account),) = self.db.query("SELECT path, account FROM tier WHERE id=?", (tier_id,))
            tier = self._tiers[tier_id] = Tier(path, _directory_id(self.home, account))
        return tier

    def _medium_of(self, tier_id: int) -> str:
        ((medium,),) = self.db.query("SELECT medium FROM tier WHERE id=?", (tier_id,))
        return str(medium)

    def _register(self, binding: TierBinding) -> int:
        known = self._tier_ids.get(binding)
        if known is not None:
            return known
        with self._lock:
            tier = Tier(binding.path, _directory_id(self.home, binding.account))
            with self.db.transaction() as db:
                tier_id, is_new = _upsert_tier(db, binding)
                if is_new:
                    self._adopt(db, tier_id, tier)
            self._tiers[tier_id] = tier
            self._tier_ids[binding] = tier_id
        return tier_id

    def _adopt(self, db: apsw.Connection, tier_id: int, tier: Tier) -> None:
        """Find again what a lost index knew: names carry identity and checksum; bytes are re-hashed before use."""
        for name, status in tier.scan():
            if name.checksum is None:
                tier.remove(name)
                continue
            size = blocks(status.st_size)
            index.put(
                db,
                index.Row(
                    name.id, 0, tier_id, status.st_size, size, name.suffix, name.checksum, None, _OLD_BOOT, quota.now()
                ),
            )
            index.charge(db, tier_id, size)


def _upsert_tier(db: apsw.Connection, binding: TierBinding) -> tuple[int, bool]:
    key = (binding.path, binding.account)
    for (tier_id,) in db.execute("SELECT id FROM tier WHERE path=? AND account=?", key):
        db.execute("UPDATE tier SET quota=?, medium=? WHERE id=?", (binding.quota, binding.medium, tier_id))
        return tier_id, False
    db.execute("INSERT INTO tier(path, account, medium, quota) VALUES(?,?,?,?)", (*key, binding.medium, binding.quota))
    return db.last_insert_rowid(), True


def _directory_id(home: Home, account: str) -> str:
    return f"{home.id}-{account.replace('/', '-')[:36]}" if account else home.id


_STORES: dict[tuple[int, str], CacheStore] = {}
_STORES_LOCK = threading.Lock()


def open_cache(home: Home) -> CacheStore:
    """The process's one cache store of a home."""
    key = (os.getpid(), str(home.path))
    with _STORES_LOCK:
        if key not in _STORES:
            _STORES[key] = CacheStore(home)
        return _STORES[key]
