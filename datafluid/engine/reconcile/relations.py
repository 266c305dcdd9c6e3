"""What the reconciler asks of objects around an object: its runtime, its predecessor, who works on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of
from datafluid.plane.port import Manifest

__all__ = ["runtime_of", "unsupported_reason", "working_on"]

_SUPPORTED = ("DataLoad", "DataMigrate")
_WHY = {
    "DataProcess": "it runs containers, and one machine without a cluster runs none.",
    "DataBackup": "it saves the metadata of an engine's master, and here is none: back up the home directory instead.",
}


def working_on(dataset: Ref, everything: Iterable[Manifest]) -> list[Ref]:
    """The operations on a dataset that have not ended; those that run again and again never have."""
    return [
        Ref.of(each)
        for each in operations_of(dataset, everything)
        if each["spec"].get("policy") == "Cron"
        or (each.get("status") or {}).get("phase") not in ("Complete", "Failed")
        or each["metadata"].get("deletionTimestamp")
    ]


def runtime_of(dataset: Mapping[str, Any], everything: Iterable[Manifest]) -> Manifest | None:
    """The runtime of the same name and namespace; the one that is bound already before others."""
    metadata = dataset["metadata"]
    found = [
        each
        for each in everything
        if each["kind"].endswith("Runtime")
        and each["metadata"].get("namespace") == metadata["namespace"]
        and each["metadata"]["name"] == metadata["name"]
        and not each["metadata"].get("deletionTimestamp")
    ]
    bound = [each["type"] for each in (dataset.get("status") or {}).get("runtimes") or ()]
    found.sort(key=lambda each: each["kind"].removesuffix("Runtime").lower() not in bound)
    return found[0] if found else None


def unsupported_reason(operation: Mapping[str, Any]) -> str:
    """Why the embedded plane cannot do an operation; "" when it can."""
    kind = operation["kind"]
    return "" if kind in _SUPPORTED else f"the embedded plane does no {kind}: {_WHY[kind]}"
