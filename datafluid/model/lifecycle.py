"""What the server side makes of a runtime, in words, from the objects themselves.

High availability, networks, the FUSE's coming and going, what protects it, and which processes there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from datafluid.model.parts import PodPart, parts_of
from datafluid.model.plain import as_list, as_map, as_text, look

__all__ = ["lifecycle"]

_ADDRESSED = {"AlluxioRuntime": "master", "JindoRuntime": "jindofs-master"}
_ON_DEMAND, _FUSE_CHANGED = "OnDemand", "OnFuseChanged"
_GOES = {
    _ON_DEMAND: "goes with the last pod that mounts it (OnDemand)",
    _FUSE_CHANGED: "goes when its image changes (OnFuseChanged)",
}
_STAYS = "stays on its node until the runtime goes (OnRuntimeDeleted)"


def lifecycle(
    runtime: Mapping[str, Any], *, dataset: Mapping[str, Any] | None = None, fuse: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """What a cluster makes of a runtime, line by line: a label, and what it says.

    Args:
        runtime: Its manifest, with the status as far as it has one.
        dataset: The dataset that it serves; its status has the address of the first master.
        fuse: The DaemonSet of the FUSE, which has the priority that Fluid gave it.

    Example:
        >>> spec = {"master": {"replicas": 3}, "fuse": {"cleanPolicy": "OnDemand"}}
        >>> metadata = {"name": "flights", "namespace": "team"}
        >>> status = {"desiredFuseNumberScheduled": 0}
        >>> told = lifecycle({"kind": "AlluxioRuntime", "metadata": metadata, "spec": spec, "status": status})
        >>> told["Masters"]
        '3, highly available: one may be lost'
        >>> told["FUSE"]
        'starts where a pod mounts it (none now); goes with the last pod that mounts it (OnDemand)'
    """
    parts: dict[str, PodPart] = {part.name: part for part in parts_of(runtime)}
    lines = {
        "Masters": _masters(parts.get("master")),
        "Addresses": ", ".join(_addresses(runtime, dataset or {}, parts.get("master"))),
        "Network": _network(runtime, parts),
        "FUSE": _fuse(runtime, parts.get("fuse")),
        "Protection": _protection(parts.get("fuse"), fuse),
        "Processes": _processes(parts),
    }
    return {label: text for label, text in lines.items() if text}


def _masters(master: PodPart | None) -> str:
    if master is None or master.replicas is None:
        return ""
    if master.replicas < 3:
        return f"{master.replicas}, not highly available: nothing is read while it is away"
    spare = (master.replicas - 1) // 2
    return f"{master.replicas}, highly available: {'one' if spare == 1 else spare} may be lost"


def _addresses(runtime: Mapping[str, Any], dataset: Mapping[str, Any], master: PodPart | None) -> Iterator[str]:
    """All masters; Fluid publishes the first alone, and that may be the one that is lost."""
    metadata, word = as_map(runtime.get("metadata")), _ADDRESSED.get(as_text(runtime.get("kind")))
    port = as_text(look(dataset, ("status", "hcfs", "endpoint"))).rpartition(":")[2]
    if word and master is not None and port.isdigit():
        for number in range(master.replicas or 0):
            yield f"{metadata.get('name')}-{word}-{number}.{metadata.get('namespace')}:{port}"


def _network(runtime: Mapping[str, Any], parts: Mapping[str, PodPart]) -> str:
    if runtime.get("kind") == "CacheRuntime" or not parts:
        return ""  # its class says
    modes = {name: "node IP" if part.host_network else "pod IP" for name, part in parts.items()}
    if runtime.get("kind") == "JindoRuntime":
        return f"{next(iter(modes.values()))} for every part (Jindo has one setting)"
    mixed = [other.path[-1] for part in parts.values() for other in part.containers if _differs(part, other)]
    text = ", ".join(f"{name} {mode}" for name, mode in modes.items())
    return f"{text}; not reachable: {', '.join(mixed)}, of another mode than its pod" if mixed else text


def _differs(part: PodPart, other: Any) -> bool:
    return bool(other.host_network != part.host_network)


def _fuse(runtime: Mapping[str, Any], fuse: PodPart | None) -> str:
    if fuse is None:
        return "none"
    running = look(runtime, ("status", "desiredFuseNumberScheduled"))
    policy = as_text(fuse.containers[0].spec.get("cleanPolicy"))
    count = "" if running is None else " (none now)" if running == 0 else f" ({running} now)"
    return f"starts where a pod mounts it{count}; {_GOES.get(policy, _STAYS)}"


def _protection(fuse: PodPart | None, daemon_set: Mapping[str, Any] | None) -> str:
    if fuse is None:
        return ""
    template = as_map(look(daemon_set, ("spec", "template", "spec")))
    priority = as_text(template.get("priorityClassName")) or ("none" if daemon_set else "not known")
    containers = as_list(template.get("containers")) or [fuse.containers[0].spec]
    resources = as_map(as_map(containers[0]).get("resources"))
    request = as_map(resources.get("requests")).get("memory")
    limit = as_map(resources.get("limits")).get("memory")
    memory = f"memory {request or 'not requested'}, {f'limit {limit}' if limit else 'no limit'}"
    return f"priority {priority}; {memory}"


def _processes(parts: Mapping[str, PodPart]) -> str:
    if "worker" not in parts:
        return "no workers: the FUSE is all there is" if "fuse" in parts else ""
    if "fuse" not in parts:
        return "no FUSE: clients talk to the workers"
    return "worker and FUSE are processes of their own: a FUSE that dies loses no cache"
