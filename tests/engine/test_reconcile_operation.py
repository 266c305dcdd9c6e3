"""Operations that run once, as Fluid words them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafluid.engine import registry as registry_module
from datafluid.engine.plane import EmbeddedPlane
from datafluid.errors import Conflict, NotFound
from datafluid.model.ref import Ref
from tests.engine.world import World, dataset, end_run, operation, plane_in

LOAD = Ref("DataLoad", "load", "ns")
DEMO = Ref("Dataset", "demo", "ns")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def plane(tmp_path: Path, world: World) -> EmbeddedPlane:
    return plane_in(tmp_path / "home", world)


@pytest.fixture
def bound(plane: EmbeddedPlane) -> EmbeddedPlane:
    """A plane with a Bound dataset."""
    plane.apply(dataset())
    plane.advance(DEMO)
    return plane


def status(plane: EmbeddedPlane, ref: Ref = LOAD) -> dict[str, Any]:
    found: dict[str, Any] = plane.get(ref).get("status", {})
    return found


def events(plane: EmbeddedPlane, ref: Ref = LOAD) -> list[tuple[str, str, str]]:
    return [(event.type, event.reason, event.message) for event in plane.events(ref)]


def test_a_load_runs_through_fluids_phases(bound: EmbeddedPlane, world: World) -> None:
    """Transcript 17b: Pending, Executing, Complete with the duration since its creation."""
    bound.apply(operation())
    bound.controller.step(LOAD)
    pending = {"conditions": [], "duration": "Unfinished", "phase": "Pending", "waitingFor": {}}
    assert status(bound) == pending
    metadata = bound.get(LOAD)["metadata"]
    assert metadata["finalizers"] == ["fluid-dataload-controller-finalizer"]
    assert metadata["ownerReferences"][0]["kind"] == "Dataset"
    bound.controller.step(LOAD)
    assert status(bound) == pending | {"phase": "Executing"}
    assert bound.get(DEMO)["status"]["operationRef"] == {"DataLoad": "load"}
    world.now += 88
    end_run(bound, world, LOAD, message="loaded 3 files")
    (condition,) = status(bound)["conditions"]
    assert (condition["type"], condition["status"], condition["message"]) == ("Complete", "True", "loaded 3 files")
    assert (status(bound)["phase"], status(bound)["duration"]) == ("Complete", "1m28s")
    assert ("Normal", "DataOperationSucceed", "DataLoad load succeeded") in events(bound)
    assert "operationRef" not in bound.get(DEMO)["status"]


def test_a_failure_tells_its_cause(bound: EmbeddedPlane, world: World) -> None:
    """Fluid's event and condition, with the cause that Fluid leaves in a pod's log."""
    bound.apply(operation())
    bound.advance(LOAD)
    end_run(bound, world, LOAD, phase="Failed", message="2 of 5 files could not be loaded")
    assert status(bound)["phase"] == "Failed"
    assert status(bound)["conditions"][0]["type"] == "Failed"
    assert ("Warning", "DataOperationFailed", "DataLoad load failed") in events(bound)
    assert ("Warning", "DataOperationExecutionFailed", "2 of 5 files could not be loaded") in events(bound)


def test_before_the_dataset_is_bound_a_load_waits_without_a_phase(plane: EmbeddedPlane, world: World) -> None:
    """Transcripts 17b and 18b: TargetDatasetNotFound, then RuntimeNotReady, then it runs by itself."""
    plane.apply(operation())
    plane.advance(LOAD)
    missing = 'Target dataset not found: Dataset.data.fluid.io "demo" not found'
    assert events(plane) == [("Warning", "TargetDatasetNotFound", missing)]
    world.unreachable = "away"
    plane.apply(dataset())
    plane.advance(LOAD)
    assert ("Normal", "RuntimeNotReady", "Bounded accelerate runtime not ready") in events(plane)
    assert status(plane) == {}
    world.unreachable = ""
    plane.advance(LOAD)
    assert status(plane)["phase"] == "Executing"


def test_the_same_event_is_counted_at_fluids_pace(plane: EmbeddedPlane, world: World) -> None:
    """However often somebody looks, an event is counted once in twenty seconds."""
    plane.apply(operation())
    for _ in range(5):
        plane.advance(LOAD)
    assert plane.events(LOAD)[0].count == 1
    world.now += 21
    plane.advance(LOAD)
    assert plane.events(LOAD)[0].count == 2


@pytest.mark.parametrize("kind", ["DataProcess", "DataBackup"])
def test_what_no_machine_alone_can_do_fails_as_unsupported(bound: EmbeddedPlane, kind: str) -> None:
    """Transcript 05: Executing, then Failed with DataOperationNotSupport and DataOperationFailed."""
    ref = Ref(kind, "op", "ns")
    spec: dict[str, Any] = {"dataset": "demo"} if kind == "DataBackup" else {}
    bound.apply(operation("op", kind, **spec))
    bound.advance(ref)
    assert status(bound, ref)["phase"] == "Failed"
    found = events(bound, ref)
    assert [reason for _, reason, _ in found] == ["DataOperationNotSupport", "DataOperationFailed"]
    assert found[0][2].startswith(f"RuntimeType datafluid not support {kind}")
    assert found[1][2] == f"{kind} op failed"


def test_run_after_waits_for_its_predecessor(bound: EmbeddedPlane, world: World) -> None:
    """Transcript 07: waitingFor turns false when the predecessor is Complete."""
    after = {"kind": "DataLoad", "name": "first", "namespace": "ns", "apiVersion": "data.fluid.io/v1alpha1"}
    bound.apply(operation(runAfter=after))
    bound.advance(LOAD)
    assert status(bound)["waitingFor"] == {"operationComplete": True}
    assert ("Warning", "DataOperationNotFound", 'Preceding operation DataLoad "ns/first" not found') in events(bound)
    bound.apply(operation("first"))
    bound.advance(LOAD)
    waiting = 'Waiting for operation DataLoad "ns/first" to complete'
    assert ("Normal", "DataOperationWaiting", waiting) in events(bound)
    end_run(bound, world, Ref("DataLoad", "first", "ns"))
    bound.advance(LOAD)
    assert status(bound)["waitingFor"] == {"operationComplete": False}
    assert status(bound)["phase"] == "Executing"


def test_operations_that_wait_for_each_other_wait_for_ever(bound: EmbeddedPlane) -> None:
    """A circle neither runs nor hangs the caller."""
    for name, other in (("load", "second"), ("second", "load")):
        after = {"kind": "DataLoad", "name": other, "namespace": "ns"}
        bound.apply(operation(name, runAfter=after))
    bound.advance(LOAD)
    assert status(bound)["phase"] == "Pending"


def test_a_dead_process_is_started_again_but_not_for_ever(bound: EmbeddedPlane, world: World) -> None:
    """A free lock means dead; after four processes without progress the load has failed."""
    world.deadly = True
    bound.apply(operation())
    for _ in range(6):
        bound.advance(LOAD)
    assert len(world.started) == 4
    assert status(bound)["phase"] == "Failed"
    assert status(bound)["conditions"][0]["reason"] == "BackoffLimitExceeded"


def test_progress_earns_more_attempts(bound: EmbeddedPlane, world: World) -> None:
    """A load that gets further each time it is killed is resumed each time."""
    bound.apply(operation())
    bound.advance(LOAD)
    uid = bound.get(LOAD)["metadata"]["uid"]
    for done in range(1, 10):
        with bound.registry.transaction() as records:
            records.progress_run(uid, 0, {"bytesDone": done})
        world.running.clear()
        bound.advance(LOAD)
    assert len(world.started) == 10
    assert status(bound)["phase"] == "Executing"
    assert status(bound)["progress"] == {"bytesDone": 9}


def test_ttl_deletes_after_the_end(bound: EmbeddedPlane, world: World) -> None:
    """ttlSecondsAfterFinished counts from the end, and a watcher sees how it ended."""
    bound.apply(operation(ttlSecondsAfterFinished=20))
    bound.advance(LOAD)
    since = bound.registry.version()
    end_run(bound, world, LOAD)
    bound.advance(LOAD)
    assert status(bound)["phase"] == "Complete"
    world.now += 20
    bound.advance(LOAD)
    with pytest.raises(NotFound):
        bound.get(LOAD)
    events_seen, _ = bound.registry.changes("DataLoad", since=since)
    assert [(each.type, each.object["status"]["phase"]) for each in events_seen] == [("DELETED", "Complete")]


def test_a_watch_tells_when_a_run_has_ended(
    bound: EmbeddedPlane, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No object speaks of it yet: who waits moves the load on, and need not wait until its process does."""
    bound.apply(operation())
    bound.advance(LOAD)
    uid = bound.get(LOAD)["metadata"]["uid"]

    def end_meanwhile(seconds: float) -> None:
        with bound.registry.transaction() as records:
            records.end_run(uid, 0, phase="Complete", reason="Tested", message="", now=world.now)

    monkeypatch.setattr(registry_module.time, "sleep", end_meanwhile)
    since = str(bound.registry.version())
    assert next(bound.watch("DataLoad", namespace="ns", since=since, timeout=60)).type == "BOOKMARK"


