"""Rules about what a runtime does with its pods: high availability, networks, memory, names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list, as_map
from datafluid.model.parts import parts_of
from datafluid.model.quantity import format_size, parse_quantity
from datafluid.model.tiers import tier_levels

_RUNTIMES = tuple(RUNTIMES)
_HEAP = re.compile(r"-X(?:mx|X:MaxDirectMemorySize=)(\d+)([kKmMgG]?)", re.ASCII)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_RELEASE_LIMIT = 53  # of helm
_STATEFUL_LIMIT = 52  # 63 less what the label controller-revision-hash adds
_SUFFIX = {"JindoRuntime": "-jindofs-worker"}
_IN_WORKER = "alluxio.worker.fuse.enabled"


@rule(
    "DF123",
    "A runtime name too long for what it creates",
    "error",
    kinds=_RUNTIMES,
    source="Fluid: helm release; Kubernetes: labels of a StatefulSet's pods",
    plane="kubernetes",
)
def name_budget(subject: Subject, scope: Scope) -> Hits:
    stateful = any(part.name in ("master", "worker") for part in parts_of(subject.data))
    suffix = _SUFFIX.get(subject.kind, "-worker")
    budget = min(_RELEASE_LIMIT, _STATEFUL_LIMIT - len(suffix)) if stateful else _RELEASE_LIMIT
    if len(subject.name) > budget:
        what = (
            f"its StatefulSets ({suffix[1:]}) can make no pods"
            if len(subject.name) <= _RELEASE_LIMIT
            else "helm refuses it"
        )
        yield Hit(
            ("metadata", "name"),
            f"the name has {len(subject.name)} characters, and {what}.",
            f"Use at most {budget} characters, for the dataset too.",
        )


@rule(
    "DF220",
    "Containers of one pod in two networks",
    "warning",
    kinds=_RUNTIMES,
    source="Fluid: charts",
    plane="kubernetes",
)
def two_networks(subject: Subject, scope: Scope) -> Hits:
    for part in parts_of(subject.data):
        for other in part.containers[1:]:
            if other.host_network != part.host_network:
                mode = "HostNetwork" if part.host_network else "ContainerNetwork"
                yield Hit(
                    (*other.path, "networkMode") if "networkMode" in other.spec else part.path,
                    f"{other.path[-1]} runs in the pods of {part.path[-1]}, which are in {mode}: its ports are "
                    "chosen for the other network and nobody finds them.",
                    f"Give {other.path[-1]} networkMode: {mode} too.",
                )


@rule(
    "DF221",
    "An even number of masters",
    "warning",
    kinds=("AlluxioRuntime", "JindoRuntime"),
    source="raft",
    plane="kubernetes",
)
def even_masters(subject: Subject, scope: Scope) -> Hits:
    for part in parts_of(subject.data):
        if part.name == "master" and part.replicas and part.replicas % 2 == 0:
            yield Hit(
                ("spec", "master", "replicas"),
                f"{part.replicas} masters bear the loss of no more nodes than {part.replicas - 1} would.",
                f"Use {part.replicas - 1} or {part.replicas + 1}.",
            )


@rule(
    "DF222",
    "Masters that share a node",
    "warning",
    kinds=("AlluxioRuntime", "JindoRuntime"),
    source="Kubernetes",
    plane="kubernetes",
)
def masters_together(subject: Subject, scope: Scope) -> Hits:
    nodes = scope.around.of("v1/Node") if scope.around and scope.around.knows("v1/Node") else []
    able = [each for each in nodes if not each.spec.get("unschedulable")]
    for part in parts_of(subject.data):
        if part.name == "master" and part.replicas and 0 < len(able) < part.replicas:
            yield Hit(
                ("spec", "master", "replicas"),
                f"{part.replicas} masters on {len(able)} nodes: losing one node may lose the majority.",
                "Add nodes, or use fewer masters.",
            )


@rule("DF223", "More heap than memory", "warning", kinds=_RUNTIMES, source="the OOM killer", plane="kubernetes")
def heap(subject: Subject, scope: Scope) -> Hits:
    for part in parts_of(subject.data):
        for container in part.containers:
            limit = _memory(container.resources.get("limits", {}))
            options = container.spec.get("jvmOptions") or subject.spec.get("jvmOptions")
            wanted = sum(_bytes(found) for each in as_list(options) for found in _HEAP.finditer(str(each)))
            if limit and wanted > limit:
                yield Hit(
                    (*container.path, "resources", "limits", "memory"),
                    f"the Java options allow {format_size(wanted)}, the limit {format_size(limit)}: it gets killed.",
                    "Raise the limit above heap and direct memory together, or lower -Xmx.",
                )


@rule(
    "DF224",
    "Less memory than memory cache",
    "error",
    kinds=_RUNTIMES,
    source="Fluid: MEM levels count as requests",
    plane="kubernetes",
)
def memory_cache(subject: Subject, scope: Scope) -> Hits:
    try:
        cached = sum(level.quota for level in tier_levels(subject.data) if level.medium == "MEM")
    except (Invalid, AttributeError, KeyError, TypeError, ValueError):
        return  # other rules say what is wrong with the levels
    for part in parts_of(subject.data):
        limit = _memory(part.containers[0].resources.get("limits", {}))
        if part.name == "worker" and limit and cached > limit:
            yield Hit(
                (*part.path, "resources", "limits", "memory"),
                f"the worker may use {format_size(limit)}, and its MEM levels alone hold {format_size(cached)}.",
                "Raise the limit above the quota, or lower the quota.",
            )


@rule(
    "DF225",
    "A FUSE in the worker and one beside it",
    "warning",
    kinds=("AlluxioRuntime",),
    source="Alluxio",
    plane="kubernetes",
)
def fuse_twice(subject: Subject, scope: Scope) -> Hits:
    places = [("spec", "properties"), ("spec", "worker", "properties")]
    for place in places:
        if str(as_map(subject.at(*place)).get(_IN_WORKER, "")).lower() == "true":
            yield Hit(
                (*place, _IN_WORKER),
                "pods mount through the FUSE that Fluid starts on their node, not through the worker's own.",
                "Leave it out; on one machine the embedded plane has both in one process.",
            )


def _memory(limits: Mapping[str, Any]) -> int:
    try:
        return parse_quantity(limits.get("memory") or 0)
    except Invalid:
        return 0


def _bytes(found: re.Match[str]) -> int:
    return int(found[1]) * _UNITS[found[2].lower()]
