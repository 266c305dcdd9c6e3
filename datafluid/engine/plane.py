"""The embedded plane: one machine, a registry, and whoever calls moves it forward.

`EmbeddedPlane` answers the port. Nothing runs in the background: `advance` takes the steps that are possible in
the calling process, and only loads are processes of their own.
"""

from __future__ import annotations

import builtins
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from datafluid.engine.controller import Controller
from datafluid.engine.home import Home
from datafluid.engine.merging import merge
from datafluid.engine.presenting import present
from datafluid.engine.reconcile.relations import runtime_of
from datafluid.engine.reconcile.values import Note, rfc3339
from datafluid.engine.registry import Registry
from datafluid.engine.surroundings import Surroundings
from datafluid.errors import Conflict, NotFound, Unavailable, Unsupported
from datafluid.model.begun import is_diverted
from datafluid.model.kinds import find_kind
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of, references_to
from datafluid.plane.admission import admit
from datafluid.plane.patience import Patience
from datafluid.plane.port import Event, Manifest, Node, Run, WatchEvent

if TYPE_CHECKING:
    from datafluid.engine.volume import Volume

__all__ = ["EmbeddedPlane"]

_DELETE_PATIENCE = 10.0  # seconds that running loads get to stop before a deletion returns
_DELETE_LOOK = 0.05


