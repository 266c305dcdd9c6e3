"""Taints of nodes and tolerations of pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.plain import as_list, as_map

__all__ = ["UNSCHEDULABLE", "Taint", "Toleration", "taints_of", "tolerations_of"]

_REPELLING = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """What keeps pods off a node.

    Args:
        effect: ``NoSchedule``, ``PreferNoSchedule`` or ``NoExecute``.

    Example:
        >>> str(Taint(key="dedicated", value="gpu", effect="NoSchedule"))
        'dedicated=gpu:NoSchedule'
    """

    key: str
    value: str = ""
    effect: str

    @property
    def repels(self) -> bool:
        """Whether pods that do not tolerate it are never scheduled there."""
        return self.effect in _REPELLING

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}" if self.value else f"{self.key}:{self.effect}"


#: What a cordoned node has, whether or not its controller has written it down yet.
UNSCHEDULABLE = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toleration:
    """What a pod puts up with. An empty key with ``Exists`` is everything, an empty effect is all of them.

    Example:
        >>> everything = Toleration(operator="Exists")
        >>> everything.covers(UNSCHEDULABLE)
        True
    """

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def covers(self, taint: Taint) -> bool:
        """Whether the taint does not matter to a pod that has this."""
        if self.effect not in ("", taint.effect):
            return False
        if self.key == "":
            return self.operator == "Exists"
        return self.key == taint.key and (
            self.operator == "Exists" or (self.operator == "Equal" and self.value == taint.value)
        )


def taints_of(node_spec: Mapping[str, Any]) -> tuple[Taint, ...]:
    """The taints of a node's spec; a cordon counts as one."""
    found = [
        Taint(key=str(each.get("key") or ""), value=str(each.get("value") or ""), effect=str(each.get("effect") or ""))
        for each in _maps(node_spec.get("taints"))
    ]
    if node_spec.get("unschedulable") and UNSCHEDULABLE not in found:
        found.append(UNSCHEDULABLE)
    return tuple(found)


def tolerations_of(pod_spec: Mapping[str, Any]) -> tuple[Toleration, ...]:
    """The tolerations of a pod's spec."""
    return tuple(
        Toleration(
            key=str(each.get("key") or ""),
            operator=str(each.get("operator") or "Equal"),
            value=str(each.get("value") or ""),
            effect=str(each.get("effect") or ""),
        )
        for each in _maps(pod_spec.get("tolerations"))
    )


def _maps(value: Any) -> Iterable[Mapping[str, Any]]:
    return (as_map(each) for each in as_list(value))
