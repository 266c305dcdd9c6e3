"""The double on a plane that others use at the same time, with a real clock: threads that watch, one that acts."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from queue import Empty, Queue
from typing import Any, Protocol
from uuid import uuid4

from datafluid.engine.reconcile.values import rfc3339
from datafluid.errors import AlreadyExists, Conflict, Invalid, NotFound, Unavailable, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest
from tests.cluster.double.crash import restarted
from tests.cluster.double.world import (
    Change,
    Controller,
    Create,
    Delete,
    Faults,
    Patch,
    Remember,
    Tell,
    Vanish,
    World,
    Write,
)

_BREATHS = (0.1,)  # seconds of silence after which a watch looks whether the double is still there
_FLUID = tuple(
    kind
    for kind in KINDS
    if kind not in ("CacheRuntime", "CacheRuntimeClass", "EFCRuntime", "JindoRuntime", "VineyardRuntime")
)
_KUBERNETES = (
    "v1/Pod",
    "v1/Node",
    "v1/ConfigMap",
    "v1/Service",
    "v1/PersistentVolume",
    "v1/PersistentVolumeClaim",
    "apps/v1/StatefulSet",
    "apps/v1/DaemonSet",
    "batch/v1/Job",
    "batch/v1/CronJob",
)
_OF_NO_NAMESPACE = ("ThinRuntimeProfile", "v1/Node", "v1/PersistentVolume")


class AnyPlane(ControlPlane, Cluster, Protocol):
    """A control plane that is a cluster."""


class Live:
    """Fluid's controllers at work on a plane, until the block ends.

    Args:
        plane: Where; nothing else may play these controllers there.
        controllers: Who is played.
        namespace: Where they act, so that what other tests have left elsewhere costs nothing; None: everywhere.
        pace: How many times faster than the real ones: waits of 20 s become 20 s / pace.
        faults: How they misbehave.
        vanish: How to take a pod away at once; None: by deleting it.
        tell: How an event is recorded: about what, type, reason, message, count.
    """

    def __init__(
        self,
        plane: AnyPlane,
        controllers: Sequence[Controller],
        *,
        namespace: str | None = None,
        pace: float = 50.0,
        faults: Faults | None = None,
        vanish: Callable[[Ref], None] | None = None,
        tell: Callable[[Manifest, Tell, int], None],
    ) -> None:
        self.plane = plane
        self.world = World({}, time.time(), faults=faults or Faults())
        self.world.faults.slow /= pace
        self._controllers = {each.name: each for each in controllers}
        self._namespace = namespace
        self._vanish = vanish
        self._tell = tell
        self._changes: Queue[Change] = Queue()
        self._stop = threading.Event()
        self._queue: list[tuple[float, int, str, Ref]] = []
        self._due: dict[tuple[str, Ref], float] = {}
        self._busy: dict[tuple[str, Ref], float] = {}
        self._turns = itertools.count()
        self._counts: dict[tuple[str, str, str], int] = {}
        self._threads: list[threading.Thread] = []
        self.problem: BaseException | None = None

    def __enter__(self) -> Live:
        for kind in (*_FLUID, *_KUBERNETES):
            self._threads.append(threading.Thread(target=self._watch, args=(kind,), name=f"watch {kind}", daemon=True))
        self._threads.append(threading.Thread(target=self._act, name="controllers", daemon=True))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=30)
        if self.problem is not None:
            raise self.problem

    def restart(self) -> None:
        """Start the process that a DataBackup has crashed again."""
        restarted(self.world)
        for manifest in list(self.world.objects.values()):
            self._changes.put(Change("ADDED", manifest))

    # -- hearing

    def _watch(self, kind: str) -> None:
        since: str | None = None
        namespace = None if kind in _OF_NO_NAMESPACE else self._namespace
        while not self._stop.is_set():
            with suppress(Unavailable):
                for event in self.plane.watch(kind, namespace=namespace, since=since, quiet=_BREATHS):
                    since = event.version
                    if event.type not in ("BOOKMARK", "QUIET") and "metadata" in event.object:
                        self._changes.put(Change(event.type, event.object))
                    if self._stop.is_set():
                        return

    # -- acting

    def _act(self) -> None:
        try:
            while not self._stop.is_set():
                self.world.now = time.time()
                wait = max(0.0, min(self._queue[0][0] - self.world.now, 0.2)) if self._queue else 0.2
                self._hear(wait)
                self.world.now = time.time()
                while self._queue and self._queue[0][0] <= self.world.now:
                    due, _, name, ref = heapq.heappop(self._queue)
                    if self._due.get((name, ref)) == due:
                        del self._due[name, ref]
                        self._look(self._controllers[name], ref)
                        self._hear(0.0)
        except BaseException as problem:
            self.problem = problem

    def _hear(self, wait: float) -> None:
        with suppress(Empty):
            change = self._changes.get(timeout=wait) if wait else self._changes.get_nowait()
            while True:
                self._take(change)
                change = self._changes.get_nowait()

    def _take(self, change: Change) -> None:
        """Put a change into the picture, unless an answer to an own write has told it already."""
        ref, before = change.ref, self.world.objects.get(change.ref)
        same = before is not None and before["metadata"]["uid"] == change.object["metadata"]["uid"]
        if change.type == "DELETED":
            if not same:
                return
            del self.world.objects[ref]
            for key in [key for key in self.world.memory if key[0] == ref]:
                del self.world.memory[key]
        elif before is not None and same and _is_told(change, before):
            return
        else:
            self.world.objects[ref] = {"spec": {}, **change.object} if ref.kind in KINDS else change.object
            if before is not None and change.type == "ADDED":
                change = Change("MODIFIED" if same else "ADDED", change.object, before)
        told = Change(change.type, change.object, change.before or before)
        for controller in self._controllers.values():
            for woken in controller.wakes(self.world, told):
                self._wake(controller.name, woken, 0.0)

    def _look(self, controller: Controller, ref: Ref) -> None:
        if controller.rests(self.world):
            return
        step = controller.look(self.world, ref)
        key, slow = (controller.name, ref), self.world.faults.slow
        self._busy[key] = self.world.now + step.busy * slow
        if step.again is not None:
            self._wake(controller.name, ref, step.again * slow)
        for write in step.writes:
            try:
                self._write(write)
            except (AlreadyExists, NotFound, Conflict):
                self._wake(controller.name, ref, 0.02)  # somebody was faster: look again

    def _wake(self, name: str, ref: Ref, after: float) -> None:
        key = (name, ref)
        due = max(self.world.now + after, self._busy.get(key, 0.0))
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._queue, (due, next(self._turns), name, ref))

    def _write(self, write: Write) -> None:
        match write:
            case Create(object=manifest):
                self._take(Change("ADDED", self.plane.create(_named(manifest))))
            case Patch(ref=ref, changes=changes):
                self._patch(ref, changes)
            case Delete(ref=ref):
                self.plane.delete(ref)
            case Vanish(ref=ref):
                (self._vanish or self.plane.delete)(ref)
            case Remember(ref=ref, what=what, value=value):
                self.world.memory[ref, what] = value
            case Tell():
                self._record(write)

    def _patch(self, ref: Ref, changes: Mapping[str, Any]) -> None:
        before = self.world.objects.get(ref)
        rest = {key: value for key, value in changes.items() if key != "status"}
        if rest:
            self._took(self.plane.patch(ref, rest), before)
        if "status" in changes:
            self._took(self.plane.patch(ref, {"status": changes["status"]}, subresource="status"), before)

    def _took(self, answer: Manifest, before: Manifest | None) -> None:
        # At once, and not through the queue: there an older word, that it is gone, would come before.
        self._take(Change("MODIFIED", answer, before))

    def _record(self, told: Tell) -> None:
        about = self.world.objects.get(told.ref)
        if about is None:
            return
        key = (about["metadata"]["uid"], told.reason, told.message)
        self._counts[key] = self._counts.get(key, 0) + 1
        with suppress(NotFound, Invalid, Unsupported):
            self._tell(about, told, self._counts[key])


def _is_told(change: Change, before: Manifest) -> bool:
    """Whether the picture has it already, or something younger."""
    new, old = _version(change.object), _version(before)
    return new < old or (new == old and change.type != "ADDED")


def _named(manifest: Manifest) -> Manifest:
    metadata = manifest["metadata"]
    if "name" in metadata or "generateName" not in metadata:
        return manifest
    rest = {key: value for key, value in metadata.items() if key != "generateName"}
    return manifest | {"metadata": rest | {"name": metadata["generateName"] + uuid4().hex[:5]}}


def _version(manifest: Manifest) -> int:
    return int(manifest["metadata"].get("resourceVersion") or 0)


def event_manifest(about: Manifest, told: Tell, count: int) -> Manifest:
    """An Event as Fluid's recorders write it."""
    now = rfc3339(time.time())
    metadata = about["metadata"]
    involved = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": metadata["name"],
        "namespace": metadata.get("namespace", "default"),
        "uid": metadata["uid"],
    }
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{metadata['name']}.{uuid4().hex[:16]}", "namespace": involved["namespace"]},
        "involvedObject": involved,
        "type": told.type,
        "reason": told.reason,
        "message": told.message,
        "count": count,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "source": {"component": told.by},
    }
