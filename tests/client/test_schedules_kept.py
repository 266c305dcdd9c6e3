"""A schedule that is at work is lost to nothing that only happens to have its name."""

from __future__ import annotations

from pathlib import Path

import pytest

import datafluid
from datafluid.client import Client
from datafluid.errors import Conflict
from datafluid.plane.port import Manifest
from tests.datasets import apply_local_dataset
from tests.diagnosis.world import World


@pytest.fixture(params=["embedded", "memory"])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Client:
    """Two datasets, of which one is loaded nightly."""
    if request.param == "embedded":
        client = datafluid.connect()
        for name in ("demo", "other"):
            apply_local_dataset(client, tmp_path, name)
        client.dataset("demo").load(schedule="0 3 * * *", name="nightly")
        return client
    world = World()
    mounts = [{"mountPoint": "s3://bucket/x", "name": "x"}]
    world.client.apply(_manifest("Dataset", "other", world.client, mounts=mounts))
    nightly = world.client.dataset("demo").load(schedule="0 3 * * *", name="nightly")
    world.change(nightly.ref, status={"phase": "Executing"})
    return world.client


def _manifest(kind: str, name: str, client: Client, **spec: object) -> Manifest:
    metadata = {"name": name, "namespace": client.context.namespace}
    return {"apiVersion": "data.fluid.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def test_a_load_of_another_dataset_does_not_take_its_place(client: Client) -> None:
    """It was overwritten, and ``load`` said that it had been created."""
    with pytest.raises(Conflict, match=r"nightly is a schedule of Dataset .*/demo, which would be lost"):
        client.dataset("other").load(name="nightly")
    spec = client.load("nightly").manifest["spec"]
    assert (spec["dataset"]["name"], spec["policy"]) == ("demo", "Cron")


def test_a_load_that_runs_once_does_not_take_its_place(client: Client) -> None:
    """Of the same dataset; another schedule is a change that is wanted, and whoever says so has it replaced."""
    with pytest.raises(Conflict, match="would be lost"):
        client.dataset("demo").load(name="nightly")
    before = client.load("nightly").manifest
    client.dataset("demo").load(schedule="0 4 * * *", name="nightly")
    after = client.load("nightly").manifest
    assert after["spec"]["schedule"] == "0 4 * * *"
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    on_demo = {"name": "demo", "namespace": client.context.namespace}
    client.apply(_manifest("DataLoad", "nightly", client, dataset=on_demo), replace=True)
    once = client.load("nightly").manifest
    assert once["spec"].get("policy", "Once") == "Once"
    assert once["metadata"]["uid"] != before["metadata"]["uid"]
