"""Where data and workloads meet: node labels, affinity, and the plan for both. Pure functions over values."""

from __future__ import annotations

# Not lazy: the function must stand where its module would, and it costs next to nothing.
from datafluid.placement.affinity import NodeAffinity, Preference
from datafluid.placement.labels import RUNTIME_TYPES, DatasetLabels, labels
from datafluid.placement.selector import Requirement, Term
from datafluid.placement.terms import dataset_term, fuse_term, prefer_dataset, require_dataset

__all__ = [
    "RUNTIME_TYPES",
    "DatasetLabels",
    "NodeAffinity",
    "Preference",
    "Requirement",
    "Term",
    "dataset_term",
    "fuse_term",
    "labels",
    "prefer_dataset",
    "require_dataset",
]
