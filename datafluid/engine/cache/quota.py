"""Room in the tiers: bytes are reserved before they are written, so a quota holds over any number of processes.

A reservation belongs to a session, a process that proves to be alive by a kernel lock on one byte. What a dead
session had reserved is settled by whoever needs room next.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import index
from datafluid.engine.cache.tier import Tier
from datafluid.engine.locks import FileLock

if TYPE_CHECKING:
    import apsw

__all__ = ["Session", "make_room", "minimum_free", "settle_dead_sessions", "tier_is_full"]

_GIB = 1 << 30
_MINIMUM_FREE_FRACTION = 0.05


class Session:
    """This process, as far as reservations are concerned. Lives as long as the process."""

    def __init__(self, lock_file: Path) -> None:
        self._lock_file = lock_file
        self._lock: FileLock | None = None
        self._pid = -1
        self._id = 0

    @property
    def id(self) -> int:
        """The session's number; the first use takes its lock."""
        if self._pid != os.getpid():
            self._id = secrets.randbits(60) + 1
            self._lock = FileLock(self._lock_file, start=self._id, length=1)
            self._lock.acquire()
            self._pid = os.getpid()
        return self._id

    def is_dead(self, session: int) -> bool:
        """Whether another session's process has ended."""
        if session == self._id and self._pid == os.getpid():
            return False
        probe = FileLock(self._lock_file, start=session, length=1)
        free = probe.try_acquire()
        probe.release()
        return free


def minimum_free(total: int) -> int:
    """Bytes of a disk of ``total`` bytes that the cache always leaves free."""
    return min(_GIB, int(total * _MINIMUM_FREE_FRACTION))


def tier_is_full(db: apsw.Connection, tier_id: int, tier: Tier, need: int) -> bool:
    """Whether ``need`` more bytes would break the tier's quota or the disk's reserve."""
    row = index.tier_row(db, tier_id)
    if row.used + need > row.quota:
        return True
    free, total = tier.free()
    return free - need < minimum_free(total)


def make_room(
    db: apsw.Connection, tier_id: int, tier: Tier, policy: TierBinding, need: int, *, evicted: Callable[[int], None]
) -> bool:
    """Evict until ``need`` bytes fit and the tier is down at its low watermark, or nothing more can go.

    Args:
        evicted: Told the bytes of each file that went.

    Returns:
        Whether ``need`` bytes fit now.
    """
    row = index.tier_row(db, tier_id)
    free, total = tier.free()
    over_quota = row.used + need - int(policy.low * row.quota)
    over_disk = need + minimum_free(total) - free
    target = max(over_quota, over_disk)
    for victim in _victims(db, tier_id):
        if target <= 0:
            break
        tier.remove(victim.name)  # before the commit: a crash in between leaves a row without a file, which heals
        index.drop(db, victim)
        evicted(victim.allocated)
        target -= max(victim.allocated, 1)
    return not tier_is_full(db, tier_id, tier, need)


def settle_dead_sessions(db: apsw.Connection, session: Session, tiers: Mapping[int, Tier]) -> None:
    """Take back what dead processes had reserved, charging what they really wrote."""
    for (dead,) in list(db.execute("SELECT DISTINCT session FROM reservation")):
        if not session.is_dead(dead):
            continue
        for content, tier_id, size in list(
            db.execute("SELECT content, tier, bytes FROM reservation WHERE session=?", (dead,))
        ):
            index.reserve(db, dead, content, tier_id, -size)
            _charge_what_is_there(db, content, tiers.get(tier_id))


def _charge_what_is_there(db: apsw.Connection, content: bytes, tier: Tier | None) -> None:
    row = index.find(db, content)
    if row is None or row.sealed or tier is None:
        return
    try:
        fd = tier.open(row.name)
    except FileNotFoundError:
        index.drop(db, row)
        return
    written = os.fstat(fd).st_blocks * 512
    os.close(fd)
    if written > row.allocated:
        db.execute("UPDATE content SET allocated=? WHERE id=?", (written, content))
        index.charge(db, row.tier, written - row.allocated)


def _victims(db: apsw.Connection, tier_id: int) -> list[index.Row]:
    """What may go, the least recently used first: not pinned, and nobody is filling it."""
    condition = (
        "tier=? AND id NOT IN (SELECT content FROM pin) AND id NOT IN (SELECT content FROM reservation) "
        "ORDER BY used, size DESC"
    )
    return list(index.rows(db, condition, (tier_id,)))


def now() -> int:
    """Seconds since the epoch, as the index keeps them."""
    return int(time.time())
