"""SQLite files shared by any number of processes: opening, migrating, transactions.

Through apsw, which bundles a current SQLite: a WAL with several writers and checkpoints can be corrupted below
3.51.3, and the standard library's SQLite is whatever the machine has.
"""

from __future__ import annotations

import os
import random
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from datafluid.errors import CacheFull, Corrupt, NotFound, Unavailable, Unsupported

if TYPE_CHECKING:
    import apsw

__all__ = ["Database"]

_BUSY_SECONDS = 60.0  # how long a writer waits for others before it gives up
_LONGEST_NAP = 0.05
_ROOM_NEEDED = 1 << 20

_PRAGMAS: dict[str, Sequence[str]] = {
    # Declared objects: lost only with the disk.
    "durable": ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON"),
    # An index of files: fast, never corrupt, and rebuilt when its newest lines are lost with the power.
    "disposable": ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=2000"),
}


class Database:
    """One SQLite file, used from any thread; a connection a process, none inherited by forked children.

    Args:
        path: The file.
        kind: ``durable`` (rollback journal, synced) or ``disposable`` (write-ahead log).
        migrations: SQL scripts; the file's ``user_version`` counts those that have run.
    """

    def __init__(self, path: Path, *, kind: Literal["durable", "disposable"], migrations: Sequence[str]) -> None:
        self.path = path
        self._kind = kind
        self._migrations = migrations
        self._lock = threading.RLock()
        self._connection: apsw.Connection | None = None
        self._pid = -1
        _OPEN.add(self)

    def query(self, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and fetch everything it returns."""
        with self._lock, _mapped(self.path):
            try:
                return list(self._open().execute(sql, tuple(bindings)))
            except UnicodeEncodeError as error:  # an argument of a command line, say: nothing can be called so
                raise NotFound(
                    f"{error.object!a} is not UTF-8: nothing has that name.", hint="Check the spelling."
                ) from error

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """A write transaction: all of the block, or nothing of it."""
        with self._lock, _mapped(self.path):
            connection = self._open()
            if not connection.get_autocommit():
                yield connection  # nested: the outer one decides
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if not connection.get_autocommit():  # a full disk may have ended it already
                    connection.execute("ROLLBACK")
                raise

    def look(self, sql: str, bindings: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """`query`, for who can do without an answer: none comes while a full disk keeps the file from being opened."""
        with self.reading() as connection:
            return list(connection.execute(sql, tuple(bindings)))

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection for `look`, for several statements at once."""
        with self._lock, _mapped(self.path):
            yield self._to_read()

    def close(self) -> None:
        """Close this process's connection; the next use opens a new one."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def forget_inherited(self) -> None:
        """In a forked child: the parent's connection and lock are not ours."""
        self._lock = threading.RLock()
        if self._connection is not None:
            _INHERITED.append(self._connection)  # closing it here would drop the parent's POSIX locks
            self._connection = None

    def _to_read(self) -> apsw.Connection:
        """What is disposable and needs room to be opened, on a disk that has none, is as good as empty."""
        import apsw

        try:
            return self._open()
        except (apsw.FullError, apsw.IOError, apsw.CantOpenError):
            if self._kind == "durable" or not _is_full(self.path):
                raise
        empty = apsw.Connection(":memory:")  # for this one look: nothing is ever remembered in it
        self._migrate(empty)
        return empty

    def _open(self) -> apsw.Connection:
        pid = os.getpid()
        if self._connection is not None and self._pid == pid:
            return self._connection
        import apsw

        connection = apsw.Connection(str(self.path))
        try:
            connection.set_busy_handler(_patient())
            for pragma in _PRAGMAS[self._kind]:
                connection.execute(f"PRAGMA {pragma}")
            self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        os.chmod(self.path, 0o600)
        self._connection, self._pid = connection, pid
        return connection

    def _migrate(self, connection: apsw.Connection) -> None:
        newest = len(self._migrations)
        if _version(connection) == newest:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)
            if version > newest:
                raise Unsupported(
                    f"{self.path} was written by a newer datafluid (schema {version}, this one knows {newest}).",
                    hint="Upgrade datafluid, or use another DATAFLUID_HOME.",
                )
            for script in self._migrations[version:]:
                connection.execute(script)
            connection.execute(f"PRAGMA user_version={newest}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


#: Connections of the parent, kept so that a forked child never closes them.
_INHERITED: list[apsw.Connection] = []
_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()


def _forget_in_child() -> None:
    for database in list(_OPEN):
        database.forget_inherited()


os.register_at_fork(after_in_child=_forget_in_child)


def _is_full(path: Path) -> bool:
    """Whether there is too little room for a database's journal."""
    status = os.statvfs(path.parent)
    return status.f_bavail * status.f_frsize < _ROOM_NEEDED


def _version(connection: apsw.Connection) -> int:
    ((version,),) = connection.execute("PRAGMA user_version")
    return int(version)


def _patient() -> Any:
    """A busy handler that naps with jitter and gives up after a minute of waiting."""
    started = 0.0

    def handler(calls: int) -> bool:
        nonlocal started
        if calls == 0:
            started = time.monotonic()
        if time.monotonic() - started > _BUSY_SECONDS:
            return False
        time.sleep(random.uniform(0, min(_LONGEST_NAP, 0.001 * 2 ** min(calls, 8))))  # noqa: S311  # jitter
        return True

    return handler


class _mapped:  # noqa: N801  # reads as a statement: with _mapped(path)
    """SQLite's errors become ours. A class, since every look at the index pays for it."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            _raise_mapped(self._path, error)


def _raise_mapped(path: Path, error: BaseException) -> None:
    import apsw

    if isinstance(error, apsw.BusyError):
        raise Unavailable(
            f"{path} was locked by others for {_BUSY_SECONDS:g} s.", hint="Try again when they are done."
        ) from error
    if isinstance(error, (apsw.CorruptError, apsw.NotADBError)):
        raise Corrupt(f"{path} is damaged: {error}.", hint="Run `datafluid doctor`.") from error
    if isinstance(error, (apsw.FullError, apsw.IOError, apsw.CantOpenError)) and _is_full(path):
        raise CacheFull(
            f"the disk of {path.parent} is full: {path.name} cannot be written.",
            hint="Free some space on it; `datafluid doctor` tells how much there is.",
        ) from error
    if isinstance(error, (apsw.FullError, apsw.IOError, apsw.CantOpenError, apsw.ReadOnlyError)):
        raise Unavailable(f"{path} cannot be used: {error}.", hint="Check free space and permissions.") from error
