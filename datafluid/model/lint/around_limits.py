"""Rules about room: nodes, ResourceQuota, LimitRange."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datafluid.errors import Invalid
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text, show
from datafluid.model.node_report import NodeReport
from datafluid.model.parts import Container, PodPart, parts_of
from datafluid.model.quantity import format_quantity, format_size, parse_quantity
from datafluid.model.tiers import TierLevel, tier_levels

_RUNTIMES = tuple(RUNTIMES)
_QUOTA, _RANGE = "v1/ResourceQuota", "v1/LimitRange"
#: Names in a quota -> (requests or limits, resource).
_COMPUTE = {
    "requests.cpu": ("requests", "cpu"),
    "requests.memory": ("requests", "memory"),
    "cpu": ("requests", "cpu"),
    "memory": ("requests", "memory"),
    "limits.cpu": ("limits", "cpu"),
    "limits.memory": ("limits", "memory"),
}


@rule(
    "DF520", "A cache larger than any node", "warning", kinds=_RUNTIMES, source="Fluid: tieredstore", plane="kubernetes"
)
def larger_than_nodes(subject: Subject, scope: Scope) -> Hits:
    if scope.around is None:
        return
    try:
        levels = tier_levels(subject.data)
    except (Invalid, AttributeError, KeyError, ValueError):
        return  # other rules say what is wrong with them
    for path, asked, room in [*_memory(subject, scope, levels), *_disks(subject, scope, levels)]:
        if room and asked > max(room.values()):
            best = max(room, key=lambda name: room[name])
            yield Hit(
                path,
                f"it wants {format_size(asked)} on each node; the most that is free is {format_size(room[best])}, "
                f"on {show(best)}.",
                "Take a smaller quota, more workers, or another medium.",
            )


_Asked = tuple[Path, int, Mapping[str, int]]


def _memory(subject: Subject, scope: Scope, levels: list[TierLevel]) -> Iterator[_Asked]:
    """What is kept in memory counts as a request for memory of the worker."""
    asked = sum(level.quota for level in levels if level.medium == "MEM")
    if asked and scope.around is not None and scope.around.free is not None and not _is_there(subject, scope):
        yield _tiers(subject), asked, {name: has.get("memory", 0) for name, has in scope.around.free.items()}


def _disks(subject: Subject, scope: Scope, levels: list[TierLevel]) -> Iterator[_Asked]:
    """What is free below a path is known where an agent reports it."""
    reports = _reports(scope)
    for level in levels:
        if level.medium != "MEM" and level.path:
            disks = {report.node: report.disk_under(level.path) for report in reports}
            yield _tiers(subject), level.quota, {node: disk.free for node, disk in disks.items() if disk is not None}


def _reports(scope: Scope) -> list[NodeReport]:
    found = []
    for each in scope.around.of("v1/ConfigMap") if scope.around else ():
        try:
            found.append(NodeReport.of_config_map(each.data))
        except Invalid:
            continue  # somebody else's
    return found


def _tiers(subject: Subject) -> Path:
    return ("spec", "tieredstore") if subject.kind != "CacheRuntime" else ("spec", "worker", "tieredStore")


@rule(
    "DF521",
    "A ResourceQuota that has too little left",
    "warning",
    kinds=_RUNTIMES,
    source="Kubernetes",
    plane="kubernetes",
)
def quota_used_up(subject: Subject, scope: Scope) -> Hits:
    if scope.around is None or not scope.home(subject) or _is_there(subject, scope):
        return
    parts = parts_of(subject.data)
    for quota in _quotas(subject, scope):
        for name, limit in as_map(quota.at("spec", "hard")).items():
            asked = _asked(subject, parts, str(name))
            used = _number(name, as_map(quota.at("status", "used")).get(name, 0))
            left = max(0, _number(name, limit) - used)
            if asked > left:
                yield Hit(
                    ("spec",),
                    f"its pods ask for {_shown(name, asked)} {show(name)}; the ResourceQuota {show(quota.name)} has "
                    f"{_shown(name, left)} left.",
                    "Ask for less or for fewer replicas, or have the quota raised.",
                )


@rule(
    "DF522", "Resources that a ResourceQuota demands", "error", kinds=_RUNTIMES, source="Kubernetes", plane="kubernetes"
)
def quota_demands(subject: Subject, scope: Scope) -> Hits:
    if scope.around is None or not scope.home(subject) or not scope.around.knows(_QUOTA, _RANGE):
        return
    given = _defaults(subject, scope)
    demanded = {
        _COMPUTE[name]: quota.name
        for quota in _quotas(subject, scope)
        for name in as_map(quota.at("spec", "hard"))
        if name in _COMPUTE
    }
    for container in _containers(subject):
        lacking = [
            f"{side}.{resource}"
            for side, resource in demanded
            if not _has(container, side, resource) and (side, resource) not in given
        ]
        if lacking:
            quotas = ", ".join(sorted({show(name) for name in demanded.values()}))
            where = ".".join(container.path)
            yield Hit(
                container.path if container.spec else ("spec",),
                f"{where} sets no {' and no '.join(lacking)}, and the ResourceQuota {quotas} refuses pods without.",
                f"Set {where}.resources, or have a LimitRange with defaults in the namespace.",
            )


@rule("DF523", "A LimitRange that refuses", "error", kinds=_RUNTIMES, source="Kubernetes", plane="kubernetes")
def out_of_range(subject: Subject, scope: Scope) -> Hits:
    for container in _containers(subject):
        for limit in _limits(subject, scope):
            for side, resource, said in _outside(container, limit):
                yield Hit(
                    (*container.path, "resources", side, resource),
                    f"the namespace's LimitRange allows a container {said} {resource}.",
                    "Stay inside, or use another namespace.",
                )


def _outside(container: Container, limit: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """What a container asks for that is more than the maximum, or less than the minimum."""
    for side, asked in container.resources.items():
        for resource, amount in asked.items():
            most, least = as_map(limit.get("max")).get(resource), as_map(limit.get("min")).get(resource)
            if most is not None and _number(resource, amount) > _number(resource, most):
                yield side, str(resource), f"at most {show(most)}"
            elif least is not None and _number(resource, amount) < _number(resource, least):
                yield side, str(resource), f"at least {show(least)}"


def _containers(subject: Subject) -> list[Container]:
    return [container for part in parts_of(subject.data) for container in part.containers]


def _is_there(subject: Subject, scope: Scope) -> bool:
    """Whether the cluster has it already: then what it takes is taken."""
    return (
        scope.around is not None
        and scope.around.one(subject.kind, subject.name, scope.home(subject) or None) is not None
    )


def _quotas(subject: Subject, scope: Scope) -> list[Subject]:
    """The quotas that count every pod; those with a scope count some."""
    found = scope.around.of(_QUOTA, namespace=scope.home(subject)) if scope.around and scope.home(subject) else []
    return [each for each in found if not each.spec.get("scopes") and not each.spec.get("scopeSelector")]


def _limits(subject: Subject, scope: Scope) -> list[Mapping[str, object]]:
    found = scope.around.of(_RANGE, namespace=scope.home(subject)) if scope.around and scope.home(subject) else []
    limits = [as_map(limit) for each in found for limit in as_list(each.spec.get("limits"))]
    return [limit for limit in limits if limit.get("type") == "Container"]


def _defaults(subject: Subject, scope: Scope) -> set[tuple[str, str]]:
    """What a LimitRange puts into containers that say nothing. A default limit is a default request too."""
    found: set[tuple[str, str]] = set()
    for limit in _limits(subject, scope):
        found |= {(side, str(name)) for name in as_map(limit.get("default")) for side in ("limits", "requests")}
        found |= {("requests", str(name)) for name in as_map(limit.get("defaultRequest"))}
    return found


def _has(container: Container, side: str, resource: str) -> bool:
    return any(
        resource in container.resources.get(each, {})
        for each in ({"requests", "limits"} if side == "requests" else {side})
    )


def _asked(subject: Subject, parts: tuple[PodPart, ...], name: str) -> int:
    """What all its pods together count for in a quota; the FUSE counts for one."""
    if name in ("pods", "count/pods"):
        return sum(part.replicas if part.replicas is not None else 1 for part in parts)
    if name not in _COMPUTE:
        return 0
    side, resource = _COMPUTE[name]
    asked = 0
    for part in parts:
        each = sum(_amount(container, side, resource) for container in part.containers)
        if part.name == "worker" and name in ("requests.memory", "memory"):
            each = max(each, _cached_in_memory(subject))
        asked += each * (part.replicas if part.replicas is not None else 1)
    return asked


def _cached_in_memory(subject: Subject) -> int:
    try:
        return sum(level.quota for level in tier_levels(subject.data) if level.medium == "MEM")
    except (Invalid, AttributeError, KeyError, ValueError):
        return 0


def _amount(container: Container, side: str, resource: str) -> int:
    found = container.resources.get(side, {}).get(resource)
    if found is None and side == "requests":
        found = container.resources.get("limits", {}).get(resource)
    return _number(resource, found or 0)


def _number(resource: object, quantity: object) -> int:
    """A quantity as a number; processors in thousandths. What is none is 0: other rules speak about that."""
    try:
        return parse_quantity(as_text(quantity) or str(quantity), parts=1000 if str(resource).endswith("cpu") else 1)
    except Invalid:
        return 0


def _shown(resource: object, amount: int) -> str:
    if str(resource).endswith("cpu"):
        return f"{amount / 1000:g}"
    return format_quantity(amount) if str(resource).endswith("memory") else str(amount)
