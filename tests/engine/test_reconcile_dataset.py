"""From NotBound to Bound and away, as Fluid words it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.reconcile.values import Totals, find_condition
from datafluid.errors import Conflict, NotFound, Unavailable
from datafluid.model.ref import Ref
from tests.engine.world import GIB, World, dataset, operation, plane_in, runtime

DEMO = Ref("Dataset", "demo", "ns")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def plane(tmp_path: Path, world: World) -> EmbeddedPlane:
    return plane_in(tmp_path / "home", world)


def status(plane: EmbeddedPlane, ref: Ref = DEMO) -> dict[str, Any]:
    found: dict[str, Any] = plane.get(ref).get("status", {})
    return found


def told(plane: EmbeddedPlane, kind: str, ref: Ref = DEMO) -> str:
    """The message of a condition; "" when there is none."""
    found = find_condition(status(plane, ref), kind)
    return found["message"] if found else ""


def reasons(plane: EmbeddedPlane, ref: Ref = DEMO) -> list[str]:
    return [event.reason for event in plane.events(ref)]


def test_steps_come_in_fluids_order(plane: EmbeddedPlane) -> None:
    """Transcripts 01 and 10: no status, then the finalizer and NotBound without conditions, then Bound."""
    plane.apply(dataset())
    plane.apply(runtime())
    assert "status" not in plane.get(DEMO)
    plane.controller.step(DEMO)
    assert status(plane) == {"conditions": [], "phase": "NotBound"}
    assert plane.get(DEMO)["metadata"]["finalizers"] == ["fluid-dataset-controller-finalizer"]
    plane.advance(DEMO)
    bound = plane.get(DEMO)
    assert bound["metadata"]["labels"] == {"fluid.io/dataset-id": "ns-demo"}
    assert bound["status"]["phase"] == "Bound"
    ready = {key: bound["status"]["conditions"][0][key] for key in ("type", "status", "reason", "message")}
    expected = {"type": "Ready", "status": "True", "reason": "DatasetReady", "message": "The ddc runtime is ready."}
    assert ready == expected
    kinds = {"category": "Accelerate", "name": "demo", "namespace": "ns", "type": "alluxio"}
    assert bound["status"]["runtimes"] == [kinds]
    assert bound["status"]["mounts"] == bound["spec"]["mounts"]


def test_a_bound_dataset_is_not_probed_again(plane: EmbeddedPlane, world: World) -> None:
    """Advancing what is settled asks no store anything and writes nothing."""
    plane.apply(dataset())
    plane.advance(DEMO)
    probes, version = world.probes, plane.registry.version()
    assert plane.advance(DEMO) is False
    assert (world.probes, plane.registry.version()) == (probes, version)


def test_unreachable_stays_not_bound_and_mending_binds(plane: EmbeddedPlane, world: World) -> None:
    """A wrong secret is told in an event; when it is right, the next advance binds without another apply."""
    world.unreachable = "Failed to reach the mount: access denied"
    plane.apply(dataset())
    plane.advance(DEMO)
    assert status(plane)["phase"] == "NotBound"
    assert "access denied" in told(plane, "Ready")
    assert "access denied" in plane.events(DEMO)[-1].message
    with pytest.raises(Unavailable, match="access denied"):
        plane.registry.binding("ns", "demo")
    world.unreachable = ""
    assert plane.advance(DEMO) is True
    assert status(plane)["phase"] == "Bound"
    assert plane.registry.binding("ns", "demo").name == "demo"


def test_failing_probes_do_not_wake_watchers(plane: EmbeddedPlane, world: World) -> None:
    """Trying again and failing again changes nothing: a waiter that advances does not wake itself up."""
    world.unreachable = "no route"
    plane.apply(dataset())
    plane.advance(DEMO)
    before = plane.registry.generation
    assert plane.advance(DEMO) is False
    assert plane.registry.generation == before


def test_totals_are_calculating_until_known(plane: EmbeddedPlane, world: World) -> None:
    """Transcript 17b: `[Calculating]`, then Fluid's two-decimal sizes."""
    plane.apply(dataset())
    plane.advance(DEMO)
    assert (status(plane)["ufsTotal"], status(plane)["fileNum"]) == ("[Calculating]", "[Calculating]")
    world.totals = Totals(size="443.50MiB", files=1152)
    assert plane.controller.count(DEMO, seconds=1.0) is True
    assert (status(plane)["ufsTotal"], status(plane)["fileNum"]) == ("443.50MiB", "1152")


