"""Operations that have begun: Fluid does what they said then, and ignores without a word what they say later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.errors import Conflict
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.plain import as_map, as_text, look
from datafluid.model.ref import Ref

__all__ = ["has_begun", "is_diverted", "refuse_diverted"]


def has_begun(current: Mapping[str, Any]) -> bool:
    """Whether it is an operation that runs once, and has started: nothing of its spec may change.

    Example:
        >>> has_begun({"kind": "DataLoad", "spec": {"policy": "Once"}, "status": {"phase": "Complete"}})
        True
    """
    return _is_known(current) and not _is_cron(current)


def is_diverted(current: Mapping[str, Any], authored: Mapping[str, Any]) -> bool:
    """Whether a schedule that is at work would be lost to another dataset, or to something that runs once.

    Args:
        current: The object as it is.
        authored: What is to be applied to it.

    Example:
        >>> nightly = {"kind": "DataLoad", "metadata": {"name": "nightly", "namespace": "team"}}
        >>> spec = {"policy": "Cron", "schedule": "0 3 * * *", "dataset": {"name": "a", "namespace": "team"}}
        >>> current = nightly | {"spec": spec, "status": {"phase": "Executing"}}
        >>> is_diverted(current, nightly | {"spec": spec | {"schedule": "0 4 * * *"}})
        False
        >>> is_diverted(current, nightly | {"spec": spec | {"dataset": {"name": "b", "namespace": "team"}}})
        True
    """
    if not _is_known(current) or not _is_cron(current):
        return False
    return not _is_cron(authored) or _dataset(current) != _dataset(authored)


def refuse_diverted(current: Mapping[str, Any], authored: Mapping[str, Any]) -> None:
    """Raise where `is_diverted`.

    Raises:
        Conflict: a schedule would be lost.
    """
    if is_diverted(current, authored):
        namespace, name = _dataset(current)
        of = f" of Dataset {namespace}/{name}" if name else ""
        raise Conflict(
            f"{Ref.of(current)} is a schedule{of}, which would be lost.",
            hint="Use another name, or apply with replace=True (`--replace`).",
        )


def _is_known(manifest: Mapping[str, Any]) -> bool:
    return manifest["kind"] in OPERATION_KINDS and bool(look(manifest, ("status", "phase")))


def _is_cron(manifest: Mapping[str, Any]) -> bool:
    return as_text(look(manifest, ("spec", "policy"))) == "Cron"


def _dataset(manifest: Mapping[str, Any]) -> tuple[str, str]:
    named = as_map(look(manifest, ("spec", "dataset")))
    own = as_text(look(manifest, ("metadata", "namespace")))
    return as_text(named.get("namespace")) or own, as_text(named.get("name"))
