"""The pods that hold a dataset's cache, as Fluid makes them: what the planner must find room for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.model.plain import as_list, as_map
from datafluid.model.quantity import parse_quantity
from datafluid.model.tiers import tier_levels

__all__ = ["PLACEMENT_LABEL", "WORKER_LABEL", "is_exclusive", "worker_count", "worker_pod"]

#: On every worker pod of a dataset; its value is the dataset's id.
WORKER_LABEL = "fluid.io/dataset"
#: On every worker pod: ``Exclusive`` or ``Shared``.
PLACEMENT_LABEL = "fluid.io/dataset-placement"
_HOSTNAME = "kubernetes.io/hostname"


def is_exclusive(dataset: Mapping[str, Any]) -> bool:
    """Whether a node may hold this dataset only; that is what Fluid does when nothing is said."""
    return as_map(dataset.get("spec")).get("placement") != "Shared"


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
    mode = "Exclusive" if is_exclusive(dataset) else "Shared"
    memory = sum(level.quota for level in tier_levels(runtime) if level.medium == "MEM")
    pod: dict[str, Any] = {
        "tolerations": as_list(spec.get("tolerations")),
        "nodeSelector": as_map(worker.get("nodeSelector")),
        "affinity": {"podAntiAffinity": _apart(mode)},
        "containers": [
            {"resources": _with_memory(as_map(worker.get("resources")), memory)},
            {"resources": as_map(as_map(runtime_spec.get("jobWorker")).get("resources"))},
        ],
    }
    if (required := as_map(spec.get("nodeAffinity")).get("required")) is not None:
        pod["affinity"]["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": required}
    labels = {
        WORKER_LABEL: f"{metadata.get('namespace') or 'default'}-{metadata.get('name')}",
        PLACEMENT_LABEL: mode,
    }
    return {"metadata": {"namespace": metadata.get("namespace") or "default", "labels": labels}, "spec": pod}


def _apart(mode: str) -> dict[str, Any]:
    """Whose workers cannot be on the same node. No namespace is named, so it holds inside one only."""
    other = (
        {"key": WORKER_LABEL, "operator": "Exists"}
        if mode == "Exclusive"
        else {"key": PLACEMENT_LABEL, "operator": "In", "values": ["Exclusive"]}
    )
    term = {"labelSelector": {"matchExpressions": [other]}, "topologyKey": _HOSTNAME}
    return {"requiredDuringSchedulingIgnoredDuringExecution": [term]}


def _with_memory(resources: Mapping[str, Any], memory: int) -> dict[str, Any]:
    requests = {**as_map(resources.get("limits")), **as_map(resources.get("requests"))}
    if memory > parse_quantity(requests.get("memory", 0)):
        requests["memory"] = memory
    return {"requests": requests}
