"""Surroundings of the controller that tests steer: no disk, no store, no process."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.home import Home
from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.reconcile.dataset import Probe
from datafluid.engine.reconcile.tiers import Machine
from datafluid.engine.reconcile.values import Totals
from datafluid.model.ref import Ref

GIB = 1 << 30
NOW = 1_800_000_000.0


@dataclass
class World:
    """What the controller sees; change the fields and advance."""

    now: float = NOW
    free: int = 50 * GIB
    unusable: dict[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unreachable: str = ""
    totals: Totals | None = None
    probes: int = 0
    started: list[tuple[str, int]] = field(default_factory=list)
    running: set[tuple[str, int]] = field(default_factory=set)
    deadly: bool = False
    forgotten: list[str] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def machine(self, tier_paths: Sequence[str]) -> Machine:
        return Machine(cache="/home/cache", memory="/dev/shm", free=self.free, unusable=self.unusable)

    def ignored_options(self, dataset: Mapping[str, Any]) -> tuple[str, ...]:
        return self.ignored

    def probe(self, binding: Binding) -> Probe:
        self.probes += 1
        return Probe(error=self.unreachable)

    def count(self, binding: Binding, *, seconds: float) -> Totals | None:
        return self.totals

    def forget(self, uid: str, *, but: Collection[str] = ()) -> None:
        if not but:
            self.forgotten.append(uid)

    def alive(self, uid: str, scheduled: int) -> bool:
        return (uid, scheduled) in self.running

    def start(self, uid: str, scheduled: int) -> bool:
        self.started.append((uid, scheduled))
        if not self.deadly:
            self.running.add((uid, scheduled))
        return True


def plane_in(path: Path, world: World) -> EmbeddedPlane:
    """An embedded plane in a directory whose surroundings are a `World`."""
    return EmbeddedPlane(Home.open(path), surroundings=world, clock=world.clock, check=lambda resource: dict(resource))


def end_run(plane: EmbeddedPlane, world: World, ref: Ref, *, phase: str = "Complete", message: str = "done") -> None:
    """What a worker does when it has finished its newest run."""
    uid = plane.get(ref)["metadata"]["uid"]
    run = next(run for run in plane.registry.runs(uid) if run.active)
    with plane.registry.transaction() as records:
        records.end_run(uid, run.scheduled, phase=phase, reason="Tested", message=message, now=world.now)
    world.running.discard((uid, run.scheduled))
    plane.advance(ref)


def dataset(name: str = "demo", namespace: str = "ns", url: str = "local:///data", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"mounts": [{"mountPoint": url, "name": "data"}]} | spec,
    }


def runtime(name: str = "demo", kind: str = "AlluxioRuntime", namespace: str = "ns", **spec: Any) -> dict[str, Any]:
    level = {"mediumtype": "MEM", "path": "/dev/shm", "quota": "2Gi", "high": "0.95", "low": "0.7"}
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "tieredstore": {"levels": [level]}} | spec,
    }


def operation(
    name: str = "load",
    kind: str = "DataLoad",
    namespace: str = "ns",
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = {f"datafluid.io/{key}": value for key, value in annotations.items()}
    body: dict[str, Any] = {"dataset": {"name": "demo", "namespace": "ns"}}
    return {"apiVersion": "data.fluid.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": body | spec}
