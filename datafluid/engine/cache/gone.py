"""What becomes of the cache of a dataset that is deleted: nothing of it can be read any more, so it goes, too."""

from __future__ import annotations

from datafluid.engine.cache.store import CacheStore
from datafluid.engine.cache.upkeep import Removed, Selection, evict

__all__ = ["forget"]


def forget(store: CacheStore, uid: str) -> Removed:
    """Remove what is cached of a dataset, and what is known of its directories.

    What is pinned stays, for an export holds it. Who still reads from the dataset finds no more room in its own tiers.

    Args:
        uid: The dataset's.

    Raises:
        CacheFull: the disk of the index is full, or that of a tier read-only.
    """
    with store.db.transaction() as db:
        db.execute("UPDATE tier SET quota=0 WHERE account=?", (uid,))
        origins = {
            str(name): int(number)
            for number, name in db.execute("SELECT id, name FROM origin WHERE substr(name, 1, ?)=?", (len(uid), uid))
            if str(name).partition("/")[0] == uid
        }
        for number in origins.values():
            db.execute("DELETE FROM entry WHERE directory IN (SELECT id FROM directory WHERE origin=?)", (number,))
            db.execute("DELETE FROM directory WHERE origin=?", (number,))
    return evict(store, Selection(origins=set(origins)))
