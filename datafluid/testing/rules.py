"""What an in-memory plane knows of Fluid's objects: what may follow what, and what belongs together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.errors import Conflict
from datafluid.model.begun import has_begun, is_diverted, refuse_diverted
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.status import OperationStatus
from datafluid.plane.port import Manifest

__all__ = ["belongs", "merged", "mounted_by", "runs_again"]

_REFERENCE = "dataset://"


def merged(current: Manifest, authored: Manifest) -> Manifest:
    """What becomes of an object when it is applied again.

    Raises:
        Conflict: it is being deleted, or is an operation that has begun and would be another.
    """
    ref = Ref.of(current)
    if current["metadata"].get("deletionTimestamp"):
        raise Conflict(f"{ref} is being deleted.", hint="Wait until it is gone, then apply again.")
    if has_begun(current) and current.get("spec") != authored.get("spec"):
        raise Conflict(f"{ref} has begun already.", hint="Apply with replace, or use another name.")
    refuse_diverted(current, authored)
    kept = {key: value for key, value in current["metadata"].items() if key not in ("labels", "annotations")}
    new = {**current, **authored, "metadata": {**kept, **authored["metadata"]}}
    if current.get("spec") != authored.get("spec"):
        new["metadata"]["generation"] = current["metadata"]["generation"] + 1
    return new


def runs_again(current: Manifest, authored: Manifest) -> bool:
    """Whether an operation begins anew when it is replaced: it has ended, or has begun and is another now."""
    changed = current.get("spec") != authored.get("spec")
    ended = has_begun(current) and (changed or OperationStatus.parse(current).finished)
    return ended or is_diverted(current, authored)


def belongs(ref: Ref, manifest: Mapping[str, Any], dataset: Ref) -> bool:
    """Whether an object goes when a dataset does: its runtime, its operations."""
    if dataset.kind != "Dataset" or ref.namespace != dataset.namespace or ref.kind == "Dataset":
        return False
    if ref.kind in OPERATION_KINDS:
        named = manifest["spec"].get("dataset")
        return (named if isinstance(named, str) else (named or {}).get("name")) == dataset.name
    return ref.name == dataset.name


def mounted_by(dataset: Ref, objects: Iterable[tuple[Ref, Manifest]]) -> list[str]:
    """The datasets that mount this one."""
    wanted = f"{_REFERENCE}{dataset.namespace}/{dataset.name}/"
    return [
        f"{ref.namespace}/{ref.name}"
        for ref, manifest in sorted(objects, key=lambda each: each[0])
        if dataset.kind == "Dataset" and ref.kind == "Dataset"
        for mount in manifest["spec"].get("mounts") or ()
        if f"{mount['mountPoint']}/".startswith(wanted)
    ]
