"""The cache of one home: fill a file, record it, seal it. Everything that others may see happens in transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import index, quota
from datafluid.engine.cache.checksum import combine, pieces, range_digest
from datafluid.engine.cache.extents import coalesce
from datafluid.engine.cache.filling import Extent, Filling, Wanted
from datafluid.engine.cache.identity import CachedName, content_id, suffix_of
from datafluid.engine.cache.schema import MIGRATIONS
from datafluid.engine.cache.sealed import Sealed, SealedFiles, stamp_of
from datafluid.engine.cache.tally import Tally
from datafluid.engine.cache.tier import blocks
from datafluid.engine.cache.tiers import Tiers
from datafluid.engine.database import Database
from datafluid.engine.home import Home
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import CacheFull

if TYPE_CHECKING:
    import apsw

__all__ = ["CacheStore", "open_cache"]


class CacheStore:
    """The cached files of one home.

    Args:
        home: The home directory.

    Attributes:
        db: The index.
        tiers: Where files are.
        tally: Counts, and what is in use.
        sealed: The complete files.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.db = Database(home.cache_index, kind="disposable", migrations=MIGRATIONS)
        self.tiers = Tiers(home, self.db)
        self.tally = Tally(self.db)
        self.sealed = SealedFiles(self.db, self.tiers, self.tally)
        self._session = quota.Session(home.locks / "sessions")

    # -- finding ------------------------------------------------------------------------------------------------

    def wanted(self, origin: str, info: ObjectInfo) -> Wanted:
        """Names a version of an object below a mount's origin."""
        return Wanted(origin=origin, info=info, id=content_id(origin, info.key, info.version, info.size))

    def cached_ranges(self, wanted: Wanted) -> tuple[tuple[int, int], ...]:
        """What is cached of an object: all of it, some of it, nothing."""
        with self.db.reading() as db:
            row = index.find(db, wanted.id)
            if row is None:
                return ()
            return ((0, row.size),) if row.sealed else index.ranges(db, wanted.id)

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
            self.tiers.number(tier)
        with self.db.transaction() as db:
            boot = index.intern(db, "boot", index.boot_name())
            prepared = [self._reserve(db, wanted, need, tiers) for wanted, need in items]
        opened: list[Filling | Sealed | CacheFull] = []
        for (wanted, need), outcome in zip(items, prepared, strict=True):
            if isinstance(outcome, CacheFull):
                opened.append(outcome)
            elif outcome.sealed:
                sealed = self.sealed.find(wanted.id)
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
        self.tally.flush()
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

    # -- internals ----------------------------------------------------------------------------------------------

    def _reserve(
        self, db: apsw.Connection, wanted: Wanted, need: int, tiers: Sequence[TierBinding]
    ) -> index.Row | CacheFull:
        row = index.find(db, wanted.id)
        if row is not None and row.sealed:
            return row
        need = blocks(need)
        if row is not None and row.tier not in map(self.tiers.number, tiers):
            self.sealed.drop(
                db, row
            )  # it was begun in a tier that the dataset has no more: begin again in one that it has
            row = None
        candidates = tiers if row is None else [t for t in tiers if self.tiers.number(t) == row.tier]
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
        index.reserve(db, self._session.id, wanted.id, tier_id, need)
        return row

    def _place(self, db: apsw.Connection, need: int, tiers: Sequence[TierBinding]) -> int | None:
        ids = [self.tiers.number(tier) for tier in tiers]
        for tier_id in ids:
            if not quota.tier_is_full(db, tier_id, self.tiers.at(tier_id), need):
                return tier_id
        quota.settle_dead_sessions(db, self._session, self.tiers.used)
        for binding, tier_id in zip(tiers, ids, strict=True):
            if quota.make_room(db, tier_id, self.tiers.at(tier_id), binding, need, evicted=self._evicted):
                return tier_id
        return None

    def _evicted(self, size: int) -> None:
        self.tally.count("evictions")
        self.tally.count("evicted_bytes", size)

    def _filling(self, wanted: Wanted, row: index.Row, *, open_later: bool) -> Filling:
        filling = Filling(wanted=wanted, name=row.name, tier=self.tiers.at(row.tier), tier_id=row.tier)
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
        own = index.reserved(db, self._session.id, row.id)
        index.reserve(db, self._session.id, row.id, row.tier, -min(own, grown))
        db.execute("UPDATE content SET allocated=?, used=? WHERE id=?", (row.allocated + grown, quota.now(), row.id))
        index.charge(db, row.tier, grown)
        return None

    def _seal(self, db: apsw.Connection, filling: Filling, row: index.Row, extents: Sequence[Extent]) -> Sealed:
        known = {(start, end): digest for start, end, digest in extents}
        digests = [known.get((start, end)) or range_digest(filling.fd, start, end) for start, end in pieces(row.size)]
        sealed = CachedName(row.id, combine(digests), row.suffix)
        status = filling.tier.seal(filling.fd, row.name, sealed)
        filling.sealed = True
        index.spend(db, self._session.id, row.id, row.tier, blocks(row.size) - row.allocated)
        if row.allocated:
            db.execute("DELETE FROM extent WHERE content=?", (row.id,))
        db.execute(
            "UPDATE content SET checksum=?, signature=?, allocated=?, used=? WHERE id=?",
            (sealed.checksum, index.signature(status), blocks(row.size), quota.now(), row.id),
        )
        path = filling.tier.file_path(sealed)
        return Sealed(row.id, path, row.size, stamp_of(status), self.tiers.medium(row.tier))

    def _remove_leftover(self, filling: Filling, row: index.Row | None) -> None:
        """A partial file beside a sealed one, or of which the index knows nothing, is nobody's: it has no account."""
        if row is None or row.sealed:
            filling.tier.remove(filling.name)

    def _release(self, db: apsw.Connection, filling: Filling) -> None:
        index.spend(db, self._session.id, filling.wanted.id, filling.tier_id, 0)


_STORES: dict[tuple[int, str], CacheStore] = {}
_STORES_LOCK = threading.Lock()


def open_cache(home: Home) -> CacheStore:
    """The process's one cache store of a home."""
    key = (os.getpid(), str(home.path))
    with _STORES_LOCK:
        if key not in _STORES:
            _STORES[key] = CacheStore(home)
        return _STORES[key]
