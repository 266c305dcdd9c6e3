"""What a plane makes of a dataset, looked up."""

from __future__ import annotations

from pathlib import Path

import datafluid
from datafluid.clusters.lifecycle import lifecycle_of
from datafluid.model.ref import Ref
from tests.datasets import apply_local_dataset
from tests.diagnosis.world import DATASET, RUNTIME, World


def test_dataset_and_runtime_say_the_same() -> None:
    """The runtime is found through the dataset's status, and its FUSE through its name."""
    world = World()
    fuse = Ref("apps/v1/DaemonSet", "demo-fuse", "team")
    world.change(fuse, spec={"template": {"spec": {"priorityClassName": "system-node-critical"}}})
    world.change(DATASET, status={"hcfs": {"endpoint": "alluxio://demo-master-0.team:20011"}})
    told = lifecycle_of(world.client, DATASET)
    assert told == lifecycle_of(world.client, RUNTIME)
    assert told["Addresses"] == "demo-master-0.team:20011"
    assert told["Protection"].startswith("priority system-node-critical")


def test_what_is_not_there_is_not_told() -> None:
    """A dataset without a runtime, and an operation."""
    world = World().unbind().operate("DataLoad")
    assert lifecycle_of(world.client, DATASET) == {}
    assert lifecycle_of(world.client, Ref("DataLoad", "warm", "team")) == {}
    world = World().remove(RUNTIME, Ref("apps/v1/DaemonSet", "demo-fuse", "team"))
    assert lifecycle_of(world.client, DATASET) == {}


def test_on_one_machine_worker_and_fuse_are_one(tmp_path: Path) -> None:
    """The embedded plane has no processes of its own."""
    client = datafluid.connect()
    handle = apply_local_dataset(client, tmp_path, "files")
    assert "are one" in lifecycle_of(client, handle.ref)["Processes"]