def test_without_a_runtime_there_is_a_default_cache_and_it_says_so(plane: EmbeddedPlane, world: World) -> None:
    """A fifth of the free disk, found once, with a condition and an event."""
    world.free = 50 * GIB
    plane.apply(dataset())
    plane.advance(DEMO)
    (tier,) = plane.registry.binding("ns", "demo").tiers
    assert (tier.path, tier.quota, tier.account) == ("/home/cache", 10 * GIB, "")
    assert "10.00GiB" in told(plane, "DefaultCache")
    assert "DefaultCache" in reasons(plane)
    world.free = 5 * GIB
    assert plane.advance(DEMO) is False


def test_a_runtime_that_comes_later_takes_over(plane: EmbeddedPlane) -> None:
    """The cache moves to the runtime's tiers, and the condition about the default goes."""
    plane.apply(dataset())
    plane.advance(DEMO)
    plane.apply(runtime())
    plane.advance(DEMO)
    (tier,) = plane.registry.binding("ns", "demo").tiers
    uid = plane.get(DEMO)["metadata"]["uid"]
    assert (tier.medium, tier.path, tier.quota, tier.account) == ("MEM", "/dev/shm", 2 * GIB, uid)
    assert told(plane, "DefaultCache") == ""
    assert plane.get(Ref("AlluxioRuntime", "demo", "ns"))["status"]["workerPhase"] == "Ready"


def test_what_one_machine_cannot_mean_is_said(plane: EmbeddedPlane) -> None:
    """Replicas, host network and high availability are accepted and listed in one condition."""
    plane.apply(dataset(nodeAffinity={"required": {"nodeSelectorTerms": []}}))
    plane.apply(runtime(replicas=3, master={"replicas": 3, "networkMode": "HostNetwork"}))
    plane.advance(DEMO)
    message = told(plane, "OneMachine")
    assert status(plane)["phase"] == "Bound"
    for words in ("replicas: 3", "master.replicas: 3", "master.networkMode: HostNetwork", "nodeAffinity"):
        assert words in message
    assert "replicas: 3" in told(plane, "OneMachine", Ref("AlluxioRuntime", "demo", "ns"))


def test_unknown_mount_options_are_said(plane: EmbeddedPlane, world: World) -> None:
    """An option that nobody understands is a condition and a warning, not silence."""
    world.ignored = ("data: sparkle",)
    plane.apply(dataset())
    plane.advance(DEMO)
    assert told(plane, "MountOptionsIgnored") == "data: sparkle"
    assert "MountOptionsIgnored" in reasons(plane)


def test_an_unusable_tier_path_moves_and_is_said(plane: EmbeddedPlane, world: World) -> None:
    """A path of another machine does not keep the dataset from being read."""
    world.unusable = {"/dev/shm": "Permission denied"}
    plane.apply(dataset())
    plane.apply(runtime())
    plane.advance(DEMO)
    assert plane.registry.binding("ns", "demo").tiers[0].path == "/home/cache"
    assert "Permission denied" in told(plane, "TierMoved")


def test_a_change_that_fails_keeps_serving_the_old_mounts(plane: EmbeddedPlane, world: World) -> None:
    """Fluid's Updating: the binding of before stays until the new mounts are reached."""
    plane.apply(dataset())
    plane.advance(DEMO)
    world.unreachable = "no such bucket"
    plane.apply(dataset(url="s3://typo/x"))
    plane.advance(DEMO)
    assert status(plane)["phase"] == "Updating"
    assert plane.registry.binding("ns", "demo").mounts[0].url == "local:///data"
    world.unreachable = ""
    plane.advance(DEMO)
    assert status(plane)["phase"] == "Bound"
    assert plane.registry.binding("ns", "demo").mounts[0].url == "s3://typo/x"


