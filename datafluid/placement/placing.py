"""How many pods of one kind fit together: place them one by one, the emptiest domains first."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence

from datafluid.placement.inventory import InventoryNode
from datafluid.placement.podneeds import PodNeeds
from datafluid.placement.rules import Rule, broken_rule

__all__ = ["place", "reached"]

_HOSTNAME = "kubernetes.io/hostname"
_Rank = Callable[[InventoryNode], float]


def place(
    needs: PodNeeds,
    nodes: Sequence[InventoryNode],
    rules: Sequence[Rule],
    *,
    count: int,
    taken: Mapping[str, Mapping[str, int]] | None = None,
    rank: _Rank = lambda node: 0.0,
) -> list[InventoryNode]:
    """Where pods would go if there were only they; fewer than asked for when there is no more room.

    Nodes with the same domains in all rules, apart from their own host name, form a cell; each pod looks at the cells
    and takes one node of the best, so the time grows with nodes plus pods times cells.

    Args:
        nodes: Those that fit one pod now or later, see `datafluid.placement.fitting.Fit`.
        rules: As they stand before the first pod; they are changed.
        count: How many pods.
        taken: What is taken of a node beyond what its pods have, by name.
        rank: The better node has the higher one.
    """
    room = {node.name: _room(node, needs, (taken or {}).get(node.name, {})) for node in nodes}
    own = [rule for rule in rules if rule.key == _HOSTNAME]
    shared = [rule for rule in rules if rule.key != _HOSTNAME]
    cells: dict[tuple[str | None, ...], _Cell] = {}
    for number, node in enumerate(nodes):
        if room[node.name]:
            cell = cells.setdefault(tuple(node.labels.get(rule.key) for rule in shared), _Cell(node, own))
            cell.add(node, (-rank(node), number))
    placed: list[InventoryNode] = []
    while len(placed) < count:
        found = _next([cell for cell in cells.values() if broken_rule(shared, cell.sample) is None], shared)
        if found is None:
            break
        placed.append(found)
        room[found.name] -= 1
        for rule in rules:
            if (domain := found.labels.get(rule.key)) is not None:
                rule.add(domain)
        if room[found.name]:
            cells[tuple(found.labels.get(rule.key) for rule in shared)].put_back(found)
    return placed


def reached(
    nodes: Sequence[InventoryNode],
    went: Sequence[InventoryNode],
    *,
    before: Sequence[Rule],
    after: Sequence[Rule],
) -> Iterator[InventoryNode]:
    """The nodes where pods went, or might have gone: in the same domains, and free by their own rules at some time.

    Args:
        nodes: Those that fit later.
        went: What `place` returned.
        before: The rules as they stood before the first pod.
        after: The rules as they stand after the last.
    """
    taken = {node.name for node in went}
    shared = [rule.key for rule in before if rule.key != _HOSTNAME]
    own = [[rule for rule in rules if rule.key == _HOSTNAME] for rules in (before, after)]
    domains = {tuple(node.labels.get(key) for key in shared) for node in went}
    for node in nodes:
        near = tuple(node.labels.get(key) for key in shared) in domains
        if node.name in taken or (near and any(broken_rule(rules, node) is None for rules in own)):
            yield node


def _room(node: InventoryNode, needs: PodNeeds, taken: Mapping[str, int]) -> int:
    free = node.without(taken) if taken else node.free
    fits = min((free.get(name, 0) // amount for name, amount in needs.requests.items() if amount), default=1 << 30)
    return max(0, min(fits, 1) if needs.host_ports else fits)


def _next(cells: Sequence[_Cell], shared: Sequence[Rule]) -> InventoryNode | None:
    """The best node of the emptiest cell that has one."""

    def load(cell: _Cell) -> tuple[int, tuple[float, int]]:
        domains = ((rule, cell.sample.labels.get(rule.key)) for rule in shared)
        return sum(rule.load(domain) for rule, domain in domains if domain is not None), cell.best

    for cell in sorted(cells, key=load):
        if (node := cell.take()) is not None:
            return node
    return None


class _Cell:
    """Nodes that the shared rules cannot tell apart, the best on top."""

    def __init__(self, sample: InventoryNode, own: Sequence[Rule]) -> None:
        self.sample = sample
        self._own = own
        self._heap: list[tuple[int, tuple[float, int], InventoryNode]] = []
        self._order: dict[str, tuple[float, int]] = {}
        self._aside: list[InventoryNode] = []

    @property
    def best(self) -> tuple[float, int]:
        """The rank of its best node."""
        return self._heap[0][1] if self._heap else (0.0, 0)

    def add(self, node: InventoryNode, order: tuple[float, int]) -> None:
        """A node that has room."""
        self._order[node.name] = order
        self.put_back(node)

    def put_back(self, node: InventoryNode) -> None:
        """A node that was taken and has room for one more."""
        heapq.heappush(self._heap, (self._load(node), self._order[node.name], node))

    def take(self) -> InventoryNode | None:
        """The best node that its own rules allow; None when there is none now."""
        for _ in range(2):
            while self._heap:
                _, _, node = heapq.heappop(self._heap)
                if broken_rule(self._own, node) is None:
                    return node
                self._aside.append(node)
            self._aside, waiting = [], self._aside
            for node in waiting:  # others may have caught up meanwhile
                self.put_back(node)
        return None

    def _load(self, node: InventoryNode) -> int:
        return sum(rule.load(node.labels[rule.key]) for rule in self._own if rule.key in node.labels)
