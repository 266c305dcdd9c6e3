"""What Fluid knows and its schemas do not say: tables that several rules share."""

from __future__ import annotations

from difflib import get_close_matches

from datafluid.model.kinds import API_VERSION, KINDS
from datafluid.model.lint.subject import Scope, Subject, as_map, as_text
from datafluid.model.names import OPERATION_KINDS

__all__ = [
    "ACCESS_MODES",
    "FLUID_API",
    "FLUID_KINDS",
    "OPERATIONS",
    "REFERENCE_SCHEME",
    "RUNTIMES",
    "SUPPORTED",
    "closest",
    "is_reference",
    "labels_no_node",
    "mount_points",
    "runtimes_of",
    "target_dataset",
]

FLUID_API = API_VERSION
REFERENCE_SCHEME = "dataset://"
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")

FLUID_KINDS = tuple(KINDS)
OPERATIONS = OPERATION_KINDS

#: Kind of runtime -> the type that label keys and ``status.runtimes`` call it by.
RUNTIMES = {name: kind.runtime_type for name, kind in KINDS.items() if kind.runtime_type is not None}

#: Which operations a runtime's engine can do; a reference dataset can do none.
SUPPORTED = {runtime: tuple(each for each in OPERATIONS if each in KINDS[runtime].operations) for runtime in RUNTIMES}


def closest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known word that was probably meant.

    Example:
        >>> closest("OnDemnad", ["OnDemand", "OnRuntimeDeleted"])
        'OnDemand'
    """
    folded = {each.lower(): each for each in known}
    matches = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.7)
    return folded[matches[0]] if matches else None


def mount_points(dataset: Subject) -> list[str]:
    """The mount points of a dataset, those that are strings."""
    return [as_text(mount.get("mountPoint")) for _, mount in dataset.maps("spec", "mounts")]


def is_reference(dataset: Subject) -> bool:
    """Whether it refers to another dataset instead of mounting a store."""
    return any(point.startswith(REFERENCE_SCHEME) for point in mount_points(dataset))


def runtimes_of(dataset: Subject, scope: Scope) -> list[Subject]:
    """The runtimes of a dataset, those of its name and namespace: of the source, else of the cluster."""
    return scope.there(RUNTIMES, dataset.namespace, dataset.name)


def target_dataset(operation: Subject) -> tuple[str, str]:
    """Namespace and name of the dataset that an operation works on; for a DataMigrate the one it names."""
    spec = operation.spec
    if operation.kind == "DataBackup":
        return operation.namespace, as_text(spec.get("dataset"))
    if operation.kind == "DataMigrate":
        sides = (as_map(as_map(spec.get(side)).get("dataset")) for side in ("from", "to"))
        reference = next((side for side in sides if side), {})
    else:
        reference = dict(as_map(spec.get("dataset")))
    return as_text(reference.get("namespace")) or operation.namespace, as_text(reference.get("name"))


def labels_no_node(dataset: Subject, scope: Scope) -> str | None:
    """Why no node will ever carry the dataset's label, as a clause; None when one may."""
    if is_reference(dataset):
        return "it is a reference dataset, and nodes carry the label of the dataset it refers to"
    runtimes = runtimes_of(dataset, scope)
    if runtimes and all(_has_no_workers(runtime) for runtime in runtimes):
        return "its ThinRuntime has no workers"
    return None


def _has_no_workers(runtime: Subject) -> bool:
    return runtime.kind == "ThinRuntime" and runtime.at("spec", "worker", "enabled") is not True
