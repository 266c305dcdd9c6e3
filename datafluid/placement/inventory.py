"""The nodes of a cluster as values: what they have, what is taken, and which pods are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.node_report import NodeReport
from datafluid.model.plain import as_list, as_map
from datafluid.placement.labels import DatasetLabels
from datafluid.placement.podneeds import PodNeeds
from datafluid.placement.resources import Amounts, amounts
from datafluid.placement.taints import Taint, taints_of

__all__ = ["Inventory", "InventoryNode", "RunningPod"]

_OVER = ("Succeeded", "Failed")
_WISHES = ("affinity", "nodeSelector", "topologySpreadConstraints", "tolerations")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningPod:
    """A pod that is on a node.

    Args:
        leaving: Whether it is being deleted: it still takes what it has, but nobody spreads because of it.
    """

    name: str
    node: str
    needs: PodNeeds
    leaving: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryNode:
    """A node, with what is free on it.

    Args:
        allocatable: What pods can have of it at all.
        free: What of that no pod has.
        ready: Whether its kubelet says so.
        pods: The pods on it.
        report: What its agent tells of its disks; None: there is no agent, and nothing is known.

    Example:
        >>> node = InventoryNode.of({"metadata": {"name": "n0"}, "status": {"allocatable": {"cpu": "4"}}})
        >>> node.free["cpu"], node.report
        (4000, None)
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    allocatable: Mapping[str, int] = field(default_factory=dict)
    free: Mapping[str, int] = field(default_factory=dict)
    ready: bool = True
    pods: tuple[RunningPod, ...] = ()
    report: NodeReport | None = None

    @classmethod
    def of(
        cls, manifest: Mapping[str, Any], *, pods: Iterable[RunningPod] = (), report: NodeReport | None = None
    ) -> InventoryNode:
        """Read a Node of Kubernetes.

        Raises:
            Invalid: its quantities are none.
        """
        metadata, status = as_map(manifest.get("metadata")), as_map(manifest.get("status"))
        allocatable = amounts(status.get("allocatable") or status.get("capacity"))
        pods = tuple(pods)
        return cls(
            name=str(metadata.get("name")),
            labels=as_map(metadata.get("labels")),
            taints=taints_of(as_map(manifest.get("spec"))),
            allocatable=allocatable,
            free=_left(allocatable, pods),
            ready=_is_ready(status),
            pods=pods,
            report=report,
        )

    def room(self, requests: Mapping[str, int]) -> int:
        """How many pods with these requests it can still take, by its resources alone."""
        free = self.free
        return max(0, min(free.get(name, 0) // amount for name, amount in requests.items() if amount))

    def without(self, taken: Mapping[str, int]) -> Amounts:
        """What is free when that is taken too."""
        return {name: amount - taken.get(name, 0) for name, amount in self.free.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All nodes at one moment.

    Example:
        >>> node = {"metadata": {"name": "n0"}, "status": {"allocatable": {"cpu": "4", "pods": "110"}}}
        >>> taking = {"containers": [{"resources": {"limits": {"cpu": 1}}}]}
        >>> pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n0", **taking}}
        >>> Inventory.of([node], [pod]).nodes[0].free
        {'cpu': 3000, 'pods': 109}
    """

    nodes: tuple[InventoryNode, ...]

    @classmethod
    def of(
        cls,
        nodes: Iterable[Mapping[str, Any]],
        pods: Iterable[Mapping[str, Any]] = (),
        *,
        reports: Iterable[NodeReport] = (),
    ) -> Inventory:
        """Read the Nodes and the Pods of a cluster.

        Args:
            pods: All of them; those that are over, or on no node yet, are left out.
            reports: What agents told.

        Raises:
            Invalid: an object is not what an API server would hold.
        """
        there: dict[str, list[RunningPod]] = {}
        for pod in pods:
            if (running := _running(pod)) is not None:
                there.setdefault(running.node, []).append(running)
        told = {report.node: report for report in reports}
        return cls(
            nodes=tuple(
                InventoryNode.of(each, pods=there.get(name, ()), report=told.get(name))
                for each in nodes
                for name in [str(as_map(each.get("metadata")).get("name"))]
            )
        )

    @property
    def pods(self) -> Iterable[RunningPod]:
        """Every pod that is on a node."""
        return (pod for node in self.nodes for pod in node.pods)

    def holds(self, labels: DatasetLabels) -> bool:
        """Whether some node has a part of a dataset's cache."""
        return any(node.labels.get(labels.dataset) == "true" for node in self.nodes)


def _running(pod: Mapping[str, Any]) -> RunningPod | None:
    """A pod that is on a node. Where it wanted to be does not matter any more, whom it keeps away does."""
    metadata, spec = as_map(pod.get("metadata")), as_map(pod.get("spec"))
    node = spec.get("nodeName")
    if not node or as_map(pod.get("status")).get("phase") in _OVER:
        return None
    apart = {"podAntiAffinity": as_map(spec.get("affinity")).get("podAntiAffinity")}
    settled = {key: value for key, value in spec.items() if key not in _WISHES} | {"affinity": apart}
    try:
        needs = PodNeeds.of({"metadata": metadata, "spec": settled})
    except Invalid as error:
        raise Invalid(f"pod {metadata.get('name')!r}: {error.message}", hint=error.hint) from None
    return RunningPod(
        name=str(metadata.get("name")), node=str(node), needs=needs, leaving=bool(metadata.get("deletionTimestamp"))
    )


def _left(allocatable: Amounts, pods: Iterable[RunningPod]) -> Amounts:
    left = dict(allocatable)
    for pod in pods:
        for name, amount in pod.needs.requests.items():
            left[name] = left.get(name, 0) - amount
    return left


def _is_ready(status: Mapping[str, Any]) -> bool:
    conditions = [as_map(each) for each in as_list(status.get("conditions"))]
    return all(each.get("status") == "True" for each in conditions if each.get("type") == "Ready")
