"""When a dataset on a cluster can be used: not at phase Bound, but some steps later. Pure.

Fluid calls a dataset Bound before its volume exists, leaves it Bound while workers come and go, and keeps conditions
that are no longer true. What counts is looked for here, in the order in which it comes true: the phase, the mounts that
are in effect, the claim that pods mount, the workers, the FUSE where pods use it, and the bytes that are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from datafluid.model.quantity import format_size
from datafluid.model.relations import physical_refs
from datafluid.model.status import BoundRuntime, DatasetStatus

__all__ = ["UNUSABLE", "Readiness", "readiness"]

#: Why a dataset's condition ``Ready`` is False where its mounts can never be reached as they are declared.
UNUSABLE = "MountUnusable"

#: Engines that mount a change while they run, and show it in ``status.mounts``; the others keep the old list there.
_MOUNT_WHILE_BOUND = ("alluxio",)
_COMPARED = ("mountPoint", "name", "path")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """How far a dataset is.

    Args:
        ready: Whether it can be used as wanted.
        waiting_for: What is missing, a few words; "" when nothing is.
        look_at: The object that will tell when that changes.
        hopeless: Why it will never be as wanted, one sentence; "" while it may.
        unusable: Why its mounts can never be reached as they are declared; "" while they may.
    """

    ready: bool = False
    waiting_for: str = ""
    look_at: Literal["dataset", "claim", "runtime"] = "dataset"
    hopeless: str = ""
    unusable: str = ""


def readiness(
    dataset: Mapping[str, Any],
    *,
    claim: Mapping[str, Any] | None,
    runtime: Mapping[str, Any] | None,
    blind_to: frozenset[str] = frozenset(),
    cached: float | None = None,
) -> Readiness:
    """How far a dataset is, from the objects as they were seen last.

    Args:
        dataset: The Dataset.
        claim: Its PersistentVolumeClaim; None when there is none yet.
        runtime: Its runtime; None when it was not seen yet.
        blind_to: Of ``claim`` and ``runtime``, what may not be read: it is not waited for.
        cached: The fraction of its bytes that is wanted in the cache.

    Example:
        >>> status = {"phase": "Bound", "runtimes": [{"name": "a", "namespace": "b", "type": "alluxio"}]}
        >>> dataset = {"metadata": {"name": "a", "namespace": "b"}, "spec": {}, "status": status}
        >>> readiness(dataset, claim=None, runtime=None).waiting_for
        'its PersistentVolumeClaim'
    """
    status = DatasetStatus.parse(dataset)
    if problem := _not_bound(status):
        return Readiness(waiting_for=problem, unusable=_unusable(status))
    if _mounts_differ(dataset, status):
        return Readiness(waiting_for="the changed mounts (looked at every 90 s)")
    if status.runtimes and "claim" not in blind_to and ((claim or {}).get("status") or {}).get("phase") != "Bound":
        return Readiness(waiting_for="its PersistentVolumeClaim", look_at="claim")
    if status.runtimes and "runtime" not in blind_to and (problem := _components(runtime, status.runtimes[0])):
        return Readiness(waiting_for=problem, look_at="runtime")
    return _filled(status, cached)


def _not_bound(status: DatasetStatus) -> str:
    if status.phase in ("", "NotBound"):
        return "its runtime to be set up" if not status.runtimes else "its runtime"
    told = {"Failed": "it to recover from Failed", "Updating": "its mounts", "DataMigrating": "a DataMigrate to end"}
    return "" if status.phase == "Bound" else told.get(status.phase, f"phase {status.phase} to end")


def _unusable(status: DatasetStatus) -> str:
    told = [each.message for each in status.conditions if each.type == "Ready" and each.reason == UNUSABLE]
    return told[0] if told else ""


def _mounts_differ(dataset: Mapping[str, Any], status: DatasetStatus) -> bool:
    """Whether ``status.mounts`` still lacks a change: neither the phase nor a condition tells that."""
    if not status.runtimes or status.runtimes[0].type not in _MOUNT_WHILE_BOUND or physical_refs(dataset):
        return False
    wanted, effective = dataset["spec"].get("mounts") or (), dataset["status"].get("mounts") or ()
    return _comparable(wanted) != _comparable(effective)


def _comparable(mounts: Any) -> list[list[Any]]:
    return sorted(([mount.get(key) or None for key in _COMPARED] for mount in mounts), key=repr)


def _components(runtime: Mapping[str, Any] | None, bound: BoundRuntime) -> str:
    """What of its runtime is not ready, "" when all of it is."""
    status = (runtime or {}).get("status") or {}
    if not status:
        return f"the status of its {bound.kind}"
    if bound.type == "cache":
        worker, fuse = status.get("worker") or {}, status.get("client") or {}
        workers = worker.get("readyReplicas", 0), worker.get("desiredReplicas", 0)
        fuses = fuse.get("readyReplicas", 0), fuse.get("desiredReplicas", 0)
    else:
        # The status follows a change of scale up to 90 s later; the spec says at once how many are wanted.
        wanted = max(status.get("desiredWorkerNumberScheduled", 0), _scale((runtime or {}).get("spec") or {}, bound))
        workers = status.get("workerNumberReady", 0), wanted
        fuses = status.get("fuseNumberReady", 0), status.get("desiredFuseNumberScheduled", 0)
    if workers[0] < workers[1]:
        return f"workers ({workers[0]} of {workers[1]} ready)"
    # FUSE is lazy: it comes with the first pod of a node, so none wanted is ready.
    return f"FUSE ({fuses[0]} of {fuses[1]} ready)" if fuses[0] < fuses[1] else ""


def _scale(spec: Mapping[str, Any], bound: BoundRuntime) -> int:
    """How many workers its spec asks for, where that can be scaled."""
    if bound.type in ("thin", "cache") or (spec.get("worker") or {}).get("disabled"):
        return 0
    replicas = spec.get("replicas")
    return replicas if isinstance(replicas, int) else 0


def _filled(status: DatasetStatus, cached: float | None) -> Readiness:
    if cached is None or (status.fraction is not None and status.fraction >= cached):
        return Readiness(ready=True)
    if status.total and status.capacity is not None and status.capacity < cached * status.total:
        room = f"{format_size(status.capacity)} of {format_size(status.total)}"
        most = f"{status.capacity / status.total:.1%}"
        return Readiness(
            waiting_for=f"{cached:.0%} cached",
            hopeless=f"{cached:.0%} can never be cached: the cache has room for {room}, {most}.",
        )
    return Readiness(
        waiting_for=f"{cached:.0%} cached" + (" (its size is being counted)" if status.calculating else "")
    )
