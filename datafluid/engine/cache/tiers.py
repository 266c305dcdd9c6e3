"""The tiers of a cache: each is registered in the index once, and what it holds already is found again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import index, quota
from datafluid.engine.cache.tier import Tier, blocks
from datafluid.engine.database import Database
from datafluid.engine.home import Home

if TYPE_CHECKING:
    import apsw

__all__ = ["Tiers", "owner_name"]

_OLD_BOOT = -1


class Tiers:
    """The tiers of one home, by the numbers that the index knows them by.

    Args:
        home: The home directory.
        db: The cache's index.
    """

    def __init__(self, home: Home, db: Database) -> None:
        self._home = home
        self._db = db
        self._numbers: dict[TierBinding, int] = {}
        self._lock = threading.Lock()
        #: Those that this process has used.
        self.used: dict[int, Tier] = {}

    def number(self, binding: TierBinding) -> int:
        """The number of a tier; the first time that a home uses it, what lies in it is adopted."""
        known = self._numbers.get(binding)
        if known is not None:
            return known
        with self._lock:
            tier = Tier(binding.path, owner_name(self._home, binding.account))
            with self._db.transaction() as db:
                number, is_new = _upsert(db, binding)
                if is_new:
                    _adopt(db, number, tier)
            self.used[number] = tier
            self._numbers[binding] = number
        return number

    def at(self, number: int) -> Tier:
        """The tier of a number."""
        tier = self.used.get(number)
        if tier is None:
            ((path, account),) = self._db.query("SELECT path, account FROM tier WHERE id=?", (number,))
            tier = self.used[number] = Tier(path, owner_name(self._home, account))
        return tier

    def medium(self, number: int) -> str:
        """``MEM``, ``SSD`` or ``HDD``."""
        ((medium,),) = self._db.query("SELECT medium FROM tier WHERE id=?", (number,))
        return str(medium)


def owner_name(home: Home, account: str) -> str:
    """Whose a directory in a tier is: a home's, or one account's of it."""
    return f"{home.id}-{account.replace('/', '-')[:36]}" if account else home.id


def _upsert(db: apsw.Connection, binding: TierBinding) -> tuple[int, bool]:
    key = (binding.path, binding.account)
    for (number,) in db.execute("SELECT id FROM tier WHERE path=? AND account=?", key):
        db.execute("UPDATE tier SET quota=?, medium=? WHERE id=?", (binding.quota, binding.medium, number))
        return number, False
    db.execute("INSERT INTO tier(path, account, medium, quota) VALUES(?,?,?,?)", (*key, binding.medium, binding.quota))
    return db.last_insert_rowid(), True


def _adopt(db: apsw.Connection, number: int, tier: Tier) -> None:
    """Find again what a lost index knew: names carry identity and checksum; bytes are re-hashed before use."""
    for name, status in tier.scan():
        if name.checksum is None:
            tier.remove(name)
            continue
        size = blocks(status.st_size)
        index.put(
            db,
            index.Row(
                name.id, 0, number, status.st_size, size, name.suffix, name.checksum, None, _OLD_BOOT, quota.now()
            ),
        )
        index.charge(db, number, size)
