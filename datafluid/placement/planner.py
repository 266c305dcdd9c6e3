"""Where a workload and the caches of its datasets can be together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from datafluid.errors import Invalid, Unschedulable
from datafluid.placement.fitting import Fit, fit
from datafluid.placement.inventory import Inventory, InventoryNode, RunningPod
from datafluid.placement.pins import counted, pin
from datafluid.placement.placing import place, reached
from datafluid.placement.planned import Pin, Plan, PlannedDataset, PodGroup
from datafluid.placement.podneeds import PodNeeds
from datafluid.placement.resources import Amounts, total
from datafluid.placement.rules import rules_of
from datafluid.placement.workeraffinity import is_exclusive

__all__ = ["plan"]

_Fits = Mapping[str, Fit]


def plan(
    inventory: Inventory,
    groups: Sequence[PodGroup],
    datasets: Sequence[PlannedDataset],
    *,
    slack: int = 1,
    follow: bool = False,
) -> Plan:
    """Find the nodes where a workload fits, and tie the caches of its new datasets to them.

    Nodes are kept where the workload fits (requests, taints, GPUs, ports, the pods that are there, spread constraints);
    of those the ones are taken whose disks can hold the cache, as far as agents tell. A dataset that is there is never
    tied anew. Preemption, volumes that belong to a zone, and LimitRanges are not looked at.

    Args:
        groups: The pods of the workload.
        datasets: What it reads.
        slack: How many more nodes than workers a cache may choose from, at least.
        follow: The workload runs already, and its caches go where its pods are.

    Raises:
        Unschedulable: some pods, or a cache, fit on no node; carries the reasons, counted.
        Invalid: two required datasets can never be on one node.

    Example:
        >>> node = {"metadata": {"name": "n0", "labels": {"kubernetes.io/hostname": "n0"}}}
        >>> node["status"] = {"allocatable": {"cpu": "4", "pods": "110"}}
        >>> pods = PodGroup(role="pod", needs=PodNeeds.of({"spec": {"containers": []}}))
        >>> new = PlannedDataset(manifest={"metadata": {"name": "a"}}, runtime={"spec": {"replicas": 1}})
        >>> found = plan(Inventory.of([node]), [pods], [new])
        >>> found.nodes, found.pins["default/a"].hostnames
        (('n0',), ('n0',))
    """
    _refuse_apart(datasets)
    running = _running(groups, inventory) if follow else []
    fits = {} if running else {group.role: _fit(group, inventory, datasets) for group in groups}
    room, found_room = _fill(groups, fits, inventory)
    notes = [f"{found} of {count} {role} pods find room now." for role, (found, count) in room.items() if found < count]
    if follow and not running:
        notes.append("No pod of the workload runs yet, so its caches go where it fits.")
    nodes = running or (_by_roles(found_room.values()) if groups else list(inventory.nodes))
    if not groups:
        notes.append("The workload does not describe its pods, so its caches go to any node.")
    pins: dict[str, Pin] = {}
    for together, where in _pinned_together(datasets, nodes):
        found = pin(together, inventory, where, () if running else groups, slack=slack)
        pins |= {each.id: found.pin for each in together}
        notes += found.notes
    there = {
        each.id: _look_at(each, inventory, nodes, groups)
        for each in datasets
        if each.exists and each.workers and each.locality != "off"
    }
    notes += [note for each in there.values() for note in each.notes]
    return Plan(
        nodes=tuple(node.name for node in nodes),
        room=room,
        reasons={role: found.reasons for role, found in fits.items()},
        pins=pins,
        scale_out={name: each.workers for name, each in there.items() if each.workers is not None},
        notes=tuple(notes),
    )


def _refuse_apart(datasets: Sequence[PlannedDataset]) -> None:
    required = [each for each in datasets if each.locality == "require"]
    for each in required:
        others = [other for other in required if other.namespace == each.namespace and other.id != each.id]
        if others and is_exclusive(each.manifest):
            names = ", ".join(sorted({each.id, *(other.id for other in others)}))
            raise Invalid(
                f"{names} are all required, and {each.id} has its nodes for itself: they can never be on one node.",
                hint="Write `placement: Shared` in every one of these Datasets, or require one of them only.",
            )


def _fit(group: PodGroup, inventory: Inventory, datasets: Sequence[PlannedDataset]) -> Fit:
    """Where pods of a role fit; nodes without the cache of a required dataset are none, once some node has it."""
    found = fit(group.needs, inventory)
    nodes, later, reasons = found.nodes, found.later, dict(found.reasons)
    for each in datasets:
        if each.exists and each.locality == "require" and each.workers and inventory.holds(each.labels):
            key = each.labels.dataset
            holding = tuple(node for node in nodes if node.labels.get(key) == "true")
            if missing := len(nodes) - len(holding):
                reasons[f"no cache of {each.id}"] = missing
            nodes, later = holding, tuple(node for node in later if node.labels.get(key) == "true")
    if not nodes:
        whose = "its" if group.role == "pod" else group.role
        raise Unschedulable(
            f"{whose} pods fit on none of {len(inventory.nodes)} nodes{counted(reasons)}.",
            hint="Ask for less, tolerate the taints, scale the required datasets out, or add nodes.",
            reasons=reasons,
        )
    return Fit(nodes=nodes, later=later, reasons=reasons)


def _fill(
    groups: Sequence[PodGroup], fits: _Fits, inventory: Inventory
) -> tuple[dict[str, tuple[int, int]], dict[str, Sequence[InventoryNode]]]:
    """How many pods of each role find room beside those of the roles before it, and on which nodes they may be."""
    placed: list[RunningPod] = []
    taken: dict[str, Amounts] = {}
    room: dict[str, tuple[int, int]] = {}
    nodes: dict[str, Sequence[InventoryNode]] = {}
    for group in groups:
        if (found := fits.get(group.role)) is None:
            continue
        count = len(found.nodes) if group.count is None else group.count
        before, rules = (rules_of(group.needs, inventory, placed=placed) for _ in range(2))
        went = place(group.needs, (*found.nodes, *found.later), rules, count=count, taken=taken)
        more = reached(found.later, went, before=before, after=rules) if found.later else ()
        room[group.role], nodes[group.role] = (len(went), count), (*found.nodes, *more)
        for node in went:
            placed.append(RunningPod(name=group.role, node=node.name, needs=group.needs))
            taken[node.name] = total((taken.get(node.name, {}), group.needs.requests))
    return room, nodes


def _by_roles(roles_nodes: Iterable[Sequence[InventoryNode]]) -> list[InventoryNode]:
    """Every node that fits some role, those that fit most first."""
    roles: dict[str, int] = {}
    nodes: dict[str, InventoryNode] = {}
    for found in roles_nodes:
        for node in found:
            nodes[node.name] = node
            roles[node.name] = roles.get(node.name, 0) + 1
    return sorted(nodes.values(), key=lambda node: -roles[node.name])


def _running(groups: Sequence[PodGroup], inventory: Inventory) -> list[InventoryNode]:
    """The nodes where pods of the workload are: by the labels that its templates give them."""
    wanted = [group.needs for group in groups if group.needs.labels]

    def is_one(pod: PodNeeds) -> bool:
        return any(each.namespace == pod.namespace and each.labels.items() <= pod.labels.items() for each in wanted)

    return [node for node in inventory.nodes if any(is_one(pod.needs) and not pod.leaving for pod in node.pods)]


def _pinned_together(
    datasets: Sequence[PlannedDataset], nodes: Sequence[InventoryNode]
) -> Iterator[tuple[list[PlannedDataset], Sequence[InventoryNode]]]:
    """New datasets, those that must meet in one, each with the nodes where it should be."""
    new = [each for each in datasets if not each.exists and each.workers]
    required = [each for each in new if each.locality == "require"]
    if required:
        yield required, nodes
    for each in new:
        if each.locality != "require":
            yield [each], nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class _There:
    """What is to be said of a dataset that is there."""

    notes: tuple[str, ...]
    workers: int | None = None


def _look_at(
    dataset: PlannedDataset, inventory: Inventory, nodes: Sequence[InventoryNode], groups: Sequence[PodGroup]
) -> _There:
    """How much of the workload can be beside its cache, and with how many workers all of it could."""
    key = dataset.labels.dataset
    holding = sum(node.labels.get(key) == "true" for node in inventory.nodes)
    usable = [node for node in nodes if node.labels.get(key) == "true"]
    told = f"{dataset.id} is there, on {holding} nodes, {len(usable)} of which can take the workload."
    pods = sum(len(nodes) if group.count is None else group.count for group in groups)
    room = sum(min((node.room(group.needs.requests) for group in groups), default=0) for node in usable)
    others = [node for node in nodes if node.labels.get(key) != "true"]
    if room >= pods or not holding or not others:
        return _There(notes=(told,))
    each = sum(min((node.room(group.needs.requests) for group in groups), default=0) for node in others) / len(others)
    more = min(ceil((pods - room) / max(1.0, each)), len(others))
    workers = max(dataset.workers, holding) + more
    why = f"Beside its cache {room} of {pods} pods find room: scale {dataset.id} out to {workers} workers."
    return _There(notes=(told, why), workers=workers)
