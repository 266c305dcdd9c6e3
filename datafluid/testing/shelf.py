"""What an in-memory plane stands on: objects with versions, and a log of what became of them."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from datafluid.errors import NotFound
from datafluid.model.ref import Ref
from datafluid.plane.events import EVENT
from datafluid.plane.patience import Patience, nothing
from datafluid.plane.port import Manifest, WatchEvent

__all__ = ["Shelf"]

_LONGEST = 3600.0  # seconds that a thread waits for news at once


class Shelf:
    """Objects by their names, as a server stores them. Whoever reads and then writes holds `changed` meanwhile.

    Args:
        clock: Seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._log: list[WatchEvent] = []
        self.objects: dict[Ref, Manifest] = {}
        self.changed = threading.Condition(threading.RLock())

    def must(self, ref: Ref) -> Manifest:
        """The object itself.

        Raises:
            NotFound: it is not there.
        """
        if ref not in self.objects:
            raise NotFound(f"there is no {ref}.", hint="Apply it first.")
        return self.objects[ref]

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object under a new version; returns a copy."""
        return self._write("MODIFIED" if Ref.of(manifest) in self.objects else "ADDED", manifest)

    def remove(self, ref: Ref) -> None:
        """Take an object away, and the events that tell of it."""
        manifest = self.objects[ref]
        self._write("DELETED", manifest)
        for event in self.told_of(manifest["metadata"]["uid"]):
            self._write("DELETED", self.objects[event])

    def let_go(self, ref: Ref) -> None:
        """Remove an object; one with finalizers is marked, and goes when the last of them does."""
        manifest = self.objects[ref]
        if not manifest["metadata"].get("finalizers"):
            self.remove(ref)
        elif not manifest["metadata"].get("deletionTimestamp"):
            self.put({**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": self.stamp()}})

    def told_of(self, uid: str) -> list[Ref]:
        """The events about an object."""
        return [
            ref
            for ref, manifest in self.objects.items()
            if ref.kind == EVENT and (manifest.get("involvedObject") or {}).get("uid") == uid
        ]

    def stamp(self) -> str:
        """Now, as servers write it."""
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))

    @property
    def version(self) -> int:
        """How much has happened so far."""
        return len(self._log)

    def news(self, kind: str, since: int, wanted: Callable[[Ref], bool], patience: Patience) -> Iterator[WatchEvent]:
        """What happens to the objects of a kind that are ``wanted``, as it comes."""
        while True:
            with self.changed:
                if len(self._log) <= since:
                    self.changed.wait(min(_LONGEST, patience.seconds))
                new = self._log[since:]
            for event in new:
                since += 1
                ref = Ref.of(event.object)
                if ref.kind == kind and wanted(ref):
                    patience.told()
                    yield replace(event, object=copy.deepcopy(event.object))
            if patience.is_quiet():
                yield nothing("QUIET", kind, str(since))
            if patience.over:
                return

    def _write(self, what: Any, manifest: Manifest) -> Manifest:
        version = str(len(self._log) + 1)
        stored = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": version}}
        if what == "DELETED":
            del self.objects[Ref.of(stored)]
        else:
            self.objects[Ref.of(stored)] = stored
        self._log.append(WatchEvent(type=what, object=stored, version=version))
        self.changed.notify_all()
        return copy.deepcopy(stored)
