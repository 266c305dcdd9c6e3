"""From the server's objects to the port's values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from datafluid.model.ref import Ref
from datafluid.plane.kubernetes.requests import Resource
from datafluid.plane.kubernetes.steps import Flow, call
from datafluid.plane.port import Event, Manifest, Node

__all__ = ["all_pages", "event_of", "events_of", "node_of", "plain"]

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
) -> Flow[list[Manifest]]:
    """Every object of a kind, in the server's order: by namespace and name."""
    found: list[Manifest] = []
    after = ""
    while True:
        page = yield from call(resource.page(namespace, labels=labels, fields=fields, after=after))
        named = {"apiVersion": resource.api_version, "kind": resource.kind}
        found += [plain({**named, **each}) for each in page.get("items", ())]
        after = page["metadata"].get("continue", "")
        if not after:
            return found


def events_of(ref: Ref, uid: str) -> Flow[list[Event]]:
    """The events of one object, oldest first; those of cluster-scoped objects are kept in ``default``."""
    fields = {"involvedObject.name": ref.name, "involvedObject.uid": uid}
    found = yield from all_pages(_EVENTS, ref.namespace or "default", fields=fields)
    return sorted((event_of(each) for each in found), key=lambda event: (event.last_seen, event.first_seen))


def event_of(manifest: Mapping[str, Any]) -> Event:
    """An event of either API: ``v1`` counts, ``events.k8s.io`` has a series; each may leave the other's times null."""
    series = manifest.get("series") or {}
    first = _first_time(manifest, "firstTimestamp", "deprecatedFirstTimestamp", "eventTime")
    last = _first_time(series, "lastObservedTime") or _first_time(
        manifest, "lastTimestamp", "deprecatedLastTimestamp", "eventTime"
    )
    created = _first_time(manifest.get("metadata") or {}, "creationTimestamp") or 0.0
    kind: Literal["Normal", "Warning"] = "Warning" if manifest.get("type") == "Warning" else "Normal"
    return Event(
        type=kind,
        reason=manifest.get("reason") or "",
        message=manifest.get("message") or manifest.get("note") or "",
        count=series.get("count") or manifest.get("count") or manifest.get("deprecatedCount") or 1,
        first_seen=first or last or created,
        last_seen=last or first or created,
    )


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


def _first_time(source: Mapping[str, Any], *names: str) -> float | None:
    for name in names:
        if text := source.get(name):
            return datetime.fromisoformat(text).timestamp()
    return None
