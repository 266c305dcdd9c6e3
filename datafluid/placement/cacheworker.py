"""The pods that hold a dataset's cache, as Fluid makes them: what the planner must find room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.model.kinds import KINDS
from datafluid.model.plain import as_list, as_map, as_text
from datafluid.model.quantity import parse_quantity
from datafluid.model.tiers import tier_levels
from datafluid.placement.workeraffinity import PLACEMENT_LABEL, WORKER_LABEL, is_exclusive, worker_affinity

__all__ = ["worker_count", "worker_pod"]


def worker_count(runtime: Mapping[str, Any] | None) -> int:
    """How many nodes shall hold the cache: none where the workers are switched off, or a ThinRuntime has none."""
    spec = as_map(as_map(runtime).get("spec"))
    worker = as_map(spec.get("worker"))
    if worker.get("disabled") or (as_map(runtime).get("kind") == "ThinRuntime" and not worker.get("enabled")):
        return 0
    said = spec.get("replicas", worker.get("replicas"))
    return said if isinstance(said, int) and not isinstance(said, bool) else 1


def worker_pod(dataset: Mapping[str, Any], runtime: Mapping[str, Any] | None) -> dict[str, Any]:
    """A worker pod, with all that decides where it can be: requests, tolerations, selector, affinity.

    What a MEM level may hold counts as a request for memory, as it does in Fluid's charts.
    """
    metadata, spec = as_map(dataset.get("metadata")), as_map(dataset.get("spec"))
    runtime_spec = as_map(as_map(runtime).get("spec"))
    worker = as_map(runtime_spec.get("worker"))
    kind = KINDS.get(as_text(as_map(runtime).get("kind")))
    memory = sum(level.quota for level in tier_levels(runtime) if level.medium == "MEM")
    pod: dict[str, Any] = {
        "tolerations": as_list(spec.get("tolerations")),
        "nodeSelector": as_map(worker.get("nodeSelector")),
        "affinity": worker_affinity(dataset, runtime_type=kind.runtime_type or "" if kind else ""),
        "containers": [
            {"resources": _with_memory(as_map(worker.get("resources")), memory)},
            {"resources": as_map(as_map(runtime_spec.get("jobWorker")).get("resources"))},
        ],
    }
    labels = {
        WORKER_LABEL: f"{metadata.get('namespace') or 'default'}-{metadata.get('name')}",
        PLACEMENT_LABEL: "Exclusive" if is_exclusive(dataset) else "Shared",
    }
    return {"metadata": {"namespace": metadata.get("namespace") or "default", "labels": labels}, "spec": pod}


def _with_memory(resources: Mapping[str, Any], memory: int) -> dict[str, Any]:
    requests = {**as_map(resources.get("limits")), **as_map(resources.get("requests"))}
    if memory > parse_quantity(requests.get("memory", 0)):
        requests["memory"] = memory
    return {"requests": requests}
