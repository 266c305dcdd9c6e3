"""Whether a failed operation still matters: not when another one has done the same successfully since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datafluid.diagnosis.picture import Picture, phase_of
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text

__all__ = ["is_made_good"]

# When and where an operation runs; all else in its spec says what it does.
_CIRCUMSTANCES = frozenset(
    {"policy", "schedule", "runAfter", "ttlSecondsAfterFinished", "parallelism", "target", "loadMetadata"}
    | {"affinity", "tolerations", "nodeSelector", "resources", "schedulerName", "podMetadata"}
)


def is_made_good(picture: Picture, failed: Subject) -> bool:
    """Whether another operation, or a later turn, has done since what a failed one was to do: the same, or more."""
    return any(
        phase_of(each) == "Complete"
        and each.kind == failed.kind
        and _ended(each) >= _ended(failed)
        and _task(each) == _task(failed)
        and all(any(_is_below(path, other) for other in _paths(each)) for path in _paths(failed))
        for each in picture.operations
    )


def _ended(operation: Subject) -> str:
    """When it was last heard of; times of Kubernetes are compared as text."""
    told = (as_text(as_map(each).get("lastTransitionTime")) for each in as_list(operation.at("status", "conditions")))
    return max((as_text(operation.at("metadata", "creationTimestamp")), *told))


def _task(operation: Subject) -> dict[str, Any]:
    return {key: value for key, value in operation.spec.items() if key not in _CIRCUMSTANCES}


def _paths(operation: Subject) -> Iterator[str]:
    """What it loads; all of the dataset when it names nothing."""
    targets = as_list(operation.spec.get("target")) or [{}]
    yield from (as_text(as_map(each).get("path")).strip("/") for each in targets)


def _is_below(path: str, other: str) -> bool:
    return not other or f"{path}/".startswith(f"{other}/")
