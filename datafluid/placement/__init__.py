"""Where data and workloads meet: node labels, affinity, and the plan for both. Pure functions over values."""

from __future__ import annotations

# Not lazy: the function must stand where its module would, and it costs next to nothing.
from datafluid.placement.labels import RUNTIME_TYPES, DatasetLabels, labels

__all__ = ["RUNTIME_TYPES", "DatasetLabels", "labels"]
