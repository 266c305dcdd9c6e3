"""The conversations behind the port's simple methods: get, list, create, patch, scale, events, nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.errors import Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.ref import Ref
from datafluid.plane.admission import must_be_named
from datafluid.plane.kubernetes.catalogue import Catalogue
from datafluid.plane.kubernetes.reading import all_pages, events_of, node_of, plain
from datafluid.plane.kubernetes.steps import Flow, call
from datafluid.plane.port import Event, Manifest, Node

__all__ = ["create", "events", "get", "list_objects", "metadata", "nodes", "patch", "scale"]


def get(catalogue: Catalogue, ref: Ref) -> Flow[Manifest]:
    """Read one object."""
    resource = yield from catalogue.find(ref.kind)
    found = yield from call(resource.get(ref))
    return plain(found)


def list_objects(
    catalogue: Catalogue, kind: str, namespace: str | None, selector: Mapping[str, str] | None
) -> Flow[list[Manifest]]:
    """Read all objects of a kind, a page at a time."""
    resource = yield from catalogue.find(kind)
    found = yield from all_pages(resource, namespace, labels=selector)
    return sorted(found, key=lambda each: (each["metadata"].get("namespace") or "", each["metadata"]["name"]))


def metadata(catalogue: Catalogue, kind: str, namespace: str | None) -> Flow[list[Manifest]]:
    """Read the metadata of all objects of a kind; their contents never leave the server."""
    resource = yield from catalogue.find(kind)
    return (yield from all_pages(resource, namespace, metadata_only=True))


def create(catalogue: Catalogue, manifest: Mapping[str, Any], dry_run: bool) -> Flow[Manifest]:
    """Create what must not be there yet."""
    must_be_named(manifest)
    resource = yield from catalogue.find(Ref.of(manifest).kind)
    made = yield from call(resource.create(manifest, dry_run=dry_run))
    return plain(made)


def patch(catalogue: Catalogue, ref: Ref, changes: Mapping[str, Any], subresource: str | None) -> Flow[Manifest]:
    """Merge changes into an object; a subresource's answer is not the object."""
    resource = yield from catalogue.find(ref.kind)
    changed = yield from call(resource.patch(ref, changes, subresource=subresource))
    if subresource in (None, "status"):
        return plain(changed)
    found = yield from call(resource.get(ref))
    return plain(found)


def scale(catalogue: Catalogue, ref: Ref, replicas: int) -> Flow[Manifest]:
    """Set the replicas through the scale subresource."""
    kind = KINDS.get(ref.kind)
    if kind is not None and not kind.scalable:
        raise Unsupported(f"a {ref.kind} cannot be scaled.", hint="Scale its runtime.")
    return (yield from patch(catalogue, ref, {"spec": {"replicas": replicas}}, "scale"))


def events(catalogue: Catalogue, ref: Ref) -> Flow[list[Event]]:
    """Events of the object that has the name now, not of one before it."""
    found = yield from get(catalogue, ref)
    return (yield from events_of(ref, found["metadata"]["uid"]))


def nodes(catalogue: Catalogue) -> Flow[list[Node]]:
    """The machines of the cluster."""
    resource = yield from catalogue.find("v1/Node")
    found = yield from all_pages(resource, None)
    return [node_of(each) for each in found]
