"""Who belongs to whom: datasets, runtimes, operations, references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datafluid.engine.reconcile.mounts import physical_refs
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = [
    "operation_datasets",
    "operations_of",
    "predecessor_ref",
    "references_to",
    "runtime_of",
    "unsupported_reason",
    "working_on",
]

_SUPPORTED = ("DataLoad", "DataMigrate")
_WHY = {
    "DataProcess": "it runs containers, and one machine without a cluster runs none.",
    "DataBackup": "it saves the metadata of an engine's master, and here is none: back up the home directory instead.",
}


def operation_datasets(operation: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Namespace and name of every dataset that an operation works on, the one that owns it first.

    A namespace that is left out is the operation's own; Fluid's controllers wait for ever there.
    """
    own = operation["metadata"]["namespace"]
    spec = operation["spec"]
    if operation["kind"] == "DataBackup":
        return [(own, spec["dataset"])]
    if operation["kind"] == "DataMigrate":
        ends = [(spec.get(end) or {}).get("dataset") for end in ("to", "from")]
    else:
        ends = [spec.get("dataset")]
    found = [(end.get("namespace") or own, end["name"]) for end in ends if end and end.get("name")]
    return list(dict.fromkeys(found))


def operations_of(dataset: Ref, everything: Iterable[Manifest]) -> Iterator[Manifest]:
    """The operations on a dataset."""
    wanted = (dataset.namespace, dataset.name)
    for each in everything:
        if each["kind"] in OPERATION_KINDS and wanted in operation_datasets(each):
            yield each


def working_on(dataset: Ref, everything: Iterable[Manifest]) -> list[Ref]:
    """The operations on a dataset that have not ended; those that run again and again never have."""
    return [
        Ref.of(each)
        for each in operations_of(dataset, everything)
        if each["spec"].get("policy") == "Cron"
        or (each.get("status") or {}).get("phase") not in ("Complete", "Failed")
        or each["metadata"].get("deletionTimestamp")
    ]


def predecessor_ref(operation: Mapping[str, Any]) -> Ref | None:
    """What ``runAfter`` names."""
    after = operation["spec"].get("runAfter")
    if not after:
        return None
    return Ref(after["kind"], after["name"], after.get("namespace") or operation["metadata"]["namespace"])


def references_to(dataset: Ref, everything: Iterable[Manifest]) -> Iterator[str]:
    """``namespace/name`` of each dataset that mounts this one by ``dataset://``."""
    for each in everything:
        if each["kind"] == "Dataset" and (dataset.namespace, dataset.name) in physical_refs(each):
            yield f"{each['metadata']['namespace']}/{each['metadata']['name']}"


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
