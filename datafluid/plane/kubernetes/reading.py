"""From the server's objects to the port's values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.model.ref import Ref
from datafluid.plane.events import event_of
from datafluid.plane.kubernetes.errors import answer_of
from datafluid.plane.kubernetes.requests import Resource
from datafluid.plane.kubernetes.steps import ATTEMPTS, Flow, exchange
from datafluid.plane.port import Event, Manifest, Node

__all__ = ["all_pages", "events_of", "node_of", "plain"]

_EVENTS = Resource(api_version="v1", kind="Event", plural="events")


def plain(manifest: Manifest) -> Manifest:
    """An object without the book-keeping of server-side apply, which is nobody's business and half of its size."""
    manifest["metadata"].pop("managedFields", None)
    return manifest


def all_pages(
    resource: Resource,
    namespace: str | None,
    *,
    labels: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
    metadata_only: bool = False,
) -> Flow[list[Manifest]]:
    """Every object of a kind, in the server's order: by namespace and name."""
    found: list[Manifest] = []
    after, begun = "", 1
    while True:
        request = resource.page(namespace, labels=labels, fields=fields, after=after, metadata_only=metadata_only)
        response = yield from exchange(request)
        if response.status == 410 and begun < ATTEMPTS:  # the list took longer than the server remembers it
            found, after, begun = [], "", begun + 1
            continue
        page = answer_of(request, response)
        named = {"apiVersion": resource.api_version, "kind": resource.kind}
        found += [plain({**each, **named}) for each in page.get("items") or ()]
        after = page["metadata"].get("continue", "")
        if not after:
            return found


def events_of(ref: Ref, uid: str) -> Flow[list[Event]]:
    """The events of one object, oldest first; those of cluster-scoped objects are kept in ``default``."""
    fields = {"involvedObject.name": ref.name, "involvedObject.uid": uid}
    found = yield from all_pages(_EVENTS, ref.namespace or "default", fields=fields)
    return sorted((event_of(each) for each in found), key=lambda event: (event.last_seen, event.first_seen))


def node_of(manifest: Mapping[str, Any]) -> Node:
    """A machine. It is ready when it says so and takes pods."""
    status = manifest.get("status") or {}
    ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or ())
    return Node(
        name=manifest["metadata"]["name"],
        labels=manifest["metadata"].get("labels") or {},
        allocatable=status.get("allocatable") or {},
        ready=ready and not manifest["spec"].get("unschedulable", False),
    )
