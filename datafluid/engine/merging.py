"""Applying a manifest to a stored object, as server-side apply would with a single manager. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from datafluid.errors import Conflict
from datafluid.model.begun import has_begun, refuse_diverted
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = ["merge"]


def merge(current: Mapping[str, Any] | None, authored: Mapping[str, Any], applied: Mapping[str, Any]) -> Manifest:
    """The object after an apply, as server-side apply would leave it with one manager.

    What the author says is set, what an earlier apply said and this one does not is taken away, and what others
    set (status, finalizers, owner, labels of controllers) stays.

    Args:
        current: The stored object; None when there is none.
        authored: What is applied.
        applied: The keys of labels and annotations that the last apply named.

    Raises:
        Conflict: the object is being deleted, or is an operation that has begun and whose spec would change, or is a
            schedule that would be lost.
    """
    if current is None:
        return copy.deepcopy({key: value for key, value in authored.items() if key != "status"})
    ref = Ref.of(authored)
    if current["metadata"].get("deletionTimestamp"):
        raise Conflict(f"{ref} is being deleted.", hint="Wait until it is gone, then apply again.")
    refuse_diverted(current, authored)
    new: Manifest = copy.deepcopy(dict(current))
    for key in ("labels", "annotations"):
        merged = _merged(
            current["metadata"].get(key) or {}, authored["metadata"].get(key) or {}, applied.get(key) or ()
        )
        new["metadata"].pop(key, None)
        if merged:
            new["metadata"][key] = merged
    for key, value in authored.items():
        if key not in ("apiVersion", "kind", "metadata", "status") and current.get(key) != value:
            _refuse_change(ref, current)
            new[key] = copy.deepcopy(value)
    if any(new.get(key) != current.get(key) for key in authored if key not in ("metadata", "status")):
        new["metadata"]["generation"] = current["metadata"].get("generation", 1) + 1
        if ref.kind in OPERATION_KINDS and (current.get("status") or {}).get("phase") == "Failed":
            new["status"] = {}  # a schedule that was refused gets another chance
    return new


def _merged(current: Mapping[str, str], authored: Mapping[str, str], before: Any) -> dict[str, str]:
    kept = {key: value for key, value in current.items() if key not in before}
    return {**kept, **authored}


def _refuse_change(ref: Ref, current: Mapping[str, Any]) -> None:
    """An operation that has begun does what it was told: Fluid ignores a changed spec without a word."""
    if not has_begun(current):
        return
    phase = current["status"]["phase"]
    if phase in ("Complete", "Failed"):
        raise Conflict(f"{ref} is {phase} and would not run again.", hint="Apply with replace, or use another name.")
    raise Conflict(f"{ref} is {phase} already.", hint="Delete it, or use another name.")
