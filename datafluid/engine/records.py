"""Writing to the registry: what one transaction may change."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.values import Note, RunSeen, Totals
from datafluid.errors import Conflict, NotFound
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

if TYPE_CHECKING:
    import apsw

__all__ = ["EVENT_PAUSE", "MOST_TOMBSTONES", "RUN_COLUMNS", "Records", "read_run"]

#: Seconds within which the same event is not counted again: Fluid's controllers look every 20 s.
EVENT_PAUSE = 20.0
#: How many deletions are remembered for watchers that were away.
MOST_TOMBSTONES = 1000
RUN_COLUMNS = "scheduled, started, ended, phase, reason, message, progress, attempts, cancelled"
_MOST_EVENTS = 100  # an object


class Records:
    """The registry inside a write transaction. Made by `Registry.transaction`; of no use after it."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        #: Whether watchers have to look, and whether readers have to forget bindings.
        self.changed = False
        self.rebound = False

    def find(self, ref: Ref) -> Manifest | None:
        """The object, or None."""
        rows = self._rows(
            "SELECT manifest FROM resource WHERE kind=? AND namespace=? AND name=?",
            ref.kind, ref.namespace or "", ref.name,
        )  # fmt: skip
        return next((json.loads(text) for (text,) in rows), None)

    def applied(self, ref: Ref) -> dict[str, Any]:
        """What apply named last, for taking away what it names no more."""
        rows = self._rows(
            "SELECT applied FROM resource WHERE kind=? AND namespace=? AND name=?",
            ref.kind, ref.namespace or "", ref.name,
        )  # fmt: skip
        return next((json.loads(text) for (text,) in rows), {})

    def put(self, manifest: Manifest, *, applied: Mapping[str, Any] | None = None) -> Manifest:
        """Store an object under a new resourceVersion.

        Args:
            applied: What apply named; None leaves what it named before.
        """
        ref, version = Ref.of(manifest), self._next_version()
        manifest = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": str(version)}}
        self._connection.execute(
            """
            INSERT INTO resource (kind, namespace, name, uid, created, version, manifest, applied)
            VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, coalesce(?7, '{}'))
            ON CONFLICT DO UPDATE SET version=?5, manifest=?6, applied=coalesce(?7, applied)
            """,
            (
                ref.kind,
                ref.namespace or "",
                ref.name,
                manifest["metadata"]["uid"],
                version,
                json.dumps(manifest, separators=(",", ":")),
                None if applied is None else json.dumps(applied),
            ),
        )
        return manifest

    def remove(self, ref: Ref, *, cascade: bool = True) -> None:
        """Remove an object, and with ``cascade`` what it owns; watchers are told."""
        manifest = self.find(ref)
        if manifest is None:
            return
        uid = manifest["metadata"]["uid"]
        for owned in self._owned(uid):
            if cascade:
                self.remove(owned)
            else:
                self._disown(owned, uid)
        version = self._next_version()
        manifest["metadata"]["resourceVersion"] = str(version)
        self._connection.execute(
            "INSERT INTO tombstone VALUES (?, ?, ?, ?)",
            (version, ref.kind, ref.namespace or "", json.dumps(manifest, separators=(",", ":"))),
        )
        self._connection.execute(
            "DELETE FROM tombstone WHERE version IN"
            " (SELECT version FROM tombstone ORDER BY version DESC LIMIT -1 OFFSET ?)",
            (MOST_TOMBSTONES,),
        )
        self._connection.execute("DELETE FROM resource WHERE uid=?", (uid,))
        for table in ("event", "run"):
            self._connection.execute(f"DELETE FROM {table} WHERE uid=?", (uid,))
        self.unbind(uid)

    def tell_totals(self, uid: str, totals: Totals) -> None:
        """Put what its under-stores hold into the status of a dataset, if it is Bound."""
        for (text,) in self._rows("SELECT manifest FROM resource WHERE uid=?", uid):
            found = json.loads(text)
            if (found.get("status") or {}).get("phase") in ("Bound", "Updating"):
                status = {**found["status"], "ufsTotal": totals.size, "fileNum": str(totals.files)}
                if status != found["status"]:
                    self.put({**found, "status": status})

    def record(self, uid: str, note: Note, now: float) -> None:
        """Record an event; the same one again counts up, at most every `EVENT_PAUSE` seconds."""
        self._connection.execute(
            """
            INSERT INTO event (uid, type, reason, message, count, first_seen, last_seen)
            VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)
            ON CONFLICT (uid, type, reason, message) DO UPDATE
            SET count = count + 1, last_seen = ?5 WHERE abs(?5 - last_seen) >= ?6
            """,
            (uid, note.type, note.reason, note.message, now, EVENT_PAUSE),
        )
        self._connection.execute(
            "DELETE FROM event WHERE id IN"
            " (SELECT id FROM event WHERE uid=? ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET ?)",
            (uid, _MOST_EVENTS),
        )

    def bind(self, binding: Binding) -> None:
        """Store what the read path needs of a dataset."""
        self._connection.execute("DELETE FROM binding WHERE namespace=? AND name=?", (binding.namespace, binding.name))
        self._connection.execute(
            "INSERT INTO binding VALUES (?, ?, ?, ?)",
            (binding.uid, binding.namespace, binding.name, binding.to_json()),
        )
        self.rebound = True

    def unbind(self, uid: str) -> None:
        """Remove a stored binding, if there is one."""
        self._connection.execute("DELETE FROM binding WHERE uid=?", (uid,))
        self.rebound = self.rebound or self._connection.changes() > 0

    def begin_run(self, uid: str, scheduled: int, now: float) -> None:
        """A run begins; its process is started after the commit.

        Raises:
            Conflict: somebody else began it.
        """
        self._connection.execute(
            "INSERT INTO run (uid, scheduled, started, phase) VALUES (?, ?, ?, 'Executing') ON CONFLICT DO NOTHING",
            (uid, scheduled, now),
        )
        if not self._connection.changes():
            raise Conflict("the run was begun by another process.")
        self.changed = True

    def miss_run(self, uid: str, scheduled: int, reason: str, message: str, now: float) -> None:
        """A tick is passed over."""
        self._connection.execute(
            "INSERT INTO run (uid, scheduled, started, ended, phase, reason, message)"
            " VALUES (?1, ?2, ?3, ?3, 'Missed', ?4, ?5) ON CONFLICT DO NOTHING",
            (uid, scheduled, now, reason, message),
        )
        self.changed = True

    def end_run(
        self, uid: str, scheduled: int, *, phase: str, reason: str, message: str, now: float,
        progress: Mapping[str, Any] | None = None,
    ) -> bool:  # fmt: skip
        """A run has ended; whether it had not before."""
        self._connection.execute(
            "UPDATE run SET ended=?, phase=?, reason=?, message=?, progress=coalesce(?, progress)"
            " WHERE uid=? AND scheduled=? AND ended IS NULL",
            (now, phase, reason, message, json.dumps(progress) if progress else None, uid, scheduled),
        )
        self.changed = True
        return self._connection.changes() > 0

    def cancel_run(self, uid: str, scheduled: int) -> None:
        """A run shall stop; its process sees it."""
        self._connection.execute("UPDATE run SET cancelled=1 WHERE uid=? AND scheduled=?", (uid, scheduled))
        self.changed = True

    def attempt_run(self, uid: str, scheduled: int) -> None:
        """A process is about to be started for a run."""
        self._connection.execute("UPDATE run SET attempts = attempts + 1 WHERE uid=? AND scheduled=?", (uid, scheduled))

    def progress_run(self, uid: str, scheduled: int, progress: Mapping[str, Any]) -> None:
        """How far a run is; one that got further than ever before has not been tried in vain."""
        self._connection.execute(
            """
            UPDATE run SET progress=?1, attempts = CASE WHEN ?2 > mark THEN 1 ELSE attempts END, mark = max(mark, ?2)
            WHERE uid=?3 AND scheduled=?4 AND ended IS NULL
            """,
            (json.dumps(progress), int(progress.get("bytesDone") or 0), uid, scheduled),
        )
        self.changed = True

    def run(self, uid: str, scheduled: int) -> RunSeen:
        """One run.

        Raises:
            NotFound: there is none.
        """
        for row in self._rows(f"SELECT {RUN_COLUMNS} FROM run WHERE uid=? AND scheduled=?", uid, scheduled):
            return read_run(row)
        raise NotFound("the operation was deleted.")

    def forget_runs(self, uid: str, *, complete: int, others: int) -> None:
        """Keep so many ended runs of each sort, and always the newest: it says which ticks are done with."""
        newest = "(SELECT max(scheduled) FROM run WHERE uid=?1)"
        for test, keep in (("phase = 'Complete'", complete), ("phase != 'Complete'", others)):
            self._connection.execute(
                f"""
                DELETE FROM run WHERE uid=?1 AND scheduled != {newest} AND scheduled IN (
                    SELECT scheduled FROM run WHERE uid=?1 AND ended IS NOT NULL AND {test}
                    ORDER BY scheduled DESC LIMIT -1 OFFSET ?2)
                """,
                (uid, keep),
            )

    def _owned(self, uid: str) -> list[Ref]:
        rows = self._rows(
            """
            SELECT DISTINCT kind, namespace, name FROM resource, json_each(manifest, '$.metadata.ownerReferences')
            WHERE json_each.value ->> 'uid' = ?
            """,
            uid,
        )
        return [Ref(kind, name, namespace or None) for kind, namespace, name in list(rows)]

    def _disown(self, ref: Ref, uid: str) -> None:
        manifest = self.find(ref)
        if manifest is not None:
            metadata = manifest["metadata"]
            metadata["ownerReferences"] = [each for each in metadata["ownerReferences"] if each["uid"] != uid]
            self.put(manifest)

    def _next_version(self) -> int:
        self.changed = True
        ((version,),) = self._rows("UPDATE counter SET version = version + 1 RETURNING version")
        return int(version)

    def _rows(self, sql: str, *bindings: Any) -> Iterator[tuple[Any, ...]]:
        return iter(list(self._connection.execute(sql, bindings)))


def read_run(row: tuple[Any, ...]) -> RunSeen:
    """A row of `RUN_COLUMNS`; whether the run is alive is for its lock to say."""
    scheduled, started, ended, phase, reason, message, progress, attempts, cancelled = row
    return RunSeen(
        scheduled=scheduled,
        started=started,
        ended=ended,
        phase=phase,
        reason=reason,
        message=message,
        progress=json.loads(progress) if progress else None,
        attempts=attempts,
        cancelled=bool(cancelled),
    )
