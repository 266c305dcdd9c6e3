"""What a wait tells: lines while it lasts, and a diagnosis when it ends otherwise than wanted."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from datafluid.errors import DatafluidError
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest

if TYPE_CHECKING:
    from datafluid.model.growth import Estimate

__all__ = ["diagnosis", "estimate_line", "likeliest", "newest_reason", "reporter", "where_to_look"]

_BAD = {("Failed", "True"), ("FailureTarget", "True"), ("Ready", "False")}
_DECEIVES = "The ddc runtime has updated completely."  # Fluid's Ready=False that means that all is well


def diagnosis(plane: ControlPlane, manifest: Manifest, phase: str) -> str:
    """What a user would look up next: the likeliest cause, the condition that says why, or the newest warning."""
    told = phase or "no phase yet"
    why = (likeliest(plane, manifest) if isinstance(plane, Cluster) else "") or newest_reason(plane, manifest)
    return f"{told}; {why}" if why else f"{told}."


def newest_reason(plane: ControlPlane, manifest: Manifest) -> str:
    """What the plane itself has told: the condition that says why, or the newest warning; "" when it told nothing."""
    for condition in reversed((manifest.get("status") or {}).get("conditions") or ()):
        is_bad = (condition.get("type"), condition.get("status")) in _BAD
        if is_bad and condition.get("message") not in (None, "", _DECEIVES):
            return f"{condition.get('reason')}: {condition['message']}"
    try:
        warnings = [event for event in plane.events(Ref.of(manifest)) if event.type == "Warning"]
    except DatafluidError:  # it is gone, or its events may not be read: the phase has to do
        return ""
    newest = max(warnings, key=lambda event: event.last_seen, default=None)
    return f"{newest.reason}: {newest.message}" if newest else ""


def likeliest(plane: ControlPlane, manifest: Manifest) -> str:
    """The cause that a diagnosis is sure of, with what was seen first; empty when it is sure of none."""
    from datafluid.diagnosis import collect, diagnose
    from datafluid.diagnosis.collect import dataset_of

    try:
        found = diagnose(collect(plane, dataset_of(plane, Ref.of(manifest))))
    except DatafluidError:  # what could not be waited for may be out of reach as well
        return ""
    sure = next((cause for cause in found.causes if cause.certain), None)
    return f"{sure.summary} ({sure.evidence[0]})" if sure and sure.evidence else sure.summary if sure else ""


def where_to_look(ref: Ref) -> str:
    """The command that tells more."""
    return f"`datafluid diagnose {ref.kind.lower()} {ref.name} -n {ref.namespace}` tells more."


def reporter(ref: Ref, progress: bool | Callable[[Any], None]) -> Callable[[Any], None]:
    """Where a wait reports to: a function of the caller, standard error, or nowhere."""
    if callable(progress):
        return progress
    if not progress:
        return lambda status: None
    said = ""

    def to_stderr(status: Any) -> None:
        nonlocal said
        if (line := _line(status)) != said:
            said = line
            print(f"{ref}: {line}", file=sys.stderr)  # noqa: T201  # progress=True asked for it

    return to_stderr


def _line(status: Any) -> str:
    moved = getattr(status, "progress", None)
    if moved is not None and moved.bytes_total:
        return f"{status.phase} {moved.bytes_done / moved.bytes_total:.0%} ({moved.files_done} files)"
    fraction = getattr(status, "fraction", None)
    line = f"{status.phase} {fraction:.0%} cached" if fraction is not None else str(status.phase or "waiting")
    estimate = getattr(status, "estimate", None)
    parts = [line, *([told] if estimate is not None and (told := estimate_line(estimate)) else [])]
    if waits := getattr(status, "waiting_for", ""):
        parts.append(f"waiting for {waits}")
    if reason := getattr(status, "reason", ""):
        from datafluid.diagnosis.verdict import printable

        parts[-1] += f"; {printable(reason)}"
    return ", ".join(parts)


def estimate_line(estimate: Estimate) -> str:
    """An estimate in words: ``1.0MiB/s to 2.0MiB/s, 2m to 5m left``."""
    from datafluid.model.quantity import format_size

    if estimate.stalled:
        return f"no progress for {_time(estimate.quiet)}"
    parts = []
    if estimate.rate is not None:
        parts.append(" to ".join(dict.fromkeys(f"{format_size(int(each))}/s" for each in estimate.rate)))
    if estimate.eta is not None and estimate.eta[1] > 0:
        parts.append(" to ".join(dict.fromkeys(_time(each) for each in estimate.eta)) + " left")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 5400 else f"{seconds / 3600:.1f}h"
