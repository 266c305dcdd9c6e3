"""The statuses of runtimes and datasets, from the objects and from what the engine says."""

from __future__ import annotations

from typing import Any

from datafluid.engine.reconcile.values import (
    condition,
    find_condition,
    go_duration,
    parse_time,
    status_of,
    with_condition,
)
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.engine import Figures, percent, size
from tests.cluster.double.traits import ALLUXIO, JUICEFS, Identity, Trait, capacity, physical_of, replicas_of
from tests.cluster.double.world import World

_TOLD = {
    "MasterInitialized": ("Master is initialized", "The master is initialized."),
    "MasterReady": ("Master is ready", "The master is ready."),
    "WorkersInitialized": ("Workers are initialized", "The workers are initialized."),
    "WorkersReady": ("Workers are ready", "The workers are ready."),
    "FusesInitialized": ("Fuses are initialized", "The fuse is initialized."),
    "FusesReady": ("Fuses are ready", "The fuses are ready."),
    "WorkersScaledOut": ("Workers scaled out", "The workers are scaled out."),
    "WorkersScaledIn": ("Workers scaled in", "The workers are scaled in."),
}
_THIN_STATES = ("cacheCapacity", "cacheHitRatio", "cacheThroughputRatio", "cached", "cachedPercentage")
_NUMBERS = (
    "currentFuseNumberScheduled",
    "currentMasterNumberScheduled",
    "currentWorkerNumberScheduled",
    "desiredFuseNumberScheduled",
    "desiredMasterNumberScheduled",
    "desiredWorkerNumberScheduled",
    "fuseNumberReady",
    "masterNumberReady",
    "workerNumberReady",
)


def fresh() -> Manifest:
    """A runtime's status with nothing in it yet."""
    phases = {"fusePhase": "", "masterPhase": "", "workerPhase": "", "valueFile": ""}
    return {"conditions": [], **dict.fromkeys(_NUMBERS, 0), **phases}


def told(status: Manifest, kind: str, world: World, *, true: bool = True) -> None:
    """Set a condition of a runtime."""
    reason, message = _TOLD[kind]
    message = message if true else message.replace(" are ", " are not ").replace(" is ", " is not ")
    with_condition(status, condition(kind, true, reason, message), world.now, stamp="lastProbeTime")


def workload(world: World, runtime: Manifest, component: str) -> Manifest | None:
    """The StatefulSet or DaemonSet of a component."""
    kind = "DaemonSet" if component == "fuse" else "StatefulSet"
    metadata = runtime["metadata"]
    return world.get(Ref(f"apps/v1/{kind}", f"{metadata['name']}-{component}", metadata["namespace"]))


def count_workers(world: World, runtime: Manifest, status: Manifest) -> None:
    """Numbers and phase of the workers, as their StatefulSet has them."""
    found = workload(world, runtime, "worker")
    if found is None:
        return
    state = found.get("status") or {}
    wanted = found["spec"]["replicas"]
    ready = min(state.get("readyReplicas", 0), wanted)
    status["desiredWorkerNumberScheduled"] = wanted
    status["currentWorkerNumberScheduled"] = state.get("replicas", 0)
    _ready(status, "worker", ready, state.get("replicas", 0))
    status["workerPhase"] = "Ready" if ready >= wanted else "PartialReady" if ready else "NotReady"
    told(status, "WorkersReady", world, true=ready > 0 or wanted == 0)


def count_masters(world: World, runtime: Manifest, status: Manifest) -> None:
    """Numbers and phase of the masters."""
    found = workload(world, runtime, "master")
    wanted = replicas_of(runtime, "master")
    state = (found or {}).get("status") or {}
    ready = state.get("readyReplicas", 0)
    status["desiredMasterNumberScheduled"] = wanted
    status["currentMasterNumberScheduled"] = state.get("replicas", 0) if ready else 0
    status["masterNumberReady"] = ready
    status["masterPhase"] = "Ready" if ready >= wanted else "NotReady"
    told(status, "MasterReady", world, true=ready >= wanted)


def count_fuses(world: World, runtime: Manifest, status: Manifest) -> None:
    """Numbers and phase of the FUSE pods: 0 wanted is Ready, for they come with the pods that mount."""
    found = workload(world, runtime, "fuse")
    state = (found or {}).get("status") or {}
    wanted = state.get("desiredNumberScheduled", 0)
    status["desiredFuseNumberScheduled"] = wanted
    status["currentFuseNumberScheduled"] = state.get("currentNumberScheduled", 0)
    _ready(status, "fuse", state.get("numberReady", 0), wanted)
    status["fusePhase"] = "Ready"


