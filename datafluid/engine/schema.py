"""The tables of ``registry.db``."""

from __future__ import annotations

__all__ = ["MIGRATIONS"]

#: One script a version; a script that was released is never edited.
MIGRATIONS = (
    """
    CREATE TABLE counter (version INTEGER NOT NULL);
    INSERT INTO counter VALUES (0);

    CREATE TABLE resource (
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,           -- '' for cluster-scoped kinds
        name TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,          -- the version that created it
        version INTEGER NOT NULL UNIQUE,   -- its resourceVersion
        manifest TEXT NOT NULL,            -- JSON with status
        applied TEXT NOT NULL,             -- JSON of what apply named last: labels and annotations
        PRIMARY KEY (kind, namespace, name)
    ) WITHOUT ROWID;

    CREATE TABLE tombstone (               -- what watchers that were away still have to hear
        version INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        manifest TEXT NOT NULL
    );

    CREATE TABLE event (
        id INTEGER PRIMARY KEY,
        uid TEXT NOT NULL,
        type TEXT NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL,
        count INTEGER NOT NULL,
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL,
        UNIQUE (uid, type, reason, message)
    );

    CREATE TABLE binding (
        uid TEXT PRIMARY KEY,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        json TEXT NOT NULL,
        UNIQUE (namespace, name)
    ) WITHOUT ROWID;

    CREATE TABLE run (                     -- the key is why a tick runs once, however many look at the clock
        uid TEXT NOT NULL,
        scheduled INTEGER NOT NULL,        -- the tick; 0 for an operation that runs once
        started REAL NOT NULL,
        ended REAL,
        phase TEXT NOT NULL,
        reason TEXT NOT NULL DEFAULT '',
        message TEXT NOT NULL DEFAULT '',
        progress TEXT,                     -- JSON
        attempts INTEGER NOT NULL DEFAULT 0,
        mark INTEGER NOT NULL DEFAULT 0,   -- the most bytes any of its processes reported
        cancelled INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (uid, scheduled)
    ) WITHOUT ROWID;
    """,
)
