"""Complete cached files: found by identity, and believed only while they are what was sealed."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datafluid.engine.binding import TierBinding
from datafluid.engine.cache import index, quota
from datafluid.engine.cache.checksum import tree_digest
from datafluid.engine.cache.tally import Tally
from datafluid.engine.cache.tiers import Tiers
from datafluid.engine.database import Database
from datafluid.errors import CacheFull

if TYPE_CHECKING:
    import apsw

__all__ = ["Sealed", "SealedFiles", "stamp_of"]

_NOT_ITS_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # errors of an open that say nothing about the file
_TOUCH_EVERY = 60  # seconds between two notes that a file is in use
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


class SealedFiles:
    """The complete files of a cache.

    Args:
        db: The index.
        tiers: Where the files are.
        tally: Told what is used and what is damaged.
    """

    def __init__(self, db: Database, tiers: Tiers, tally: Tally) -> None:
        self._db = db
        self._tiers = tiers
        self._tally = tally

    def find(self, content: bytes) -> Sealed | None:
        """The complete file of that identity, checked; None when there is none or it was damaged."""
        found = self._db.look(
            "SELECT id, origin, tier, size, allocated, suffix, checksum, signature, boot, used"
            " FROM content WHERE id=? AND checksum IS NOT NULL",
            (content,),
        )
        if not found:
            return None
        row = index.Row(*found[0])
        tier = self._tiers.at(row.tier)
        try:
            fd = tier.open(row.name)
        except OSError as error:
            if error.errno in _NOT_ITS_FAULT:
                raise
            self.forget(row)
            return None
        try:
            status = os.fstat(fd)
            if not self._trusted(row, status) and not self._rehash(row, fd, status):
                self.forget(row)
                return None
            if time.time() - row.used > _TOUCH_EVERY:
                self._tally.touch(row.id)
            medium = self._tiers.medium(row.tier)
            return Sealed(row.id, tier.file_path(row.name), row.size, stamp_of(os.fstat(fd)), medium)
        finally:
            os.close(fd)

    def forget(self, row: index.Row) -> None:
        """Drop a damaged or vanished file, unless another process has replaced it meanwhile."""
        with suppress(CacheFull), self._db.transaction() as db:  # else it is found damaged again
            if index.find(db, row.id) == row:
                self.drop(db, row)

    def drop(self, db: apsw.Connection, row: index.Row) -> None:
        """Remove a file, and what is known of it."""
        with suppress(CacheFull):  # on a read-only disk it stays, and is taken over when it is fetched again
            self._tiers.at(row.tier).remove(row.name)
        index.drop(db, row)

    def make_durable(self, tiers: Sequence[TierBinding]) -> None:
        """Write sealed files down to the disk: they need no re-hash after a loss of power."""
        started = quota.now()
        for number in map(self._tiers.number, tiers):
            self._tiers.at(number).sync()
            with self._db.transaction() as db:
                boot = index.intern(db, "boot", index.boot_name())
                db.execute(
                    "UPDATE content SET boot=0 WHERE tier=? AND boot=? AND checksum IS NOT NULL AND used<=?",
                    (number, boot, started),
                )

    def _trusted(self, row: index.Row, status: os.stat_result) -> bool:
        if row.signature != index.signature(status) or status.st_size != row.size:
            return False
        return row.boot == 0 or row.boot == self._current_boot()

    def _current_boot(self) -> int:
        for (number,) in self._db.query("SELECT id FROM boot WHERE name=?", (index.boot_name(),)):
            return int(number)  # the usual case needs no write, so an open waits for no writer
        with suppress(CacheFull), self._db.transaction() as db:
            return index.intern(db, "boot", index.boot_name())
        return _UNKNOWN_BOOT

    def _rehash(self, row: index.Row, fd: int, status: os.stat_result) -> bool:
        if status.st_size != row.size or tree_digest(fd, row.size) != row.checksum:
            self._tally.count("damaged")
            return False
        with suppress(CacheFull), self._db.transaction() as db:  # else it is hashed again the next time
            boot = index.intern(db, "boot", index.boot_name())
            db.execute(
                "UPDATE content SET signature=?, boot=? WHERE id=?", (index.signature(os.fstat(fd)), boot, row.id)
            )
        return True
