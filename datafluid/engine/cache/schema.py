"""The tables of ``cache.db``: what was listed, and what is cached. All of it can be found out again."""

from __future__ import annotations

__all__ = ["MIGRATIONS"]

MIGRATIONS = (
    """
    CREATE TABLE boot(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    INSERT INTO boot VALUES(0, 'durable');
    CREATE TABLE origin(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    INSERT INTO origin VALUES(0, '');
    CREATE TABLE tier(
        id INTEGER PRIMARY KEY, path TEXT NOT NULL, account TEXT NOT NULL, medium TEXT NOT NULL,
        quota INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, UNIQUE(path, account));

    -- A file. checksum NULL: partial. signature NULL: to be re-hashed before use. used 0: superseded, goes first.
    CREATE TABLE content(
        id BLOB PRIMARY KEY, origin INTEGER NOT NULL, tier INTEGER NOT NULL, size INTEGER NOT NULL,
        allocated INTEGER NOT NULL, suffix TEXT NOT NULL, checksum BLOB, signature INTEGER,
        boot INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE extent(
        content BLOB NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, digest BLOB NOT NULL,
        PRIMARY KEY(content, start, end)) WITHOUT ROWID;
    CREATE TABLE reservation(
        session INTEGER NOT NULL, content BLOB NOT NULL, tier INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY(session, content)) WITHOUT ROWID;
    CREATE TABLE pin(content BLOB NOT NULL, owner TEXT NOT NULL, PRIMARY KEY(content, owner)) WITHOUT ROWID;
    CREATE TABLE metric(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

    -- A directory that was listed. as_of: seconds since the epoch, negative when it was forgotten since. complete 0:
    -- only some entries are known; 2: all were, and something has changed.
    CREATE TABLE directory(
        id INTEGER PRIMARY KEY, origin INTEGER NOT NULL, path TEXT NOT NULL, as_of REAL NOT NULL,
        complete INTEGER NOT NULL, UNIQUE(origin, path));
    -- as_of NULL: as the directory's; else this entry was looked up by itself.
    CREATE TABLE entry(
        directory INTEGER NOT NULL, name TEXT NOT NULL, is_directory INTEGER NOT NULL, size INTEGER NOT NULL,
        mtime REAL, version TEXT NOT NULL, as_of REAL, PRIMARY KEY(directory, name)) WITHOUT ROWID;
    """,
)