def test_a_reference_dataset_shares_its_physical_ones_bytes(plane: EmbeddedPlane) -> None:
    """Transcript 02: the reference is Bound after the physical one and has its origin; datasetRef names it."""
    plane.apply(dataset("ref", "other", "dataset://ns/demo/data/train"))
    ref = Ref("Dataset", "ref", "other")
    plane.advance(ref)
    assert status(plane, ref)["phase"] == "NotBound"
    assert "ns/demo is not Bound" in told(plane, "Ready", ref)
    plane.apply(dataset())
    plane.advance(ref)
    physical, reference = plane.registry.binding("ns", "demo"), plane.registry.binding("other", "ref")
    assert reference.mounts[0].origin == physical.mounts[0].origin
    assert (reference.mounts[0].path, reference.mounts[0].prefix) == ("", "train")
    assert reference.mounts[0].namespace == "ns"
    assert status(plane)["datasetRef"] == ["other/ref"]


def test_a_dataset_that_others_mount_cannot_be_deleted(plane: EmbeddedPlane) -> None:
    """Refused with Fluid's event, and nothing has changed; it works once the reference is gone."""
    plane.apply(dataset())
    plane.apply(dataset("ref", "other", "dataset://ns/demo"))
    plane.advance(Ref("Dataset", "ref", "other"))
    with pytest.raises(Conflict, match="other/ref"):
        plane.delete(DEMO)
    event = plane.events(DEMO)[-1]
    expected = "Failed to delete dataset because there are datasets [other/ref] mounted to it"
    assert (event.type, event.reason, event.message) == ("Warning", "ErrorDeleteDataset", expected)
    assert "deletionTimestamp" not in plane.get(DEMO)["metadata"]
    plane.delete(Ref("Dataset", "ref", "other"))
    plane.delete(DEMO)
    with pytest.raises(NotFound):
        plane.get(DEMO)


def test_deleting_takes_runtime_operations_and_binding_along(plane: EmbeddedPlane) -> None:
    """What a dataset owns goes with it, operations first."""
    plane.apply(dataset())
    plane.apply(runtime())
    plane.apply(operation(policy="Cron", schedule="0 3 * * *"))
    plane.advance(Ref("DataLoad", "load", "ns"))
    gone = [event.object["kind"] for event in _deletions(plane)]
    assert gone == ["DataLoad", "AlluxioRuntime", "Dataset"]
    assert plane.registry.find_binding("ns", "demo") is None
    assert plane.registry.objects() == []


def _deletions(plane: EmbeddedPlane) -> list[Any]:
    since = plane.registry.version()
    plane.delete(DEMO)
    kinds = ("Dataset", "AlluxioRuntime", "DataLoad")
    found = [event for kind in kinds for event in plane.registry.changes(kind, since=since)[0]]
    return sorted((event for event in found if event.type == "DELETED"), key=lambda event: int(event.version))


def test_deleting_the_runtime_returns_to_the_default_cache(plane: EmbeddedPlane) -> None:
    """The dataset stays readable."""
    plane.apply(dataset())
    plane.apply(runtime())
    plane.advance(DEMO)
    plane.delete(Ref("AlluxioRuntime", "demo", "ns"))
    plane.advance(DEMO)
    assert status(plane)["phase"] == "Bound"
    assert status(plane)["runtimes"] == []
    assert told(plane, "DefaultCache") != ""


def test_a_runtime_without_a_dataset_waits_and_says_so(plane: EmbeddedPlane) -> None:
    """Fluid's words in an event of the runtime."""
    plane.apply(runtime())
    lonely = Ref("AlluxioRuntime", "demo", "ns")
    plane.advance(lonely)
    (event,) = plane.events(lonely)
    assert (event.reason, event.message) == (
        "ErrorProcessRuntime",
        "No dataset can be bound to the runtime, waiting.",
    )
