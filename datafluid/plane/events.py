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

__all__ = ["EVENT", "Happening", "event_manifest", "happening"]

EVENT = "v1/Event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event, with the object that it is about."""

    subject: Ref
    event: Event


def happening(manifest: Mapping[str, Any]) -> Happening:
    """What a ``v1/Event`` object says.

    Schedulers leave first, last and count empty and write ``eventTime`` alone; a series keeps its own count.

    Example:
        >>> about = {"kind": "Pod", "apiVersion": "v1", "namespace": "team", "name": "app"}
        >>> told = happening({"involvedObject": about, "reason": "Scheduled", "eventTime": "2026-11-23T17:47:05Z"})
        >>> str(told.subject), told.event.count, told.event.last_seen == told.event.first_seen
        ('Pod team/app', 1, True)
    """
    about, series = manifest.get("involvedObject") or {}, manifest.get("series") or {}
    created = (manifest.get("metadata") or {}).get("creationTimestamp")
    last = _seconds(series.get("lastObservedTime"), manifest.get("lastTimestamp"), manifest.get("eventTime"), created)
    first = _seconds(manifest.get("firstTimestamp"), manifest.get("eventTime"), created)
    return Happening(
        subject=Ref(
            qualified_kind(about.get("apiVersion") or "v1", about.get("kind") or ""),
            about.get("name") or "",
            about.get("namespace") or None,
        ),
        event=Event(
            type="Warning" if manifest.get("type") == "Warning" else "Normal",
            reason=manifest.get("reason") or "",
            message=manifest.get("message") or "",
            count=series.get("count") or manifest.get("count") or 1,
            first_seen=min(first, last),
            last_seen=last,
        ),
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


def _seconds(*stamps: Any) -> float:
    times = (parse_time(stamp) for stamp in stamps)
    return next((moment.timestamp() for moment in times if moment is not None), 0.0)


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
