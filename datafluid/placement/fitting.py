"""Whether a pod can be on a node: the scheduler's own questions, in its order. Preferences play no part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from datafluid.placement.inventory import Inventory, InventoryNode, RunningPod
from datafluid.placement.podneeds import PodNeeds, ports_clash
from datafluid.placement.rules import broken_rule, rules_of
from datafluid.placement.taints import Taint

__all__ = ["Fit", "fit"]

_TAINTED = "a taint that is not tolerated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Where one pod fits.

    Args:
        nodes: The nodes that could take it now, in the inventory's order.
        later: Those where only other pods are in the way: they may fit when more pods of its kind are placed.
        reasons: For all that are not in ``nodes`` the first thing that is in the way, and on how many nodes it is.
    """

    nodes: tuple[InventoryNode, ...]
    later: tuple[InventoryNode, ...] = ()
    reasons: Mapping[str, int]


def fit(needs: PodNeeds, inventory: Inventory, *, placed: Sequence[RunningPod] = ()) -> Fit:
    """The nodes that could take one pod now.

    Args:
        placed: Pods that will be there too; what they take is taken already.

    Example:
        >>> node = {"metadata": {"name": "n0"}, "status": {"allocatable": {"cpu": "1", "pods": "110"}}}
        >>> pod = {"spec": {"containers": [{"resources": {"requests": {"cpu": 2}}}]}}
        >>> fit(PodNeeds.of(pod), Inventory.of([node])).reasons
        {'too little cpu': 1}
    """
    why_not = _questions(needs)
    rules = rules_of(needs, inventory, placed=placed)
    found: list[InventoryNode] = []
    later: list[InventoryNode] = []
    reasons: dict[str, int] = {}
    for node in inventory.nodes:
        if (reason := why_not(node)) is None:
            reason = broken_rule(rules, node)
            (found if reason is None else later).append(node)
        if reason is not None:
            reasons[reason] = reasons.get(reason, 0) + 1
    return Fit(
        nodes=tuple(found),
        later=tuple(later),
        reasons=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )


def _questions(needs: PodNeeds) -> Callable[[InventoryNode], str | None]:
    """What keeps the pod off a node, whatever other pods are placed; None when nothing does."""
    requests = [(name, amount) for name, amount in needs.requests.items() if amount]
    taints: dict[tuple[Taint, ...], str | None] = {(): None}

    def repelling(node: InventoryNode) -> str | None:
        if node.taints not in taints:
            first = next((taint for taint in node.taints if not needs.tolerates(taint)), None)
            taints[node.taints] = f"{_TAINTED}: {first}" if first else None
        return taints[node.taints]

    def lacking(node: InventoryNode) -> str | None:
        free = node.free
        for name, amount in requests:
            if free.get(name, 0) < amount:
                return f"too little {name}"
        return "a host port that is taken" if needs.host_ports and _ports_taken(needs, node) else None

    def why_not(node: InventoryNode) -> str | None:
        if not node.ready:
            return "not ready"
        if needs.node_name not in (None, node.name):
            return "another node is named"
        if not needs.affinity.matches(node.labels, name=node.name):
            return "the node affinity or selector"
        return repelling(node) or lacking(node)

    return why_not


def _ports_taken(needs: PodNeeds, node: InventoryNode) -> bool:
    return any(
        ports_clash(mine, theirs) for pod in node.pods for theirs in pod.needs.host_ports for mine in needs.host_ports
    )