def _ready(status: Manifest, component: str, ready: int, wanted: int) -> None:
    status[f"{component}NumberReady"] = ready
    for name, number in (("Available", ready), ("Unavailable", wanted - ready)):
        if number > 0:
            status[f"{component}Number{name}"] = number
        else:
            status.pop(f"{component}Number{name}", None)


def cache_states(world: World, trait: Trait, runtime: Manifest, figures: Figures) -> dict[str, str]:
    """``cacheStates`` as this engine tells them; empty strings for what it does not know."""
    if trait is JUICEFS:
        fuse = (runtime.get("status") or {}).get("fuseNumberReady", 0)
        known = figures if fuse else None
        ratio = "90.0%" if known else ""
        cached = {"cached": size(known.cached), "cachedPercentage": percent(known.cached, known.total)} if known else {}
        ratios = dict.fromkeys(("cacheHitRatio", "cacheThroughputRatio"), ratio)
        workers = replicas_of(runtime)
        return {
            "cached": "",
            "cachedPercentage": "",
            **ratios,
            **cached,
            "cacheCapacity": size(capacity(runtime) * workers),
        }
    if trait is ALLUXIO:
        return _alluxio_states(runtime, figures)
    return dict.fromkeys(_THIN_STATES, "N/A")


def _alluxio_states(runtime: Manifest, figures: Figures) -> dict[str, str]:
    names = [f"{scope}{what}Ratio" for what in ("Hit", "Throughput") for scope in ("cache", "local", "remote")]
    ratios = dict.fromkeys(names, "")
    if "cacheStates" in (runtime.get("status") or {}) and (read := sum(figures.reads)):  # not at the first time
        local, remote, _ = figures.reads
        shares = {"cache": local + remote, "local": local, "remote": remote}
        ratios = {
            f"{scope}{what}Ratio": percent(shares[scope], read) for what in ("Hit", "Throughput") for scope in shares
        }
    return {
        "cacheCapacity": size(capacity(runtime) * replicas_of(runtime)),
        "cached": size(figures.cached),
        "cachedPercentage": percent(figures.cached, figures.total) if figures.total else "",
        **ratios,
    }


def cache_affinity(world: World, runtime: Manifest) -> dict[str, Any]:
    """A copy of the worker StatefulSet's node affinity, its empty required terms included."""
    found = workload(world, runtime, "worker") or {}
    pod = found.get("spec", {}).get("template", {}).get("spec", {})
    affinity = pod.get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": []})
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])
    return {
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        "requiredDuringSchedulingIgnoredDuringExecution": required,
    }


def setup_duration(world: World, runtime: Manifest) -> str:
    """How long it took, as Fluid prints it."""
    return go_duration(world.now - (parse_time(runtime["metadata"]["creationTimestamp"]) or 0.0) + 0.5)


def bound(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Manifest:
    """A Dataset's status at the moment at which it becomes Bound."""
    status = status_of(dataset)
    reason, message = "DatasetReady", "The ddc runtime is ready."
    with_condition(status, condition("Ready", True, reason, message), world.now)
    identity = Identity.of(dataset)
    mine: Manifest = {
        "category": "Accelerate",
        "name": identity.name,
        "namespace": identity.namespace,
        "type": trait.type,
    }
    if trait is not JUICEFS:
        masters: Manifest = {}
    else:
        masters = {"masterReplicas": 1}
        status["cacheStates"] = runtime["status"]["cacheStates"]
    if trait is ALLUXIO:
        status["hcfs"] = {
            "endpoint": f"alluxio://{identity.name}-master-0.{identity.namespace}:19998",
            "underlayerFileSystemVersion": "3.3.0",
        }
        if (replicas := replicas_of(runtime, "master")) > 1:
            masters = {"masterReplicas": replicas}
    if reference := physical_of(dataset):
        mounts = (world.objects[reference[0]].get("status") or {}).get("mounts", [])
    else:
        mounts = dataset["spec"].get("mounts", [])
    return status | {"phase": "Bound", "mounts": mounts, "runtimes": [mine | masters]}


def has(runtime: Manifest, kind: str) -> bool:
    """Whether a runtime's status has a condition of this type, whatever it says."""
    return find_condition(runtime.get("status"), kind) is not None
