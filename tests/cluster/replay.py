"""Plays a recording's inputs to the double, in simulated time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from datafluid.model.quantity import parse_size
from datafluid.model.ref import Ref
from tests.cluster.double import cast
from tests.cluster.double.engine import Figures
from tests.cluster.double.simulation import Simulation
from tests.cluster.double.world import Create, Delete, Faults, Patch
from tests.cluster.recordings import Input, Recording, in_scope, is_bound
from tests.cluster.stories import Moment, labels_of_datasets, story, told

_NODES = {"n0": "z-a", "n1": "z-a", "n2": "z-b", "n3": "z-b", "n4": "z-c"}
_USED = re.compile(r"used ([\d.]+)([KMG])B")
_READS = re.compile(r"reads local (\d+)MB remote (\d+)MB ufs (\d+)MB")
_TAIL = 6.0  # seconds that the double may be later with its last change
_PATIENCE = 25.0
_PROFILE = {"fileSystemType": "nfs", "fuse": {"image": "fluidcloudnative/nfs", "imageTag": "v0.1"}}


@dataclass(frozen=True, slots=True)
class Replay:
    """What the double did.

    Args:
        late: Seconds that it was behind the recording in the end.
    """

    simulation: Simulation
    recording: Recording
    late: float

    def story(self) -> list[Moment]:
        """What changed, as `recordings.story` tells it."""
        start, wanted = self.simulation.start, self.recording.namespaces
        changes = [(e.t - start, e.change.type, e.change.object) for e in self.simulation.log if e.change is not None]
        return story([each for each in changes if in_scope(each[2]["kind"], each[2], wanted)])

    def node_labels(self) -> dict[tuple[str, str], int]:
        """See `Recording.node_labels`."""
        changes = [entry.change for entry in self.simulation.log if entry.change is not None]
        nodes = [each.object for each in changes if each.object["kind"] == "Node"]
        return labels_of_datasets(nodes, self.recording.namespaces)

    def told(self) -> dict[tuple[str, str, str, str], int]:
        """The events up to the end of the recording."""
        end = self.simulation.start + self.recording.end + self.late
        entries = [(e.told, e.count) for e in self.simulation.log if e.told is not None and e.t < end]
        return told((each.ref, each.type, each.reason, each.message, count) for each, count in entries)


def replayed(recording: Recording) -> Replay:
    """Play all inputs, and then some seconds more."""
    simulation = Simulation(
        [*cast.fluid(), *cast.nodes(), *cast.kubernetes()], start=recording.start, faults=Faults(gate=recording.gate)
    )
    simulation.world.helm = recording.helm
    engine = simulation.world.engine
    engine.default = Figures(cached=recording.cached_at_first())
    for name, zone in _NODES.items():
        labels = {
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/zone": zone,
            "topology.kubernetes.io/region": "r1",
        }
        simulation.submit(
            Create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": {}})
        )
    profile = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "ThinRuntimeProfile",
        "metadata": {"name": "demo-profile"},
    }
    simulation.submit(Create(profile | {"spec": _PROFILE}))
    late = 0.0
    for each in recording.inputs:
        simulation.run(each.t + late)
        late = max(late, _lateness(simulation, recording, each.t))
        simulation.run(each.t + late)
        _do(simulation, recording, each)
    simulation.run(recording.end + late + _TAIL)
    return Replay(simulation, recording, late)


def _lateness(simulation: Simulation, recording: Recording, t: float) -> float:
    """Wait as the driver of the recording waited, until what was Bound is Bound; how much later that is."""
    wanted = recording.bound_at(t)
    begun = simulation.world.now
    missing = [ref for ref in wanted if not _is_bound(simulation, ref)]
    if not missing:
        return 0.0
    while any(not _is_bound(simulation, ref) for ref in missing) and simulation.world.now < begun + _PATIENCE:
        simulation.run(simulation.world.now - simulation.start + 0.02)
    return simulation.world.now - simulation.start - max(wanted[ref] for ref in missing)


def _is_bound(simulation: Simulation, ref: Ref) -> bool:
    found = simulation.world.get(ref)
    return found is not None and is_bound(found)


def _do(simulation: Simulation, recording: Recording, step: Input) -> None:
    if step.action == "note":
        _note(simulation, step.body)
    elif not step.accepted or step.ref is None:
        return
    elif step.action == "create" and step.ref not in simulation.world.objects:
        simulation.submit(Create(step.body))
    elif step.action == "patch":
        simulation.submit(Patch(step.ref, step.body))
        if "mounts" in (step.body.get("spec") or {}):  # until a note says that the engine has it
            simulation.world.engine.late_mounts.add(step.ref.name)
    elif step.action == "delete":
        ref: Ref = step.ref
        if ref.namespace is None and ref not in simulation.world.objects:
            ref = Ref(ref.kind, ref.name, recording.namespaces[0])
        simulation.submit(Delete(ref))


def _note(simulation: Simulation, text: str) -> None:
    engine = simulation.world.engine
    if found := _USED.search(text):
        engine.default = Figures(cached=parse_size(f"{found[1]}{found[2]}iB") or 0, reads=engine.default.reads)
    if reads := _READS.search(text):
        local, remote, store = (int(number) << 20 for number in reads.groups())
        engine.default = Figures(cached=engine.default.cached, reads=(local, remote, store))
    if "is now mounted" in text or "is gone" in text:
        engine.late_mounts.clear()
    if "started again" in text:
        simulation.restart(["dataset", "dataload", "datamigrate", "dataprocess", "databackup"])
