"""Data-flow affinity, where its feature gate is open: a load tells where it ran, and what runs after it goes there."""

from __future__ import annotations

from datafluid.model.graph import predecessor_of
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import World

_HOSTNAME = "kubernetes.io/hostname"
_TOLD = (_HOSTNAME, "topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_POLICIES = ("", "Require", "Prefer")


def where_it_ran(world: World, job: Manifest) -> Manifest:
    """``status.nodeAffinity`` of a load: the place of the node of its pod; nothing while the gate is closed."""
    pods = world.owned(job, "v1/Pod")
    node = world.get(Ref("v1/Node", pods[-1]["spec"].get("nodeName", ""))) if pods else None
    if not world.faults.gate or node is None:
        return {}
    labels = node["metadata"]["labels"]
    return {"nodeAffinity": {_REQUIRED: _term([_is(key, labels[key]) for key in _TOLD if key in labels])}}


def strategy_error(world: World, operation: Manifest) -> str:
    """What the controller says of a policy that it does not know; "" when there is nothing to say."""
    policy = _strategy(operation).get("policy") or ""
    known = _place(world, operation)
    return f"unknown policy for affinity strategy: {policy}" if known and policy not in _POLICIES else ""


def after_it(world: World, operation: Manifest) -> Manifest:
    """The affinity of the pods of what runs after a load that told where it ran."""
    strategy, place = _strategy(operation), _place(world, operation)
    if not place or not strategy.get("policy"):
        return {}
    if strategy["policy"] == "Require":
        keys = [each["name"] for each in strategy.get("requires") or ()] or [_HOSTNAME]
        return {
            "affinity": {"nodeAffinity": {_REQUIRED: _term([_is(key, place[key]) for key in keys if key in place])}}
        }
    wanted = strategy.get("prefers") or [{"name": _HOSTNAME, "weight": 100}]
    terms = [
        {"weight": each["weight"], "preference": {"matchExpressions": [_is(each["name"], place[each["name"]])]}}
        for each in wanted
        if each["name"] in place
    ]
    return {"affinity": {"nodeAffinity": {_PREFERRED: terms}}}


def _strategy(operation: Manifest) -> Manifest:
    found: Manifest = (operation["spec"].get("runAfter") or {}).get("affinityStrategy") or {}
    return found


def _place(world: World, operation: Manifest) -> dict[str, str]:
    before = predecessor_of(operation)
    status = (world.get(before) or {}).get("status") or {} if before is not None else {}
    if not world.faults.gate or "nodeAffinity" not in status:
        return {}
    (term,) = status["nodeAffinity"][_REQUIRED]["nodeSelectorTerms"]
    return {each["key"]: each["values"][0] for each in term["matchExpressions"]}


def _is(key: str, value: str) -> Manifest:
    return {"key": key, "operator": "In", "values": [value]}


def _term(expressions: list[Manifest]) -> Manifest:
    return {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
