"""What becomes of the cache of a dataset that is deleted, or mounts another store: what none can read goes, too."""

from __future__ import annotations

from collections.abc import Collection

from datafluid.engine.cache.store import CacheStore
from datafluid.engine.cache.upkeep import Removed, Selection, evict

__all__ = ["forget"]


def forget(store: CacheStore, uid: str, *, but: Collection[str] = ()) -> Removed:
    """Remove what is cached of a dataset, and what is known of its directories.

    What is pinned stays, for an export holds it. Who still reads from the dataset finds no more room in its own tiers.

    Args:
        uid: The dataset's.
        but: Origins that it still has; without any it is gone, and so is its quota.

    Raises:
        CacheFull: the disk of the index is full, or that of a tier read-only.
    """
    with store.db.transaction() as db:
        if not but:
            db.execute("UPDATE tier SET quota=0 WHERE account=?", (uid,))
        origins = {
            str(name): int(number)
            for number, name in db.execute("SELECT id, name FROM origin WHERE substr(name, 1, ?)=?", (len(uid), uid))
            if str(name).partition("/")[0] == uid and name not in but
        }
        for number in origins.values():
            db.execute("DELETE FROM entry WHERE directory IN (SELECT id FROM directory WHERE origin=?)", (number,))
            db.execute("DELETE FROM directory WHERE origin=?", (number,))
    return evict(store, Selection(origins=set(origins))) if origins else Removed(files=0, allocated=0)
