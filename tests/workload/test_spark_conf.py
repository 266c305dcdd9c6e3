"""``spark_conf`` for a session on a cluster: from the engine where it serves, else from the mount."""

from __future__ import annotations

from typing import Any

import pytest

import datafluid
from datafluid import Context, DatasetUse
from datafluid.errors import NotFound
from datafluid.testing import InMemoryPlane

LINK = "spark.hadoop.fs.viewfs.mounttable.team.link./a"


def client(status: dict[str, Any] | None, **context: Any) -> datafluid.Client:
    """A client of a cluster with one dataset."""
    plane = InMemoryPlane(lively=False)
    dataset: dict[str, Any] = {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": "a", "namespace": "team"},
        "spec": {"mounts": [{"mountPoint": "s3://bucket"}]},
    }
    plane.put({**dataset, "status": status} if status else dataset)
    return datafluid.Client(plane, Context(name="cluster", plane="kubernetes", namespace="team", **context))


def test_the_mount_where_the_context_has_it() -> None:
    """At its root, or where it says that this dataset is."""
    assert datafluid.spark_conf(["a"], client=client(None, mount_root="/data"))[LINK] == "rawfile:///data/team/a"
    elsewhere = client(None, mounts=("team/a=/here",))
    assert datafluid.spark_conf(["team/a"], client=elsewhere)[LINK] == "rawfile:///here"


def test_the_engine_where_it_serves() -> None:
    """Unless the use says mount."""
    status = {
        "phase": "Bound",
        "conditions": [],
        "hcfs": {"endpoint": "alluxio://a-master-0.team:20001"},
        "runtimes": [{"name": "a", "namespace": "team", "type": "alluxio", "masterReplicas": 1}],
    }
    bound = client(status)
    assert datafluid.spark_conf(["a"], client=bound)[LINK] == "alluxio://a-master-0.team.svc.cluster.local:20001/"
    by_mount = [DatasetUse("a", api="hcfs", via="mount")]
    assert datafluid.spark_conf(by_mount, client=bound)[LINK] == "rawfile:///mnt/fluid/team/a"


def test_a_dataset_that_is_not_there_is_not_configured() -> None:
    """Rather than a link that fails later."""
    with pytest.raises(NotFound):
        datafluid.spark_conf(["b"], client=client(None))
