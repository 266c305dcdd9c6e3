"""Who belongs to whom among Fluid's objects, read from manifests: references, and the operations on a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref

__all__ = ["operation_datasets", "operations_of", "physical_refs", "reference_target", "references_to"]

_SCHEME = "dataset://"


def physical_refs(dataset: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Namespace and name of each dataset that this one refers to by a ``dataset://`` mount."""
    found = (reference_target(mount.get("mountPoint", "")) for mount in dataset["spec"].get("mounts") or ())
    return list(dict.fromkeys((target[0], target[1]) for target in found if target is not None))


def reference_target(url: str) -> tuple[str, str, str] | None:
    """Namespace, name and sub path of a ``dataset://`` mount point; None for another one.

    Example:
        >>> reference_target("dataset://team/imagenet/train")
        ('team', 'imagenet', 'train')
    """
    if not url.startswith(_SCHEME):
        return None
    parts = [part for part in url.removeprefix(_SCHEME).split("/") if part]
    return (parts[0], parts[1], "/".join(parts[2:])) if len(parts) > 1 else (parts[0] if parts else "", "", "")


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


def operations_of(dataset: Ref, everything: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The operations on a dataset."""
    wanted = (dataset.namespace, dataset.name)
    for each in everything:
        if each["kind"] in OPERATION_KINDS and wanted in operation_datasets(each):
            yield each


def references_to(dataset: Ref, everything: Iterable[dict[str, Any]]) -> Iterator[str]:
    """``namespace/name`` of each dataset that mounts this one by ``dataset://``."""
    for each in everything:
        if each["kind"] == "Dataset" and (dataset.namespace, dataset.name) in physical_refs(each):
            yield f"{each['metadata']['namespace']}/{each['metadata']['name']}"
