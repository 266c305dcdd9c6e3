"""The double is a program: other names, numbers, mounts and orders give corresponding outcomes."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster import scenes
from tests.cluster.double import cast
from tests.cluster.double.simulation import Simulation
from tests.cluster.double.world import Create, Delete, Faults, Patch

_START = 1_795_455_000.0
_NODES = ("n0", "n1", "n2", "n3", "n4")


def begun(*manifests: Manifest, faults: Faults | None = None) -> Simulation:
    """A cluster of five nodes in which this was declared."""
    simulation = Simulation([*cast.fluid(), *cast.nodes(), *cast.kubernetes()], start=_START, faults=faults)
    simulation.submit(*(Create(scenes.node(name)) for name in _NODES), Create(scenes.PROFILE))
    simulation.submit(*(Create(each) for each in manifests))
    return simulation


def status(simulation: Simulation, kind: str, name: str = "demo", namespace: str = "a") -> Any:
    """What is known of an object."""
    return (simulation.world.objects[Ref(kind, name, namespace)].get("status")) or {}


def phases(simulation: Simulation, ref: Ref) -> list[str]:
    """The phases that an object went through."""
    seen = []
    for entry in simulation.log:
        if entry.change is not None and entry.change.ref == ref and entry.change.type != "DELETED":
            seen.append((entry.change.object.get("status") or {}).get("phase", ""))
    return [phase for phase, _ in itertools.groupby(seen)]


def shape(simulation: Simulation, replaced: dict[str, str]) -> list[str]:
    """All that happened, with names put back, and without uids and versions."""
    lines = []
    for entry in simulation.log:
        told: Any = entry.told
        if entry.change is not None:
            found = entry.change.object
            kept = {key: value for key, value in found["metadata"].items() if key in ("labels", "name", "finalizers")}
            told = [entry.change.type, found["kind"], kept, found.get("status")]
        line = json.dumps(told, sort_keys=True, default=str)
        for new, old in replaced.items():
            line = line.replace(new, old)
        lines.append(f"{entry.t - _START:.2f} {line}")
    return lines


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
@settings(max_examples=6)
@given(name=st.from_regex(r"q[a-z]{2,8}q", fullmatch=True), namespace=st.from_regex(r"w[a-z]{2,8}w", fullmatch=True))
def test_other_names_give_the_same_story_with_those_names(kind: str, name: str, namespace: str) -> None:
    plain = begun(scenes.dataset(kind, "xdemox", "yspacey"), scenes.runtime(kind, "xdemox", "yspacey"))
    other = begun(scenes.dataset(kind, name, namespace), scenes.runtime(kind, name, namespace))
    plain.run(150)
    other.run(150)
    assert shape(other, {name: "xdemox", namespace: "yspacey"}) == shape(plain, {})


@pytest.mark.parametrize("kind", ["AlluxioRuntime", "JuiceFSRuntime"])
@pytest.mark.parametrize("replicas", [1, 2, 4])
def test_so_many_workers_so_much_capacity_and_so_many_labelled_nodes(kind: str, replicas: int) -> None:
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a", replicas=replicas))
    simulation.run(60)
    assert status(simulation, kind)["workerNumberReady"] == replicas
    assert status(simulation, "Dataset")["cacheStates"]["cacheCapacity"] == f"{2 * replicas}.00GiB"
    labelled = [n for n in simulation.world.of("v1/Node") if "fluid.io/s-a-demo" in n["metadata"]["labels"]]
    assert len(labelled) == replicas


def test_more_workers_than_nodes_leave_the_rest_pending() -> None:
    kind = "JuiceFSRuntime"
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a", replicas=7))
    simulation.run(60)
    assert status(simulation, kind)["workerPhase"] == "PartialReady"
    assert status(simulation, kind)["workerNumberReady"] == len(_NODES)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_whatever_is_declared_first_all_of_it_is_done(order: tuple[int, ...]) -> None:
    kind = "JuiceFSRuntime"
    three = [scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a"), scenes.load("warm", "demo", "a")]
    simulation = begun()
    for number in order:
        simulation.submit(Create(three[number]))
        simulation.run(simulation.world.now - _START + 3.0)
    simulation.run(120)
    assert status(simulation, "Dataset")["phase"] == "Bound"
    assert status(simulation, "DataLoad", "warm")["phase"] == "Complete"


def test_mounts_that_are_added_are_mounted_at_the_next_sync() -> None:
    kind = "AlluxioRuntime"
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a"))
    simulation.run(60)
    mounts = [*status(simulation, "Dataset")["mounts"], {"mountPoint": "https://other.example.com/x", "name": "x"}]
    simulation.submit(Patch(Ref("Dataset", "demo", "a"), {"spec": {"mounts": mounts}}))
    simulation.run(61)
    assert len(status(simulation, "Dataset")["mounts"]) == 1
    simulation.run(160)
    assert status(simulation, "Dataset")["mounts"] == mounts
    assert phases(simulation, Ref("Dataset", "demo", "a"))[-3:] == ["Bound", "Updating", "Bound"]


def test_scaling_is_followed() -> None:
    kind = "AlluxioRuntime"
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a", replicas=1))
    simulation.run(60)
    simulation.submit(Patch(Ref(kind, "demo", "a"), {"spec": {"replicas": 3}}))
    simulation.run(160)
    assert status(simulation, kind)["workerNumberReady"] == 3
    assert status(simulation, "Dataset")["cacheStates"]["cacheCapacity"] == "6.00GiB"
    simulation.submit(Patch(Ref(kind, "demo", "a"), {"spec": {"replicas": 0}}))
    simulation.run(320)
    assert (status(simulation, kind)["workerNumberReady"], status(simulation, kind)["workerPhase"]) == (0, "Ready")


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_nothing_is_left_of_what_is_deleted(kind: str) -> None:
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a"))
    simulation.run(60)
    simulation.submit(Delete(Ref("Dataset", "demo", "a")))
    simulation.run(160)
    left = [ref for ref in simulation.world.objects if ref.kind not in ("v1/Node", "ThinRuntimeProfile")]
    assert left == []
    for found in simulation.world.of("v1/Node"):
        assert not [key for key in found["metadata"]["labels"] if "fluid" in key]


def test_a_thin_runtime_waits_for_its_profile() -> None:
    late = scenes.runtime("ThinRuntime", "demo", "a")
    late["spec"]["profileName"] = "late"
    simulation = begun(scenes.dataset("ThinRuntime", "demo", "a"), late)
    simulation.run(30)
    assert status(simulation, "Dataset")["phase"] == "NotBound"
    simulation.submit(Create(scenes.PROFILE | {"metadata": {"name": "late"}}))
    simulation.run(60)
    assert status(simulation, "Dataset")["phase"] == "Bound"


def test_an_operation_of_another_namespace_fails_and_vanishes() -> None:
    stray = scenes.load("stray", "demo", "a")
    stray["metadata"]["namespace"] = "b"
    kind = "JuiceFSRuntime"
    simulation = begun(scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a"))
    simulation.run(30)
    simulation.submit(Create(stray))
    simulation.run(32)
    assert phases(simulation, Ref("DataLoad", "stray", "b"))[-1] == "Failed"
    assert Ref("DataLoad", "stray", "b") not in simulation.world.objects


def test_misbehaviour_is_on_request() -> None:
    kind = "JuiceFSRuntime"
    declared = scenes.dataset(kind, "demo", "a"), scenes.runtime(kind, "demo", "a"), scenes.load("warm", "demo", "a")
    slow = begun(*declared, faults=Faults(slow=10.0))
    slow.run(15)
    assert status(slow, "Dataset")["phase"] == "NotBound"
    crashing = begun(*declared, faults=Faults(crash_looping=frozenset({"demo"})))
    crashing.run(100)
    assert (status(crashing, "Dataset")["phase"], status(crashing, kind)["workerPhase"]) == ("NotBound", "NotReady")
    losing = begun(*declared, faults=Faults(losing=frozenset({"warm"})))
    losing.run(60)
    assert phases(losing, Ref("DataLoad", "warm", "a"))[-1] == "Complete"
    assert Ref("DataLoad", "warm", "a") not in losing.world.objects
    flapping = begun(*declared, faults=Faults(flapping=frozenset({"demo"})))
    flapping.run(300)
    assert phases(flapping, Ref("Dataset", "demo", "a"))[1:] == ["NotBound", "Bound", "Failed", "Bound"]