def test_cancelling_tells_the_process(bound: EmbeddedPlane, world: World) -> None:
    """The annotation becomes a flag that the process sees; a process that is dead just ends."""
    bound.apply(operation())
    bound.advance(LOAD)
    bound.apply(operation(annotations={"cancel": "true"}))
    bound.advance(LOAD)
    uid = bound.get(LOAD)["metadata"]["uid"]
    assert bound.registry.runs(uid)[0].cancelled
    assert status(bound)["phase"] == "Executing"
    world.running.clear()
    bound.advance(LOAD)
    assert status(bound)["phase"] == "Failed"
    assert status(bound)["conditions"][0]["reason"] == "Cancelled"
    assert len(world.started) == 1


def test_cancelling_before_it_began_ends_it(bound: EmbeddedPlane, world: World) -> None:
    """A load that waits for another never starts."""
    after = {"kind": "DataLoad", "name": "first", "namespace": "ns"}
    bound.apply(operation(runAfter=after))
    bound.advance(LOAD)
    bound.apply(operation(runAfter=after, annotations={"cancel": "true"}))
    bound.advance(LOAD)
    assert status(bound)["conditions"][0]["reason"] == "Cancelled"
    assert world.started == []


def test_a_finished_load_does_not_change_silently(bound: EmbeddedPlane, world: World) -> None:
    """Another spec under the same name is refused, the same spec changes nothing, and replace runs it again."""
    bound.apply(operation())
    bound.advance(LOAD)
    other = operation(target=[{"path": "/other"}])
    with pytest.raises(Conflict, match="Executing"):
        bound.apply(other)
    end_run(bound, world, LOAD)
    with pytest.raises(Conflict, match="would not run again"):
        bound.apply(other)
    before = bound.get(LOAD)
    bound.apply(operation())
    assert bound.get(LOAD) == before
    bound.apply(other, replace=True)
    assert bound.get(LOAD)["metadata"]["uid"] != before["metadata"]["uid"]
    assert status(bound) == {}


def test_deleting_a_running_load_stops_it_first(bound: EmbeddedPlane, world: World) -> None:
    """The object goes when its process has ended."""
    bound.apply(operation())
    bound.advance(LOAD)
    with bound.registry.transaction() as records:
        found = records.find(LOAD)
        assert found is not None
        found["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"
        records.put(found)
    bound.advance(LOAD)
    assert bound.registry.runs(bound.get(LOAD)["metadata"]["uid"])[0].cancelled
    world.running.clear()
    bound.advance(LOAD)
    assert bound.registry.find(LOAD) is None


def test_a_load_of_another_namespace_is_refused(bound: EmbeddedPlane) -> None:
    """Fluid sets it Failed and it vanishes; here it says why."""
    bound.apply(operation(namespace="elsewhere"))
    ref = Ref("DataLoad", "load", "elsewhere")
    bound.advance(ref)
    assert status(bound, ref)["phase"] == "Failed"
    assert "namespace" in status(bound, ref)["conditions"][0]["message"]
