"""Node affinity as a value: what it matches, and how two of them are combined. The Kubernetes API's rules.

A pod may land on a node that fulfils its ``nodeSelector`` and at least one term of its required node affinity.
A term holds if all its requirements hold; one without requirements never holds. Among those nodes the ones
with the greatest sum of preferred weights come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.pinning import PREFERRED, REQUIRED
from datafluid.placement.selector import Requirement, Term, added, as_list, as_map

__all__ = ["PREFERRED", "REQUIRED", "NodeAffinity", "Preference"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A wish: nodes that fulfil the term gain the weight, 1 to 100.

    Example:
        >>> Preference(weight=100, term=Term(expressions=(Requirement(key="gpu", operator="Exists"),))).manifest()
        {'weight': 100, 'preference': {'matchExpressions': [{'key': 'gpu', 'operator': 'Exists'}]}}
    """

    weight: int
    term: Term

    @classmethod
    def of(cls, manifest: Any) -> Preference:
        """Read a ``preferredSchedulingTerm``.

        Raises:
            Invalid: it is not what Kubernetes takes.
        """
        wish = as_map(manifest, "a preferred term")
        weight = wish.get("weight")
        if not isinstance(weight, int):
            raise Invalid("a preferred term has no weight.", hint="Write a number from 1 to 100.")
        return cls(weight=weight, term=Term.of(wish.get("preference")))

    def manifest(self) -> dict[str, Any]:
        """As Kubernetes writes it."""
        return {"weight": self.weight, "preference": self.term.manifest()}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAffinity:
    """Which nodes a pod may use, and which it would rather use.

    Args:
        required: One of these terms must hold. None: any node will do. Empty: none will.
        preferred: Wishes; nothing follows from their order.

    Example:
        >>> one, two = (Term(expressions=(Requirement(key=key, values=("true",)),)) for key in "ab")
        >>> both = NodeAffinity(required=(one,)) & NodeAffinity(required=(two,))
        >>> both.matches({"a": "true"}), both.matches({"a": "true", "b": "true"})
        (False, True)
        >>> both.onto({"nodeSelector": {"disk": "ssd"}})["nodeSelector"]
        {'disk': 'ssd'}
    """

    required: tuple[Term, ...] | None = None
    preferred: tuple[Preference, ...] = ()

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> NodeAffinity:
        """What a pod's spec asks of nodes: its ``nodeSelector`` and its node affinity together.

        Raises:
            Invalid: something is not of the form that Kubernetes takes.
        """
        affinity = as_map(as_map(spec.get("affinity"), "affinity").get("nodeAffinity"), "nodeAffinity")
        raw = _raw_terms(affinity)
        selector = as_map(spec.get("nodeSelector"), "nodeSelector")
        pairs = tuple(Requirement(key=str(key), values=(str(value),)) for key, value in selector.items())
        written = cls(
            required=None if raw is None else tuple(Term.of(each) for each in raw),
            preferred=tuple(Preference.of(each) for each in as_list(affinity.get(PREFERRED), PREFERRED)),
        )
        return written & cls(required=(Term(expressions=pairs),)) if pairs else written

    def matches(self, labels: Mapping[str, str], *, name: str = "") -> bool:
        """Whether a node with these labels and this name may take the pod."""
        return self.required is None or any(term.holds(labels, name=name) for term in self.required)

    def score(self, labels: Mapping[str, str], *, name: str = "") -> int:
        """The sum of the weights of the wishes that the node fulfils."""
        return sum(each.weight for each in self.preferred if each.term.holds(labels, name=name))

    def __and__(self, other: NodeAffinity) -> NodeAffinity:
        """What both ask for: a node matches it if it matches both. Wishes that both have count once."""
        if self.required is None or other.required is None:
            required = other.required if self.required is None else self.required
        else:
            required = tuple(term + more for term in self.required for more in _missing(term, other.required))
        return NodeAffinity(required=required, preferred=_united(self.preferred, other.preferred))

    def onto(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        """A pod's spec that also asks for this, and still for all that it asked for before.

        What is there stays as it is written; what is there already is not written again.

        Raises:
            Invalid: the spec has an affinity that Kubernetes would not take.
        """
        affinity = dict(as_map(spec.get("affinity"), "affinity"))
        node = dict(as_map(affinity.get("nodeAffinity"), "nodeAffinity"))
        if self.required is not None:
            node[REQUIRED] = {"nodeSelectorTerms": _anded(_raw_terms(node), self.required)}
        there = NodeAffinity.of({"affinity": {"nodeAffinity": node}}).preferred
        if wishes := _united(there, self.preferred)[len(there) :]:
            node[PREFERRED] = [*(node.get(PREFERRED) or ()), *(each.manifest() for each in wishes)]
        if self.required is None and not wishes:
            return dict(spec)
        return {**spec, "affinity": {**affinity, "nodeAffinity": node}}


def _missing(term: Term, others: Sequence[Term]) -> list[Term]:
    """What a term lacks so that it implies one of the others: an alternative each, an empty one for nothing."""
    lacking = [other - term for other in others if other]
    return lacking if term and all(lacking) else [Term()]


def _anded(raw: Sequence[Any] | None, required: Sequence[Term]) -> list[Any]:
    if raw is None:
        return [term.manifest() for term in required] or [{}]
    terms = [(each, Term.of(each)) for each in raw]
    return [added(each, more) if more else each for each, term in terms for more in _missing(term, required)] or [{}]


def _united(first: tuple[Preference, ...], second: tuple[Preference, ...]) -> tuple[Preference, ...]:
    united = list(first)
    for wish in second:
        if not any(wish.weight == each.weight and _same(wish.term, each.term) for each in united):
            united.append(wish)
    return tuple(united)


def _same(one: Term, other: Term) -> bool:
    return not (one - other) and not (other - one)


def _raw_terms(affinity: Mapping[str, Any]) -> Sequence[Any] | None:
    required = affinity.get(REQUIRED)
    if required is None:
        return None
    terms = as_list(as_map(required, REQUIRED).get("nodeSelectorTerms"), "nodeSelectorTerms")
    if not terms:  # Kubernetes refuses such a pod; a term of ours in the empty list would turn "nowhere" into "there"
        raise Invalid(
            f"{REQUIRED} has no nodeSelectorTerms.",
            hint="Kubernetes refuses an empty list, which no node fulfils: write a term, or leave it away.",
        )
    return terms
