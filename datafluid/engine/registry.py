"""What was declared and what became of it: ``registry.db``, used by any number of processes at once.

Every change has its own resourceVersion, from one counter. A watch sleeps on a mapped counter that every commit
moves, so it costs nothing while nothing happens. Of an object that changed twice between two looks only the last
state is seen; a deletion is always seen, with the last state.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, cast

from datafluid.engine.binding import Binding
from datafluid.engine.database import Database
from datafluid.engine.generation import Generation
from datafluid.engine.home import Home
from datafluid.engine.reconcile.values import Note, RunSeen
from datafluid.engine.records import EVENT_PAUSE, MOST_TOMBSTONES, RUN_COLUMNS, Records, read_run
from datafluid.engine.schema import MIGRATIONS
from datafluid.errors import Corrupt, NotFound, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.patience import Patience, nothing
from datafluid.plane.port import Event, Manifest, WatchEvent

__all__ = ["Registry"]

_LOOK = 0.01  # seconds between two looks at the mapped counter


class Registry:
    """The registry of one home directory.

    Args:
        home: Where it is.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self._database = Database(home.registry, kind="durable", migrations=MIGRATIONS)
        self._changes = Generation(home.path / "changes")

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        self._database.close()

    @property
    def generation(self) -> int:
        """A number that moves with every change; reading it costs a memory access."""
        return self._changes.read()

    @contextmanager
    def transaction(self) -> Iterator[Records]:
        """Change things: all of the block, or nothing of it."""
        with self._database.transaction() as connection:
            records = Records(connection)
            yield records
        if records.rebound:
            Generation(self.home.generation).bump()
        if records.changed:
            self._changes.bump()

    def check(self) -> None:
        """See whether the file can be read and is whole.

        Raises:
            Corrupt, Unavailable: it is not.
        """
        ((result,),) = self._database.query("PRAGMA quick_check(1)")
        if result != "ok":
            raise Corrupt(f"{self.home.registry} is damaged: {result}.", hint="Restore it from a backup.")

    def version(self) -> int:
        """The resourceVersion of the newest change."""
        ((version,),) = self._database.query("SELECT version FROM counter")
        return int(version)

    def find(self, ref: Ref) -> Manifest | None:
        """The object, or None."""
        rows = self._database.query(
            "SELECT manifest FROM resource WHERE kind=? AND namespace=? AND name=?",
            (ref.kind, ref.namespace or "", ref.name),
        )
        return json.loads(rows[0][0]) if rows else None

    def get(self, ref: Ref) -> Manifest:
        """The object.

        Raises:
            NotFound: there is none.
        """
        found = self.find(ref)
        if found is None:
            raise NotFound(f"there is no {ref}.", hint=f"`datafluid get {ref.kind.lower()} -A` lists what there is.")
        return found

    def by_uid(self, uid: str) -> Manifest | None:
        """The object with a uid, or None."""
        rows = self._database.query("SELECT manifest FROM resource WHERE uid=?", (uid,))
        return json.loads(rows[0][0]) if rows else None

    def objects(
        self, kind: str | None = None, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> list[Manifest]:
        """Objects, sorted by kind, namespace and name."""
        rows = self._database.query(
            "SELECT manifest FROM resource WHERE kind = coalesce(?, kind) AND namespace = coalesce(?, namespace)"
            " ORDER BY kind, namespace, name",
            (kind, namespace),
        )
        found = [json.loads(text) for (text,) in rows]
        wanted = (selector or {}).items()
        return [each for each in found if wanted <= (each["metadata"].get("labels") or {}).items()]

    def events(self, ref: Ref) -> list[Event]:
        """What happened to an object, oldest first.

        Raises:
            NotFound: there is no such object.
        """
        rows = self._database.query(
            "SELECT type, reason, message, count, first_seen, last_seen FROM event WHERE uid=? ORDER BY last_seen, id",
            (self.get(ref)["metadata"]["uid"],),
        )
        return [
            Event(
                type=cast(Literal["Normal", "Warning"], kind),
                reason=reason,
                message=message,
                count=count,
                first_seen=first,
                last_seen=last,
            )
            for kind, reason, message, count, first, last in rows
        ]

    def is_news(self, uid: str, note: Note, now: float) -> bool:
        """Whether recording an event would change anything."""
        return not self._database.query(
            "SELECT 1 FROM event WHERE uid=? AND type=? AND reason=? AND message=? AND abs(? - last_seen) < ?",
            (uid, note.type, note.reason, note.message, now, EVENT_PAUSE),
        )

    def runs(self, uid: str) -> list[RunSeen]:
        """The runs of an operation, newest first."""
        rows = self._database.query(f"SELECT {RUN_COLUMNS} FROM run WHERE uid=? ORDER BY scheduled DESC", (uid,))
        return [read_run(row) for row in rows]

    def find_binding(self, namespace: str, name: str) -> Binding | None:
        """What a dataset is bound to, or None."""
        rows = self._database.query("SELECT json FROM binding WHERE namespace=? AND name=?", (namespace, name))
        return Binding.from_json(rows[0][0]) if rows else None

    def binding(self, namespace: str, name: str) -> Binding:
        """What a dataset is bound to: all that reads need.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: it is not Bound; the message says why.
        """
        found = self.find_binding(namespace, name)
        if found is not None:
            return found
        ref = Ref("Dataset", name, namespace)
        manifest = self.get(ref)
        warnings = [event for event in self.events(ref) if event.type == "Warning"]
        phase = (manifest.get("status") or {}).get("phase") or "not looked at yet"
        why = f": {warnings[-1].message}" if warnings else "."
        raise Unavailable(
            f"{ref} is {phase}{why}", hint=f"`datafluid diagnose dataset {name} -n {namespace}` tells what to do."
        )

    def changes(
        self, kind: str, *, namespace: str | None = None, name: str | None = None, since: int | None = None
    ) -> tuple[list[WatchEvent], int]:
        """What changed after a version, in order, and the version that this brings the caller to.

        Without ``since``, or with one that is too old to tell, the objects that exist come as ADDED.
        """
        if since is not None and self._forgot(since):
            since = None
        rows = self._database.query(
            """
            SELECT version, created, manifest, 0 FROM resource
            WHERE kind=?1 AND namespace = coalesce(?2, namespace) AND version > ?3
            UNION ALL
            SELECT version, version, manifest, 1 FROM tombstone
            WHERE kind=?1 AND namespace = coalesce(?2, namespace) AND version > ?3
            UNION ALL
            SELECT version, 0, '', 2 FROM counter
            ORDER BY 1
            """,
            (kind, namespace, -1 if since is None else since),
        )
        events: list[WatchEvent] = []
        newest = since or 0
        for version, created, text, sort in rows:
            if sort == 2:
                newest = max(newest, version)
            elif sort == 0 or since is not None:
                what: Literal["ADDED", "MODIFIED", "DELETED"]
                what = "DELETED" if sort else "ADDED" if since is None or created > since else "MODIFIED"
                manifest = json.loads(text)
                if name in (None, manifest["metadata"]["name"]):
                    events.append(WatchEvent(type=what, object=manifest, version=str(version)))
        return events, newest

    def watch(
        self,
        kind: str,
        patience: Patience,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: int | None = None,
    ) -> Iterator[WatchEvent]:
        """`changes`, again and again; see `datafluid.plane.port.ControlPlane.watch`.

        A bookmark tells that something else has happened: a run has ended, say, of which no object speaks yet.
        """
        first = True
        while True:
            generation = self.generation
            events, since = self.changes(kind, namespace=namespace, name=name, since=since)
            for event in events:
                patience.told()
                yield event
            if not events and not first:
                yield nothing("BOOKMARK", kind, str(since))
            first = False
            while self.generation == generation:
                if patience.is_quiet():
                    yield nothing("QUIET", kind, str(since))
                if patience.over:
                    return
                time.sleep(min(_LOOK, patience.seconds))

    def _forgot(self, since: int) -> bool:
        """Whether deletions after a version have been forgotten."""
        ((count, oldest),) = self._database.query("SELECT count(*), min(version) FROM tombstone")
        return bool(count >= MOST_TOMBSTONES and since < oldest)
