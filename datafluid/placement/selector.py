"""What a node selector term says about a node, and its conditions as values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid

__all__ = ["Requirement", "Term", "added", "as_list", "as_map"]

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_INTEGER = re.compile(r"[+-]?[0-9]{1,63}", re.ASCII)
_INT64 = range(-(2**63), 2**63)
_NODE_NAME = "metadata.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One condition on a node's labels, or on a field of the node.

    Args:
        key: The label's key; for fields only ``metadata.name`` is known.
        operator: ``In``, ``NotIn``, ``Exists``, ``DoesNotExist``, ``Gt`` or ``Lt``.
        values: What it is compared with. Their order means nothing.

    Raises:
        Invalid: an operator that Kubernetes does not have.

    Example:
        >>> Requirement(key="disk", values=("ssd", "nvme")).holds({"disk": "nvme"})
        True
        >>> Requirement(key="gpus", operator="Gt", values=("4",)).holds({"gpus": "8"})
        True
    """

    key: str
    operator: str = "In"
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.operator not in _OPERATORS:
            raise Invalid(
                f"{self.operator!r} is no operator of a node affinity.",
                hint=f"Write one of {', '.join(_OPERATORS)}.",
            )

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels fulfil it; a label that is absent fulfils ``NotIn`` and ``DoesNotExist``."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        return self._compares(value)

    def _compares(self, text: str | None) -> bool:
        value, bound = _integer(text), _integer(self.values[0] if len(self.values) == 1 else None)
        if value is None or bound is None:
            return False
        return value > bound if self.operator == "Gt" else value < bound

    def manifest(self) -> dict[str, Any]:
        """As Kubernetes writes it."""
        values = {"values": list(self.values)} if self.values else {}
        return {"key": self.key, "operator": self.operator, **values}

    @property
    def meaning(self) -> tuple[str, str, frozenset[str]]:
        """The same for two that hold for the same nodes."""
        return self.key, self.operator, frozenset(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Conditions that must all hold; none at all never hold.

    Args:
        expressions: On the node's labels.
        fields: On the node itself.

    Example:
        >>> ssd = Term(expressions=(Requirement(key="disk", values=("ssd",)),))
        >>> ssd.holds({"disk": "ssd"}), Term().holds({"disk": "ssd"})
        (True, False)
    """

    expressions: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()

    def __bool__(self) -> bool:
        """Whether it has conditions."""
        return bool(self.expressions or self.fields)

    def holds(self, labels: Mapping[str, str], *, name: str = "") -> bool:
        """Whether a node with these labels and this name fulfils it."""
        own = {_NODE_NAME: name}
        on_labels = all(each.holds(labels) for each in self.expressions)
        return bool(self) and on_labels and all(each.holds(own) for each in self.fields)

    def __add__(self, other: Term) -> Term:
        """The conditions of both, each once."""
        more = other - self
        return Term(expressions=self.expressions + more.expressions, fields=self.fields + more.fields)

    def __sub__(self, other: Term) -> Term:
        """The conditions that the other does not have."""
        return Term(
            expressions=_without(self.expressions, other.expressions), fields=_without(self.fields, other.fields)
        )

    @classmethod
    def of(cls, manifest: Any) -> Term:
        """Read a ``nodeSelectorTerm``.

        Raises:
            Invalid: it is not what Kubernetes takes.
        """
        term = as_map(manifest, "a node selector term")
        return cls(expressions=_requirements(term, "matchExpressions"), fields=_requirements(term, "matchFields"))

    def manifest(self) -> dict[str, Any]:
        """As Kubernetes writes it."""
        return added({}, self)


def added(raw: Mapping[str, Any], more: Term) -> dict[str, Any]:
    """A term as it is written, with conditions behind its own."""
    lists = {"matchExpressions": more.expressions, "matchFields": more.fields}
    grown = {name: [*(raw.get(name) or ()), *(each.manifest() for each in new)] for name, new in lists.items() if new}
    return {**raw, **grown}


def _without(requirements: tuple[Requirement, ...], others: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    known = {each.meaning for each in others}
    return tuple(each for each in requirements if each.meaning not in known)


def _requirements(term: Mapping[str, Any], name: str) -> tuple[Requirement, ...]:
    found = [as_map(each, f"an entry of {name}") for each in as_list(term.get(name), name)]
    return tuple(
        Requirement(
            key=str(each.get("key") or ""),
            operator=str(each.get("operator") or ""),
            values=tuple(str(value) for value in as_list(each.get("values"), "values")),
        )
        for each in found
    )


def _integer(text: str | None) -> int | None:
    """As Kubernetes reads a number in a label: 64 bits, or not at all."""
    if text is None or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if number in _INT64 else None


def as_map(value: Any, what: str) -> Mapping[str, Any]:
    """A mapping of a manifest; nothing is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Invalid(f"{what} is not a mapping.", hint="Write it as the Kubernetes API has it.")
    return value


def as_list(value: Any, what: str) -> Sequence[Any]:
    """A list of a manifest; nothing is an empty one."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Invalid(f"{what} is not a list.", hint="Write it as the Kubernetes API has it.")
    return value
