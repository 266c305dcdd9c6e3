"""The fixture of tests that run in memory and on a real API server, with Fluid's controllers played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from datafluid.applied import Applied
from datafluid.client import Client
from tests.cluster import scenes
from tests.cluster.clusters import in_memory, on_a_server
from tests.cluster.double.live import Live
from tests.cluster.double.world import Faults

Begin = Callable[..., tuple[Client, Live]]
LONG = 60.0  # seconds that nothing here takes on any machine
_NODES = 3


_WHERE = {"server": "cluster", "server with Fluid's own definitions": "recorded_cluster"}
_OWN = [pytest.mark.slow, pytest.mark.xdist_group("recorded_cluster")]


@pytest.fixture(
    params=["memory", *(pytest.param(each, marks=_OWN if "own" in each else pytest.mark.slow) for each in _WHERE)]
)
def begin(request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin a cluster with the double at work, in memory or on real API servers; with its ``faults``."""
    with ExitStack() as stack:

        def make(**faults: Any) -> tuple[Client, Live]:
            entered: AbstractContextManager[tuple[Client, Live]]
            if request.param == "memory":
                return stack.enter_context(in_memory("team", faults=Faults(**faults)))
            cluster = request.getfixturevalue(_WHERE[request.param])
            for number in range(len(cluster.api.get("/api/v1/nodes")["items"]), _NODES):
                cluster.node(f"played-{number}")
            entered = on_a_server(cluster, cluster.namespace("team"), faults=Faults(**faults))
            client, live = stack.enter_context(entered)
            client.apply(scenes.PROFILE)
            return client, live

        yield make


#: For tests of which one of the two would tell nothing new.
in_memory_only = pytest.mark.parametrize("begin", ["memory"], indirect=True)
on_a_server_only = pytest.mark.parametrize("begin", [pytest.param("server", marks=pytest.mark.slow)], indirect=True)


def declared(client: Client, kind: str, name: str = "demo", *more: Any, replicas: int = 1, **spec: Any) -> Applied:
    """Declare a dataset with its runtime, and more."""
    namespace = client.context.namespace
    runtime = scenes.runtime(kind, name, namespace, replicas=replicas)
    return client.apply([scenes.dataset(kind, name, namespace, **spec), runtime, *more])
