"""Reading a cluster for the planner, and a workload's pods as the planner asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from datafluid.errors import DatafluidError, Forbidden, NotFound, Unsupported
from datafluid.model.node_report import AGENT_NAMESPACE, REPORT_LABELS, NodeReport
from datafluid.placement import Inventory, NodeAffinity, PodGroup, PodNeeds
from datafluid.plane.port import Manifest
from datafluid.workload.kinds import workload_kind
from datafluid.workload.places import pod_places

__all__ = ["Lists", "pod_groups", "read_inventory", "read_reports", "requires"]


class Lists(Protocol):
    """A plane that can be asked for all objects of a kind."""

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""


def read_inventory(plane: Lists) -> tuple[Inventory | None, list[str]]:
    """The nodes and their pods, and what could not be read. None when nodes cannot be seen at all."""
    try:
        nodes, pods = plane.list("v1/Node"), plane.list("v1/Pod")
    except (Forbidden, Unsupported) as error:
        return None, [f"Nothing was planned, so caches go where Fluid puts them: {error.message}"]
    if not nodes:
        return None, ["Nothing was planned: the cluster has no node yet."]
    reports, notes = read_reports(plane)
    return Inventory.of(nodes, pods, reports=reports), notes


def read_reports(plane: Lists) -> tuple[list[NodeReport], list[str]]:
    """What agents told of their nodes, and what could not be read."""
    try:
        found = plane.list("v1/ConfigMap", namespace=AGENT_NAMESPACE, selector=REPORT_LABELS)
    except (Forbidden, NotFound, Unsupported) as error:
        return [], [f"What agents tell of disks cannot be read: {error.message}"]
    reports, notes = [], []
    for manifest in found:
        try:
            reports.append(NodeReport.of_config_map(manifest))
        except DatafluidError as error:
            notes.append(f"ConfigMap {manifest['metadata']['name']} is left out: {error.message}")
    return reports, notes


def pod_groups(workload: Manifest, keys: Iterable[str]) -> list[PodGroup]:
    """The pods of a workload, without what ties them to caches that are not there yet.

    Args:
        keys: The node labels of those caches.

    Raises:
        Invalid: the workload's pods are not what Kubernetes takes.
    """
    namespace = workload["metadata"]["namespace"]
    keys = frozenset(keys)
    groups: list[PodGroup] = []
    for place in pod_places(workload):
        needs = PodNeeds.of(place.pod(workload), namespace=namespace)
        role = place.role if all(place.role != each.role for each in groups) else f"{place.role} {len(groups) + 1}"
        count = place.count(workload) if workload_kind(workload) is not None else 1
        groups.append(PodGroup(role=role, needs=replace(needs, affinity=_without(needs.affinity, keys)), count=count))
    return groups


def requires(workload: Manifest, key: str, claim: str) -> bool:
    """Whether some pods of the workload can only be on nodes with a label, or ask the webhook for that."""
    for place in pod_places(workload):
        pod = place.pod(workload)
        if pod["metadata"].get("labels", {}).get(f"fluid.io/dataset.{claim}.sched") == "required":
            return True
        required = NodeAffinity.of(pod["spec"]).required
        if required and all(any(each.key == key for each in term.expressions) for term in required):
            return True
    return False


def _without(affinity: NodeAffinity, keys: frozenset[str]) -> NodeAffinity:
    """The same with no condition on these labels; when a term had no other, any node will do."""
    if affinity.required is None:
        return affinity
    freed = [
        replace(term, expressions=tuple(each for each in term.expressions if each.key not in keys))
        for term in affinity.required
    ]
    anything = any(before and not after for before, after in zip(affinity.required, freed, strict=True))
    return replace(affinity, required=None if anything else tuple(freed))
