"""The scheduler's rules about domains: spreading, keeping apart or together. Every pod that is placed changes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from datafluid.placement.inventory import Inventory, InventoryNode, RunningPod
from datafluid.placement.podneeds import Neighbours, PodNeeds, Spread

__all__ = ["Rule", "broken_rule", "rules_of"]


class Rule:
    """A rule about domains that changes with every pod that is placed.

    Args:
        key: The label that names the domain of a node.
        told: What is said of a node that breaks it.
    """

    needs_label = True  # whether a node without the label can have no such pod

    def __init__(self, key: str, told: str) -> None:
        self.key = key
        self.told = told

    def allows(self, domain: str) -> bool:
        """Whether one more pod may be in the domain."""
        raise NotImplementedError

    def add(self, domain: str) -> None:
        """Note that one more is there."""
        raise NotImplementedError

    def load(self, domain: str) -> int:
        """How many are there: a fuller domain is taken later."""
        raise NotImplementedError


class _Spreading(Rule):
    def __init__(self, spread: Spread, counts: dict[str, int], counts_itself: bool) -> None:
        super().__init__(spread.key, f"the topology spread over {spread.key}")
        self._spread = spread
        self._counts = counts
        self._own = int(counts_itself)
        self._levels: dict[int, int] = {}
        for count in counts.values():
            self._levels[count] = self._levels.get(count, 0) + 1
        self._fewest = min(counts.values(), default=0)

    @property
    def _floor(self) -> int:
        return self._fewest if len(self._counts) >= self._spread.domains else 0

    def allows(self, domain: str) -> bool:
        if domain not in self._counts:
            return not self._counts or self._own - self._floor <= self._spread.most
        return self._counts[domain] + self._own - self._floor <= self._spread.most

    def add(self, domain: str) -> None:
        if not self._own or domain not in self._counts:
            return
        before = self._counts[domain]
        self._counts[domain] = before + 1
        self._levels[before] -= 1
        self._levels[before + 1] = self._levels.get(before + 1, 0) + 1
        while not self._levels.get(self._fewest):
            self._fewest += 1

    def load(self, domain: str) -> int:
        return self._counts.get(domain, 0)


class _Apart(Rule):
    needs_label = False

    def __init__(self, key: str, occupied: set[str], from_itself: bool, told: str) -> None:
        super().__init__(key, told)
        self._occupied = occupied
        self._from_itself = from_itself

    def allows(self, domain: str) -> bool:
        return domain not in self._occupied

    def add(self, domain: str) -> None:
        if self._from_itself:
            self._occupied.add(domain)

    def load(self, domain: str) -> int:
        return 0


class _Near(Rule):
    """Who is meant by its own terms may be the first of all."""

    def __init__(self, key: str, occupied: set[str], is_meant: bool) -> None:
        super().__init__(key, f"the pod affinity within {key}")
        self._occupied = occupied
        self._is_meant = is_meant

    def allows(self, domain: str) -> bool:
        return domain in self._occupied or (self._is_meant and not self._occupied)

    def add(self, domain: str) -> None:
        if self._is_meant:
            self._occupied.add(domain)

    def load(self, domain: str) -> int:
        return 0


def rules_of(needs: PodNeeds, inventory: Inventory, *, placed: Sequence[RunningPod] = ()) -> list[Rule]:
    """The rules about domains that hold for a pod, as things are now."""
    pods = [*inventory.pods, *placed]
    labels = {node.name: node.labels for node in inventory.nodes}
    found: list[Rule] = [_spreading(each, needs, inventory, pods, labels) for each in needs.spread]
    for term in needs.apart:
        occupied = _domains(term, pods, labels)
        told = f"the pod anti-affinity within {term.key}"
        found.append(_Apart(term.key, occupied, term.means(needs.namespace, needs.labels), told))
    meant = [pod for pod in pods if needs.near and _means(needs.near, pod.needs)]
    is_meant = _means(needs.near, needs)
    found += [_Near(term.key, _domains(term, meant, labels), is_meant) for term in needs.near]
    refused: dict[str, set[str]] = {}
    for pod in pods:
        for term in pod.needs.apart:
            domain = labels.get(pod.node, {}).get(term.key)
            if domain is not None and term.means(needs.namespace, needs.labels):
                refused.setdefault(term.key, set()).add(domain)
    told = "the anti-affinity of a pod that is there"
    return [*found, *(_Apart(key, domains, from_itself=False, told=told) for key, domains in refused.items())]


def broken_rule(rules: Iterable[Rule], node: InventoryNode) -> str | None:
    """The first rule that one more pod on the node would break, as it is told; None when there is none."""
    for rule in rules:
        domain = node.labels.get(rule.key)
        if domain is None:
            if rule.needs_label:
                return f"no label {rule.key}"
        elif not rule.allows(domain):
            return rule.told
    return None


def _spreading(
    spread: Spread,
    needs: PodNeeds,
    inventory: Inventory,
    pods: Sequence[RunningPod],
    labels: Mapping[str, Mapping[str, str]],
) -> Rule:
    keys = {each.key for each in needs.spread}
    counts: dict[str, int] = {}
    counting: set[str] = set()
    for node in inventory.nodes:
        if not keys <= node.labels.keys() or not _counts(spread, needs, node):
            continue
        counts.setdefault(node.labels[spread.key], 0)
        counting.add(node.name)
    for pod in pods:
        is_near = pod.node in counting and not pod.leaving and pod.needs.namespace == needs.namespace
        if is_near and spread.selector.matches(pod.needs.labels):
            counts[labels[pod.node][spread.key]] += 1
    return _Spreading(spread, counts, spread.selector.matches(needs.labels))


def _counts(spread: Spread, needs: PodNeeds, node: InventoryNode) -> bool:
    if spread.own_nodes_only and not needs.affinity.matches(node.labels, name=node.name):
        return False
    return not spread.untainted_only or all(needs.tolerates(taint) for taint in node.taints)


def _means(terms: Iterable[Neighbours], pod: PodNeeds) -> bool:
    """Whether a pod is meant by all of them: pod affinity counts no others."""
    return all(term.means(pod.namespace, pod.labels) for term in terms)


def _domains(term: Neighbours, pods: Iterable[RunningPod], labels: Mapping[str, Mapping[str, str]]) -> set[str]:
    found = {
        labels.get(pod.node, {}).get(term.key) for pod in pods if term.means(pod.needs.namespace, pod.needs.labels)
    }
    return {domain for domain in found if domain is not None}
