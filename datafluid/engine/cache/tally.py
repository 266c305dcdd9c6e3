"""Which cached files were read, and counts of hits: collected in memory and written to the index in batches."""

from __future__ import annotations

import threading
from contextlib import suppress

from datafluid.engine.cache import quota
from datafluid.engine.database import Database
from datafluid.errors import CacheFull

__all__ = ["Tally"]

_TOUCH_BATCH = 256


class Tally:
    """What this process has noted and not written down yet.

    Args:
        db: The cache's index.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._touched: set[bytes] = set()
        self._metrics: dict[str, int] = {}
        self._lock = threading.Lock()

    def touch(self, content: bytes) -> None:
        """Note that a file is in use."""
        with self._lock:
            self._touched.add(content)
            due = len(self._touched) >= _TOUCH_BATCH
        if due:
            self.flush()

    def count(self, metric: str, amount: int = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self._metrics[metric] = self._metrics.get(metric, 0) + amount

    def flush(self) -> None:
        """Write down what was touched and counted."""
        with self._lock:
            touched, self._touched = self._touched, set()
            metrics, self._metrics = self._metrics, {}
        if not touched and not metrics:
            return
        with suppress(CacheFull), self._db.transaction() as db:  # on a full disk figures are not worth an error
            db.executemany("UPDATE content SET used=? WHERE id=?", [(quota.now(), content) for content in touched])
            db.executemany(
                "INSERT INTO metric VALUES(?,?) ON CONFLICT(name) DO UPDATE SET value=value+excluded.value",
                list(metrics.items()),
            )
