"""Which nodes the workers of new datasets are tied to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from datafluid.errors import Unschedulable
from datafluid.placement.capability import headroom
from datafluid.placement.fitting import fit
from datafluid.placement.inventory import Inventory, InventoryNode
from datafluid.placement.planned import HOSTNAME, Pin, PlannedDataset, PodGroup
from datafluid.placement.resources import total

__all__ = ["Pinning", "counted", "pin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinning:
    """Nodes for datasets, and what is to be said of them."""

    pin: Pin
    notes: tuple[str, ...] = ()


def pin(
    datasets: Sequence[PlannedDataset],
    inventory: Inventory,
    nodes: Sequence[InventoryNode],
    groups: Sequence[PodGroup],
    *,
    slack: int,
) -> Pinning:
    """The nodes for one dataset, or for several that must meet.

    Those come first that have room for a worker of each and a pod of the workload, and of them the ones whose disks can
    hold the tiers. Several datasets meet for certain only on as many nodes as they have workers, so there is no slack.

    Args:
        nodes: Where the workload fits, or runs.
        groups: The workload's pods that have yet to find room; none when it runs.

    Raises:
        Unschedulable: a worker fits on no node; or one is required and fits on too few.
    """
    names = " and ".join(each.id for each in datasets)
    required = any(each.locality == "require" for each in datasets)
    able, reasons = _able(datasets, inventory)
    wanted = {node.name for node in nodes}
    near = [node for node in able if node.name in wanted]
    both = _with_room(near, datasets, groups)
    count = max(each.workers for each in datasets)
    if not able or (required and (not both or len(able) < count)):
        what = f"{count} workers of {names} together with the workload" if able else f"workers of {names}"
        raise Unschedulable(
            f"{what} find no room{counted(reasons)}.",
            hint="Ask for fewer or smaller workers, prefer the cache rather than require it, or add nodes.",
            reasons=reasons,
        )
    if len(datasets) > 1:
        chosen = _capable(both, datasets, groups, count)[:count]
        if len(chosen) < count:
            raise Unschedulable(
                f"{names} must meet, and only {len(chosen)} nodes have room for {count} workers of each.",
                hint=f"Set replicas to {len(chosen)}.",
                reasons=reasons,
            )
    else:
        # Where a cache is required every worker shall be of use; only those that find no such node go elsewhere.
        enough = count if required and len(both) < count + slack else count + slack
        chosen = _capable(both, datasets, groups, enough)
        known = {node.name for node in both}
        others = [*(n for n in near if n.name not in known), *(n for n in able if n.name not in wanted)]
        chosen += others[: max(0, enough - len(chosen))]
    return Pinning(
        pin=Pin(hostnames=tuple(node.labels[HOSTNAME] for node in chosen)),
        notes=tuple(_notes(names, datasets, chosen, both, count)),
    )


def _able(datasets: Sequence[PlannedDataset], inventory: Inventory) -> tuple[list[InventoryNode], Mapping[str, int]]:
    """The nodes that fit a worker of each dataset and can be named, and what is in the way on the others."""
    able = [node for node in inventory.nodes if HOSTNAME in node.labels]
    reasons: dict[str, int] = {}
    for each in datasets:
        found = fit(each.worker, inventory)
        fitting = {node.name for node in found.nodes}
        able = [node for node in able if node.name in fitting]
        for reason, nodes in found.reasons.items():
            reasons[reason] = max(nodes, reasons.get(reason, 0))
    return able, reasons


def _with_room(
    nodes: Iterable[InventoryNode], datasets: Sequence[PlannedDataset], groups: Sequence[PodGroup]
) -> list[InventoryNode]:
    """The nodes where a worker of each dataset and one pod of some role fit at the same time."""
    workers = total(each.worker.requests for each in datasets)
    asked = [total((workers, group.needs.requests)) for group in groups] or [workers]
    return [node for node in nodes if any(node.room(each) for each in asked)]


def _capable(
    nodes: Sequence[InventoryNode], datasets: Sequence[PlannedDataset], groups: Sequence[PodGroup], wanted: int
) -> list[InventoryNode]:
    """The nodes whose disks can hold the tiers; while those are too few also those of which nothing is known, then all.

    Among equals nodes with GPUs and the like come last when nobody here asks for them: others need them.
    """
    levels = [level for each in datasets for level in each.levels]
    asked = {name for each in groups for name, amount in each.needs.requests.items() if amount}
    classes: dict[tuple[int, bool], list[tuple[float, int, InventoryNode]]] = {}
    for number, node in enumerate(nodes):
        left = headroom(node.report, levels)
        capable = 1 if left is None else 0 if left >= 0 else 2
        wasted = any(amount and name not in asked and "/" in name for name, amount in node.allocatable.items())
        classes.setdefault((capable, wasted), []).append((-(left or 0.0), number, node))
    chosen: list[InventoryNode] = []
    for _, members in sorted(classes.items(), key=lambda item: item[0]):
        if len(chosen) >= wanted:
            break
        chosen += [node for _, _, node in sorted(members, key=lambda member: member[:2])]
    return chosen


def _notes(
    names: str,
    datasets: Sequence[PlannedDataset],
    chosen: Sequence[InventoryNode],
    both: Sequence[InventoryNode],
    count: int,
) -> Iterator[str]:
    levels = [level for each in datasets for level in each.levels]
    yield f"The workers of {names} are tied to {len(chosen)} nodes."
    left = [headroom(node.report, levels) for node in chosen]
    if unknown := sum(each is None for each in left):
        yield f"The free disk space of {unknown} of these nodes is not known: no agent tells of it."
    if full := sum(each is not None and each < 0 for each in left):
        yield f"{full} of these nodes have not enough free disk space for the tiers of {names}."
    known = {node.name for node in both}
    if without := sum(node.name not in known for node in chosen):
        yield f"{without} of these nodes have no room for the workload beside a worker."
    if len(chosen) < count:
        yield f"{names} asks for {count} workers, and only {len(chosen)} find a node."


def counted(reasons: Mapping[str, int]) -> str:
    """Reasons as the end of a sentence."""
    return f": {', '.join(f'{reason} ({nodes} nodes)' for reason, nodes in reasons.items())}" if reasons else ""