class EmbeddedPlane:
    """A control plane in a directory. Implements `ControlPlane` and `Advances`.

    Args:
        home: The directory.
        surroundings: The world outside the registry; tests give another one.
        clock: Seconds since the epoch.
        check: Admission: raises Invalid or returns the manifest to store.
    """

    name = "embedded"

    def __init__(
        self,
        home: Home,
        *,
        surroundings: Surroundings | None = None,
        clock: Callable[[], float] = time.time,
        check: Callable[[Mapping[str, Any]], Manifest] = admit,
    ) -> None:
        self.home = home
        self.registry = Registry(home)
        self.controller = Controller(self.registry, surroundings or _this_machine(home), clock=clock)
        self._clock = clock
        self._check = check
        self._volumes: dict[tuple[str, str, bool], tuple[int, Volume]] = {}

    def __repr__(self) -> str:
        return f"EmbeddedPlane({str(self.home.path)!r})"

    def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`. There is one manager here, so nothing is to adopt."""
        authored = _complete(self._check(resource))
        ref = Ref.of(authored)
        with suppress(_DryRun), self.registry.transaction() as records:
            current = records.find(ref)
            if current is not None and replace and (_is_finished_operation(current) or is_diverted(current, authored)):
                records.remove(ref)
                current = None
            new = merge(current, authored, records.applied(ref))
            if current is None:
                new["metadata"] |= {
                    "uid": str(uuid4()),
                    "creationTimestamp": rfc3339(self._clock()),
                    "generation": 1,
                }
            stored = new if new == current else records.put(new, applied=_applied(authored))
            if dry_run:
                raise _DryRun
        return self._present(stored)

    def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        return self._present(self.registry.get(ref))

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
        """See `datafluid.plane.port.ControlPlane.watch`. Of several quick changes the last state is seen."""
        start, patience = int(since) if since else None, Patience(timeout, quiet=quiet)
        for event in self.registry.watch(kind, patience, namespace=namespace, name=name, since=start):
            is_there = event.type in ("ADDED", "MODIFIED")
            yield replace(event, object=self._present(event.object)) if is_there else event

    def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`.

        Loads that run are stopped first; what they have loaded goes with the dataset, not with them.
        """
        self.registry.get(ref)
        if ref.kind == "Dataset":
            self._refuse_if_referenced(ref)
        doomed = [ref]
        if ref.kind == "Dataset" and cascade:
            doomed = [*self._owned(ref), ref]
        with self.registry.transaction() as records:
            for each in doomed:
                if (found := records.find(each)) is not None:
                    found["metadata"].setdefault("deletionTimestamp", rfc3339(self._clock()))
                    records.put(found)
            if not cascade or (ref.kind != "Dataset" and ref.kind not in OPERATION_KINDS):
                records.remove(ref, cascade=cascade)
        self._see_gone(doomed)
        if ref.kind.endswith("Runtime"):
            self.controller.step(Ref("Dataset", ref.name, ref.namespace))

    def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`. More than one is accepted, and said to mean one."""
        if not find_kind(ref.kind).scalable:
            raise Unsupported(f"a {ref.kind} cannot be scaled.", hint="Scale its runtime.")
        with self.registry.transaction() as records:
            found = records.find(ref)
            if found is None:
                raise NotFound(f"there is no {ref}.", hint="Apply it first.")
            if found["spec"].get("replicas") != replicas:
                found["spec"]["replicas"] = replicas
                found["metadata"]["generation"] += 1
                records.put(found)
        self.controller.advance(ref)
        return self.get(ref)

    def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        return self.registry.events(ref)

    def nodes(self) -> builtins.list[Node]:
        """This machine."""
        hostname = platform.node() or "localhost"
        return [
            Node(
                name=hostname,
                labels={"kubernetes.io/hostname": hostname, "kubernetes.io/os": platform.system().lower()},
                allocatable={"cpu": str(os.cpu_count() or 1)},
            )
        ]

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        found = self.registry.objects(kind, namespace=namespace, selector=selector)
        return [self._present(each) for each in found]

    def advance(self, ref: Ref) -> bool:
        """See `datafluid.plane.port.Advances.advance`."""
        return bool(self.controller.advance(ref))

    def history(self, ref: Ref) -> builtins.list[Run]:
        """See `datafluid.plane.port.KeepsHistory.history`."""
        return [
            Run(
                scheduled=run.scheduled or None,
                started=run.started,
                ended=run.ended,
                phase=run.phase,
                message=run.message,
                progress=run.progress or {},
            )
            for run in self.registry.runs(self.registry.get(ref)["metadata"]["uid"])
        ]

    def volume(self, namespace: str, name: str, *, serve_stale: bool = False) -> Volume:
        """The bytes of a Bound dataset; the same object while nothing was declared, so asking again costs nothing.

        Args:
            serve_stale: Keep serving complete cached files while the under-store is away.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: it is not Bound; the message says why.
        """
        key = (namespace, name, serve_stale)
        known = self._volumes.get(key)
        generation = self.registry.generation
        if known is not None and known[0] == generation:
            return known[1]
        from datafluid.engine.volume import Volume

        try:
            binding = self.registry.binding(namespace, name)
        except Unavailable:  # what kept it from being Bound may be mended
            self.controller.advance(Ref("Dataset", name, namespace))
            binding = self.registry.binding(namespace, name)
        if serve_stale:
            binding = replace(binding, serve_stale=True)
        same = known is not None and known[1].binding == binding
        volume = known[1] if known is not None and same else Volume(self.home, binding)
        self._volumes[key] = (generation, volume)
        if known is not None and not same:
            known[1].close()
        return volume

    def _present(self, manifest: Manifest) -> Manifest:
        return present(manifest, self.home, self.registry)

    def _owned(self, dataset: Ref) -> builtins.list[Ref]:
        """What goes with a dataset: its operations, then its runtime."""
        everything = self.registry.objects()
        runtime = runtime_of({"metadata": {"name": dataset.name, "namespace": dataset.namespace}}, everything)
        owned = [*operations_of(dataset, everything), *([runtime] if runtime else [])]
        return [Ref.of(each) for each in owned]

    def _refuse_if_referenced(self, ref: Ref) -> None:
        references = list(references_to(ref, self.registry.objects("Dataset")))
        if not references:
            return
        names = " ".join(references)
        message = f"Failed to delete dataset because there are datasets [{names}] mounted to it"
        note = Note(type="Warning", reason="ErrorDeleteDataset", message=message)
        with self.registry.transaction() as records:
            records.record(self.registry.get(ref)["metadata"]["uid"], note, self._clock())
        raise Conflict(f"{ref} is mounted by {', '.join(references)}.", hint="Delete those first.")

    def _see_gone(self, doomed: builtins.list[Ref]) -> None:
        """Stop what runs and remove what has stopped; what does not stop in time goes when it does."""
        end = time.monotonic() + _DELETE_PATIENCE
        while left := [ref for ref in doomed if self.registry.find(ref) is not None]:
            if time.monotonic() > end:
                return
            stepped = [self.controller.step(ref) for ref in left]  # all of them, whatever the first says
            if not any(stepped):
                time.sleep(_DELETE_LOOK)


def _complete(authored: Manifest) -> Manifest:
    """With a spec where the reconciler looks at one: Fluid's definitions do not ask for it."""
    steps = authored["kind"] == "Dataset" or authored["kind"].endswith("Runtime") or authored["kind"] in OPERATION_KINDS
    return {**authored, "spec": authored.get("spec") or {}} if steps else authored


class _DryRun(Exception):
    """Leaves a transaction without committing it."""


def _this_machine(home: Home) -> Surroundings:
    from datafluid.engine.machine import ThisMachine

    return ThisMachine(home)


def _is_finished_operation(manifest: Mapping[str, Any]) -> bool:
    phase = (manifest.get("status") or {}).get("phase")
    return manifest["kind"] in OPERATION_KINDS and phase in ("Complete", "Failed")


def _applied(authored: Mapping[str, Any]) -> dict[str, Any]:
    metadata = authored["metadata"]
    return {key: sorted(metadata.get(key) or ()) for key in ("labels", "annotations")}
