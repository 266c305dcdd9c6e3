"""A control plane in a dictionary, for tests of programs that use datafluid."""

from __future__ import annotations

import builtins
import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from datafluid.errors import AlreadyExists, Conflict, Unsupported
from datafluid.model.kinds import API_VERSION, KINDS, find_kind
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.plain import merge_patch
from datafluid.model.ref import Ref
from datafluid.plane.events import event_manifest, happening
from datafluid.plane.patience import Patience
from datafluid.plane.port import Event, Manifest, Node, WatchEvent
from datafluid.testing.rules import belongs, merged, mounted_by, runs_again
from datafluid.testing.shelf import Shelf

__all__ = ["InMemoryPlane"]


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
        self._shelf = Shelf(clock)

    def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`. There is one manager here, so nothing is to adopt."""
        authored = _validated(resource)
        ref = Ref.of(authored)
        with self._shelf.changed:
            current = self._shelf.objects.get(ref)
            if current is not None and replace and runs_again(current, authored):
                if not dry_run:
                    self._shelf.remove(ref)
                current = None
            new = merged(current, authored) if current else self._new(authored)
            if dry_run or new == current:
                return copy.deepcopy(new)
            return self._shelf.put(new)

    def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        with self._shelf.changed:
            return copy.deepcopy(self._shelf.must(ref))

    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: str | None = None,
        timeout: float | None = None,
        quiet: Sequence[float] = (),
    ) -> Iterator[WatchEvent]:
        """See `datafluid.plane.port.ControlPlane.watch`."""
        patience = Patience(timeout, quiet=quiet)

        def is_watched(ref: Ref) -> bool:
            return namespace in (None, ref.namespace) and name in (None, ref.name)

        if since is not None:
            version = int(since)
        else:
            with self._shelf.changed:
                version = self._shelf.version
                there = self.list(kind, namespace=namespace)
            for manifest in there:
                if is_watched(Ref.of(manifest)):
                    yield WatchEvent(type="ADDED", object=manifest, version=manifest["metadata"]["resourceVersion"])
        yield from self._shelf.news(kind, version, is_watched, patience)

    def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`."""
        with self._shelf.changed:
            manifest = self._shelf.must(ref)
            if references := mounted_by(ref, self._shelf.objects.items()):
                names = ", ".join(references)
                raise Conflict(f"{ref} is mounted by {names}.", hint="Delete those first.")
            if cascade:
                for owned in [each for each, its in self._shelf.objects.items() if belongs(each, its, ref)]:
                    if owned.kind in OPERATION_KINDS or not manifest["metadata"].get("finalizers"):
                        self._shelf.let_go(owned)
            self._shelf.let_go(ref)

    def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`."""
        if ref.api_version == API_VERSION and not find_kind(ref.kind).scalable:
            raise Unsupported(f"a {ref.kind} cannot be scaled.", hint="Scale its runtime.")
        with self._shelf.changed:
            new = copy.deepcopy(self._shelf.must(ref))
            new["spec"]["replicas"] = replicas
            return self._shelf.put(new)

    def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        with self._shelf.changed:
            uid = self._shelf.must(ref)["metadata"]["uid"]
            told = [happening(self._shelf.objects[each]).event for each in self._shelf.told_of(uid)]
        return sorted(told, key=lambda event: event.last_seen)

    def nodes(self) -> builtins.list[Node]:
        """One node, named ``memory``."""
        return [Node(name="memory", labels={"kubernetes.io/hostname": "memory"})]

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        wanted = (selector or {}).items()
        with self._shelf.changed:
            return [
                copy.deepcopy(manifest)
                for ref, manifest in sorted(self._shelf.objects.items())
                if ref.kind == kind
                and namespace in (None, ref.namespace)
                and wanted <= (manifest["metadata"].get("labels") or {}).items()
            ]

    def advance(self, ref: Ref) -> bool:
        """See `datafluid.plane.port.Advances.advance`."""
        with self._shelf.changed:
            manifest = self._shelf.objects.get(ref)
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
        with self._shelf.changed:
            if (ref := Ref.of(resource)) in self._shelf.objects:
                raise AlreadyExists(f"{ref} is there already.", hint="Apply it, or use another name.")
            return self.apply(resource, dry_run=dry_run)

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """See `datafluid.plane.port.Cluster.patch`."""
        with self._shelf.changed:
            current = self._shelf.must(ref)
            wanted = (changes.get("metadata") or {}).get("resourceVersion")
            if wanted not in (None, current["metadata"]["resourceVersion"]):
                raise Conflict(f"{ref} has changed since it was read.", hint="Read it again.")
            new: Manifest = merge_patch(current, changes)
            if new == current:
                return copy.deepcopy(current)
            if new.get("spec") != current.get("spec"):
                new["metadata"]["generation"] = current["metadata"]["generation"] + 1
            if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
                self._shelf.remove(ref)
                return new
            return self._shelf.put(new)

    def kinds(self) -> frozenset[str]:
        """See `datafluid.plane.port.Cluster.kinds`: Fluid's own, and what is there."""
        with self._shelf.changed:
            return frozenset({*KINDS, *(ref.kind for ref in self._shelf.objects)})

    def metadata(self, kind: str, *, namespace: str | None = None) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.SeesMetadata.metadata`."""
        found = self.list(kind, namespace=namespace)
        return [{key: each[key] for key in ("apiVersion", "kind", "metadata")} for each in found]

    def put(self, manifest: Mapping[str, Any]) -> Manifest:
        """Put an object there as a server holds it, status and all: nothing is validated, nothing merged."""
        with self._shelf.changed:
            new = self._new(copy.deepcopy(dict(manifest)))
            new["metadata"] = {**new["metadata"], **manifest["metadata"]}
            return self._shelf.put(new)

    def set_status(self, ref: Ref, status: Mapping[str, Any]) -> Manifest:
        """Give an object a status, as a controller would.

        Raises:
            NotFound: there is no such object.
        """
        with self._shelf.changed:
            return self._shelf.put({**self._shelf.must(ref), "status": copy.deepcopy(dict(status))})

    def record(self, ref: Ref, event: Event) -> None:
        """Record an event on an object; it is a ``v1/Event`` of its own, as in a cluster.

        Raises:
            NotFound: there is no such object.
        """
        with self._shelf.changed:
            self.apply(event_manifest(ref, self._shelf.must(ref)["metadata"]["uid"], event))

    def _new(self, authored: Manifest) -> Manifest:
        own = {"uid": str(uuid4()), "creationTimestamp": self._shelf.stamp(), "generation": 1}
        return {**authored, "metadata": {**authored["metadata"], **own}}


def _validated(resource: Mapping[str, Any]) -> Manifest:
    """As a plane would: strictly parsed, linted, with a namespace."""
    if resource.get("apiVersion") != API_VERSION:
        return copy.deepcopy(dict(resource))
    from datafluid.plane.admission import admit

    return admit(resource, plane="kubernetes")
