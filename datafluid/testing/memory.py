"""A control plane in a dictionary, for tests of programs that use datafluid."""

from __future__ import annotations

import builtins
import copy
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from datafluid.errors import AlreadyExists, Conflict, NotFound, Unsupported
from datafluid.model.kinds import API_VERSION, KINDS, find_kind
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.plain import merge_patch
from datafluid.model.ref import Ref
from datafluid.plane.events import EVENT, event_manifest, happening
from datafluid.plane.port import Event, Manifest, Node, WatchEvent

__all__ = ["InMemoryPlane"]

_REFERENCE = "dataset://"


class InMemoryPlane:
    """A plane without a machine behind it. Implements `ControlPlane`, `Advances`, `Cluster` and `SeesMetadata`.

    Fluid's objects are validated as everywhere; those of other kinds are kept as they are. With ``lively`` objects get
    on when somebody waits for them: a Dataset becomes Bound, an operation that runs once becomes Complete.
    `put`, `set_status` and `record` play anything else. Where objects have finalizers the plane is a cluster whose
    controllers are played: deletion marks them, and they go when `patch` takes the last finalizer.

    Args:
        lively: Whether `advance` moves objects forward.
        clock: Seconds since the epoch.

    Example:
        >>> import datafluid
        >>> client = datafluid.Client(InMemoryPlane())
        >>> manifest = {
        ...     "apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {"name": "flights"},
        ...     "spec": {"mounts": [{"mountPoint": "s3://flights/parquet", "name": "parquet"}]},
        ... }
        >>> client.apply(manifest).wait().refs
        (Ref(kind='Dataset', name='flights', namespace='default'),)
        >>> client.dataset("flights").status.phase
        'Bound'
    """

    name = "memory"

    def __init__(self, *, lively: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._lively = lively
        self._clock = clock
        self._objects: dict[Ref, Manifest] = {}
        self._log: builtins.list[WatchEvent] = []
        self._changed = threading.Condition(threading.RLock())

    def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`. There is one manager here, so nothing is to adopt."""
        authored = _validated(resource)
        ref = Ref.of(authored)
        with self._changed:
            current = self._objects.get(ref)
            if current is not None and replace and _has_begun(current):
                if not dry_run:
                    self._remove(ref)
                current = None
            new = self._merged(ref, current, authored)
            if dry_run or new == current:
                return copy.deepcopy(new)
            return self._put("MODIFIED" if current else "ADDED", new)

    def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        with self._changed:
            return copy.deepcopy(self._must(ref))

    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """See `datafluid.plane.port.ControlPlane.watch`."""
        end = None if timeout is None else time.monotonic() + timeout
        version = int(since) if since is not None else None
        if version is None:
            with self._changed:
                version = len(self._log)
            for manifest in self.list(kind, namespace=namespace):
                if name not in (None, manifest["metadata"]["name"]):
                    continue
                yield WatchEvent(type="ADDED", object=manifest, version=manifest["metadata"]["resourceVersion"])
        while True:
            with self._changed:
                while len(self._log) <= version:
                    left = None if end is None else end - time.monotonic()
                    if left is not None and left <= 0:
                        return
                    self._changed.wait(left)
                news = self._log[version:]
            for event in news:
                version += 1
                if _is_watched(Ref.of(event.object), kind, namespace, name):
                    yield replace(event, object=copy.deepcopy(event.object))

    def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`."""
        with self._changed:
            manifest = self._must(ref)
            if references := self._references(ref):
                names = ", ".join(references)
                raise Conflict(f"{ref} is mounted by {names}.", hint="Delete those first.")
            if cascade:
                for owned in self._owned(manifest["metadata"]["uid"]):
                    if owned.kind in OPERATION_KINDS or not manifest["metadata"].get("finalizers"):
                        self._let_go(owned)
            self._let_go(ref)

    def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`."""
        if ref.api_version == API_VERSION and not find_kind(ref.kind).scalable:
            raise Unsupported(f"a {ref.kind} cannot be scaled.", hint="Scale its runtime.")
        with self._changed:
            new = copy.deepcopy(self._must(ref))
            new["spec"]["replicas"] = replicas
            return self._put("MODIFIED", new)

    def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        with self._changed:
            uid = self._must(ref)["metadata"]["uid"]
            told = [happening(self._objects[each]).event for each in self._told_of(uid)]
        return sorted(told, key=lambda event: event.last_seen)

    def nodes(self) -> builtins.list[Node]:
        """One node, named ``memory``."""
        return [Node(name="memory", labels={"kubernetes.io/hostname": "memory"})]

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        wanted = (selector or {}).items()
        with self._changed:
            return [
                copy.deepcopy(manifest)
                for ref, manifest in sorted(self._objects.items())
                if ref.kind == kind
                and namespace in (None, ref.namespace)
                and wanted <= (manifest["metadata"].get("labels") or {}).items()
            ]

    def advance(self, ref: Ref) -> bool:
        """See `datafluid.plane.port.Advances.advance`."""
        with self._changed:
            manifest = self._objects.get(ref)
            if not self._lively or manifest is None or manifest.get("status"):
                return False
            if ref.kind == "Dataset":
                self.set_status(ref, {"phase": "Bound", "conditions": [], "mounts": manifest["spec"].get("mounts", [])})
                return True
            if ref.kind in OPERATION_KINDS and manifest["spec"].get("policy") != "Cron":
                self.set_status(ref, {"phase": "Complete", "conditions": [], "duration": "0s"})
                return True
        return False

    def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """See `datafluid.plane.port.Cluster.create`."""
        with self._changed:
            if (ref := Ref.of(resource)) in self._objects:
                raise AlreadyExists(f"{ref} is there already.", hint="Apply it, or use another name.")
            return self.apply(resource, dry_run=dry_run)

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """See `datafluid.plane.port.Cluster.patch`."""
        with self._changed:
            current = self._must(ref)
            wanted = (changes.get("metadata") or {}).get("resourceVersion")
            if wanted not in (None, current["metadata"]["resourceVersion"]):
                raise Conflict(f"{ref} has changed since it was read.", hint="Read it again.")
            new: Manifest = merge_patch(current, changes)
            if new == current:
                return copy.deepcopy(current)
            if new.get("spec") != current.get("spec"):
                new["metadata"]["generation"] = current["metadata"]["generation"] + 1
            if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
                self._remove(ref)
                return new
            return self._put("MODIFIED", new)

    def kinds(self) -> frozenset[str]:
        """See `datafluid.plane.port.Cluster.kinds`: Fluid's own, and what is there."""
        with self._changed:
            return frozenset({*KINDS, *(ref.kind for ref in self._objects)})

    def metadata(self, kind: str, *, namespace: str | None = None) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.SeesMetadata.metadata`."""
        found = self.list(kind, namespace=namespace)
        return [{key: each[key] for key in ("apiVersion", "kind", "metadata")} for each in found]

    def put(self, manifest: Mapping[str, Any]) -> Manifest:
        """Put an object there as a server holds it, status and all: nothing is validated, nothing merged."""
        with self._changed:
            new = self._merged(Ref.of(manifest), None, copy.deepcopy(dict(manifest)))
            new["metadata"] = {**new["metadata"], **manifest["metadata"]}
            return self._put("MODIFIED" if Ref.of(new) in self._objects else "ADDED", new)

    def set_status(self, ref: Ref, status: Mapping[str, Any]) -> Manifest:
        """Give an object a status, as a controller would.

        Raises:
            NotFound: there is no such object.
        """
        with self._changed:
            return self._put("MODIFIED", {**self._must(ref), "status": copy.deepcopy(dict(status))})

    def record(self, ref: Ref, event: Event) -> None:
        """Record an event on an object; it is a ``v1/Event`` of its own, as in a cluster.

        Raises:
            NotFound: there is no such object.
        """
        with self._changed:
            self.apply(event_manifest(ref, self._must(ref)["metadata"]["uid"], event))

    def _must(self, ref: Ref) -> Manifest:
        if ref not in self._objects:
            raise NotFound(f"there is no {ref}.", hint="Apply it first.")
        return self._objects[ref]

    def _merged(self, ref: Ref, current: Manifest | None, authored: Manifest) -> Manifest:
        if current is None:
            own = {"uid": str(uuid4()), "creationTimestamp": self._stamp(), "generation": 1}
            return {**authored, "metadata": {**authored["metadata"], **own}}
        if current["metadata"].get("deletionTimestamp"):
            raise Conflict(f"{ref} is being deleted.", hint="Wait until it is gone, then apply again.")
        if _has_begun(current) and current.get("spec") != authored.get("spec"):
            raise Conflict(f"{ref} has begun already.", hint="Apply with replace, or use another name.")
        kept = {key: value for key, value in current["metadata"].items() if key not in ("labels", "annotations")}
        new = {**current, **authored, "metadata": {**kept, **authored["metadata"]}}
        if current.get("spec") != authored.get("spec"):
            new["metadata"]["generation"] = current["metadata"]["generation"] + 1
        return new

    def _put(self, what: Any, manifest: Manifest) -> Manifest:
        version = str(len(self._log) + 1)
        stored = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": version}}
        if what == "DELETED":
            del self._objects[Ref.of(stored)]
        else:
            self._objects[Ref.of(stored)] = stored
        self._log.append(WatchEvent(type=what, object=stored, version=version))
        self._changed.notify_all()
        return copy.deepcopy(stored)

    def _let_go(self, ref: Ref) -> None:
        """Remove an object; one with finalizers is marked, and goes when the last of them does."""
        manifest = self._objects[ref]
        if not manifest["metadata"].get("finalizers"):
            self._remove(ref)
        elif not manifest["metadata"].get("deletionTimestamp"):
            self._put(
                "MODIFIED", {**manifest, "metadata": {**manifest["metadata"], "deletionTimestamp": self._stamp()}}
            )

    def _stamp(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._clock()))

    def _remove(self, ref: Ref) -> None:
        manifest = self._objects[ref]
        self._put("DELETED", manifest)
        for event in self._told_of(manifest["metadata"]["uid"]):
            self._put("DELETED", self._objects[event])

    def _told_of(self, uid: str) -> builtins.list[Ref]:
        return [
            ref
            for ref, manifest in self._objects.items()
            if ref.kind == EVENT and (manifest.get("involvedObject") or {}).get("uid") == uid
        ]

    def _owned(self, uid: str) -> builtins.list[Ref]:
        dataset = next(ref for ref, manifest in self._objects.items() if manifest["metadata"]["uid"] == uid)
        if dataset.kind != "Dataset":
            return []
        return [ref for ref, manifest in self._objects.items() if _belongs(ref, manifest, dataset)]

    def _references(self, dataset: Ref) -> builtins.list[str]:
        wanted = f"{_REFERENCE}{dataset.namespace}/{dataset.name}"
        return [
            f"{ref.namespace}/{ref.name}"
            for ref, manifest in sorted(self._objects.items())
            if dataset.kind == "Dataset" and ref.kind == "Dataset"
            for mount in manifest["spec"].get("mounts") or ()
            if f"{mount['mountPoint']}/".startswith(f"{wanted}/")
        ]


def _is_watched(ref: Ref, kind: str, namespace: str | None, name: str | None) -> bool:
    return ref.kind == kind and namespace in (None, ref.namespace) and name in (None, ref.name)


def _belongs(ref: Ref, manifest: Manifest, dataset: Ref) -> bool:
    if ref.namespace != dataset.namespace or ref.kind == "Dataset":
        return False
    if ref.kind in OPERATION_KINDS:
        named = manifest["spec"].get("dataset")
        return (named if isinstance(named, str) else (named or {}).get("name")) == dataset.name
    return ref.name == dataset.name


def _has_begun(manifest: Mapping[str, Any]) -> bool:
    phase = (manifest.get("status") or {}).get("phase")
    return manifest["kind"] in OPERATION_KINDS and manifest["spec"].get("policy") != "Cron" and bool(phase)


def _validated(resource: Mapping[str, Any]) -> Manifest:
    """As a plane would: strictly parsed, linted, with a namespace."""
    if resource.get("apiVersion") != API_VERSION:
        return copy.deepcopy(dict(resource))
    from datafluid.plane.admission import admit

    return admit(resource, plane="kubernetes")
