"""Kubernetes Events as objects (``v1/Event``), and what they say of which object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from datafluid.model.ref import Ref, qualified_kind
from datafluid.model.status import parse_time
from datafluid.plane.port import Event, Manifest

__all__ = ["EVENT", "Happening", "event_manifest", "event_of", "happening"]

EVENT = "v1/Event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event, with the object that it is about."""

    subject: Ref
    event: Event


def happening(manifest: Mapping[str, Any]) -> Happening:
    """What an event object says, and of which object.

    Example:
        >>> about = {"kind": "Pod", "apiVersion": "v1", "namespace": "team", "name": "app"}
        >>> told = happening({"involvedObject": about, "reason": "Scheduled", "eventTime": "2026-11-23T17:47:05Z"})
        >>> str(told.subject), told.event.count, told.event.last_seen == told.event.first_seen
        ('Pod team/app', 1, True)
    """
    about = manifest.get("involvedObject") or manifest.get("regarding") or {}
    kind = qualified_kind(about.get("apiVersion") or "v1", about.get("kind") or "")
    return Happening(
        subject=Ref(kind, about.get("name") or "", about.get("namespace") or None), event=event_of(manifest)
    )


def event_of(manifest: Mapping[str, Any]) -> Event:
    """An event of either API: ``v1`` counts, ``events.k8s.io`` has a series; each may leave the other's times null."""
    series = manifest.get("series") or {}
    first = _first_time(manifest, "firstTimestamp", "deprecatedFirstTimestamp", "eventTime")
    last = _first_time(series, "lastObservedTime") or _first_time(
        manifest, "lastTimestamp", "deprecatedLastTimestamp", "eventTime"
    )
    created = _first_time(manifest.get("metadata") or {}, "creationTimestamp") or 0.0
    return Event(
        type="Warning" if manifest.get("type") == "Warning" else "Normal",
        reason=manifest.get("reason") or "",
        message=manifest.get("message") or manifest.get("note") or "",
        count=series.get("count") or manifest.get("count") or manifest.get("deprecatedCount") or 1,
        first_seen=first or last or created,
        last_seen=last or first or created,
    )


def event_manifest(subject: Ref, uid: str, event: Event) -> Manifest:
    """The ``v1/Event`` object that says so; `happening` reads it back.

    Args:
        uid: The subject's.
    """
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{subject.name}.{uuid4().hex[:16]}", "namespace": subject.namespace or "default"},
        "involvedObject": {
            "apiVersion": subject.api_version,
            "kind": subject.bare_kind,
            "name": subject.name,
            "namespace": subject.namespace,
            "uid": uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": event.count,
        "firstTimestamp": _stamp(event.first_seen),
        "lastTimestamp": _stamp(event.last_seen),
    }


def _first_time(source: Mapping[str, Any], *names: str) -> float | None:
    times = (parse_time(source.get(name)) for name in names)
    return next((moment.timestamp() for moment in times if moment is not None), None)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
