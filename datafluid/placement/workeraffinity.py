"""Where Fluid lets the workers of a dataset run: away from other datasets, and near its FUSE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.placement.affinity import PREFERRED, REQUIRED, Preference
from datafluid.placement.labels import labels
from datafluid.placement.selector import Requirement
from datafluid.placement.terms import NODE_WEIGHT, fuse_term

__all__ = ["PLACEMENT_LABEL", "WORKER_LABEL", "cache_affinity", "is_exclusive", "worker_affinity"]

#: On every worker pod of a dataset; its value is the dataset's id.
WORKER_LABEL = "fluid.io/dataset"
#: On every worker pod: ``Exclusive`` or ``Shared``.
PLACEMENT_LABEL = "fluid.io/dataset-placement"
_HOSTNAME = "kubernetes.io/hostname"
_SPREAD_WEIGHT = 50


def is_exclusive(dataset: Mapping[str, Any]) -> bool:
    """Whether a node may hold this dataset only; that is what Fluid does when nothing is said."""
    return as_map(dataset.get("spec")).get("placement") != "Shared"


def worker_affinity(
    dataset: Mapping[str, Any], *, runtime_type: str, existing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The affinity of a dataset's worker pods.

    The anti-affinity names no namespaces, so workers of another namespace may share a node even with an
    exclusive dataset.

    Args:
        dataset: The dataset: its placement and ``nodeAffinity.required`` count.
        runtime_type: ``alluxio``, ``efc``, ...
        existing: What the pods have already. Then Fluid adds nothing, even if it is empty.

    Example:
        >>> dataset = {"metadata": {"namespace": "team", "name": "flights"}, "spec": {"placement": "Exclusive"}}
        >>> worker_affinity(dataset, runtime_type="alluxio")["nodeAffinity"]
        {'preferredDuringSchedulingIgnoredDuringExecution': [{'weight': 100, 'preference': \
{'matchExpressions': [{'key': 'fluid.io/f-team-flights', 'operator': 'In', 'values': ['true']}]}}]}
    """
    if existing is not None:
        return dict(existing)
    metadata = as_map(dataset.get("metadata"))
    uid = as_text(metadata.get("uid")) or None
    keys = labels(as_text(metadata.get("namespace")) or "default", as_text(metadata.get("name")), uid=uid)
    node: dict[str, Any] = {PREFERRED: [Preference(weight=NODE_WEIGHT, term=fuse_term(keys)).manifest()]}
    if (required := look(dataset, ("spec", "nodeAffinity", "required"))) is not None:
        node[REQUIRED] = required
    return {"nodeAffinity": node, "podAntiAffinity": _apart(exclusive=is_exclusive(dataset), runtime_type=runtime_type)}


def cache_affinity(affinity: Mapping[str, Any], node_selector: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What Fluid writes to ``status.cacheAffinity`` of a runtime: its workers' node affinity and selector in one.

    Without constraints of the user the list of terms is empty, which no pod may have.

    Args:
        affinity: The workers'.
        node_selector: The workers'.

    Example:
        >>> cache_affinity({}, {"disk": "ssd"})["requiredDuringSchedulingIgnoredDuringExecution"]
        {'nodeSelectorTerms': [{'matchExpressions': [{'key': 'disk', 'operator': 'In', 'values': ['ssd']}]}]}
    """
    node = as_map(affinity.get("nodeAffinity"))
    selector = [
        Requirement(key=key, values=(value,)).manifest() for key, value in sorted((node_selector or {}).items())
    ]
    terms = [dict(as_map(term)) for term in as_list(as_map(node.get(REQUIRED)).get("nodeSelectorTerms"))]
    if selector:
        terms = [
            {**term, "matchExpressions": [*as_list(term.get("matchExpressions")), *selector]} for term in terms or [{}]
        ]
    return {**node, REQUIRED: {"nodeSelectorTerms": terms}}


def _apart(*, exclusive: bool, runtime_type: str) -> dict[str, Any]:
    """Shared workers keep away from exclusive ones, and would rather be alone; EFC's would not."""
    any_dataset = _beside({"key": WORKER_LABEL, "operator": "Exists"})
    if exclusive:
        return {REQUIRED: [any_dataset]}
    apart = {REQUIRED: [_beside({"key": PLACEMENT_LABEL, "operator": "In", "values": ["Exclusive"]})]}
    if runtime_type == "efc":
        return apart
    return {**apart, PREFERRED: [{"weight": _SPREAD_WEIGHT, "podAffinityTerm": any_dataset}]}


def _beside(other: Mapping[str, Any]) -> dict[str, Any]:
    return {"labelSelector": {"matchExpressions": [dict(other)]}, "topologyKey": _HOSTNAME}
