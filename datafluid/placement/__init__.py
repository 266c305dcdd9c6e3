"""Where data and workloads meet: node labels, affinity, and the plan for both. Pure functions over values."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

# Not lazy: the function must stand where its module would, and it costs next to nothing.
from datafluid.placement.affinity import NodeAffinity, Preference
from datafluid.placement.labels import RUNTIME_TYPES, DatasetLabels, labels
from datafluid.placement.selector import Requirement, Term
from datafluid.placement.terms import dataset_term, fuse_term, prefer_dataset, require_dataset

if TYPE_CHECKING:
    from datafluid.placement.inventory import Inventory, InventoryNode
    from datafluid.placement.planned import Pin, Plan, PlannedDataset, PodGroup
    from datafluid.placement.planner import plan
    from datafluid.placement.podneeds import PodNeeds
    from datafluid.placement.workeraffinity import cache_affinity, worker_affinity

__all__ = [
    "RUNTIME_TYPES",
    "DatasetLabels",
    "Inventory",
    "InventoryNode",
    "NodeAffinity",
    "Pin",
    "Plan",
    "PlannedDataset",
    "PodGroup",
    "PodNeeds",
    "Preference",
    "Requirement",
    "Term",
    "cache_affinity",
    "dataset_term",
    "fuse_term",
    "labels",
    "plan",
    "prefer_dataset",
    "require_dataset",
    "worker_affinity",
]

_HOME_OF = {
    "Inventory": "inventory",
    "InventoryNode": "inventory",
    "Pin": "planned",
    "Plan": "planned",
    "PlannedDataset": "planned",
    "PodGroup": "planned",
    "PodNeeds": "podneeds",
    "cache_affinity": "workeraffinity",
    "plan": "planner",
    "worker_affinity": "workeraffinity",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
