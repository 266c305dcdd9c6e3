"""Declared means usable: every kind of runtime, in memory and on a real API server, with Fluid's controllers played."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.model.ref import Ref
from tests.cluster import scenes
from tests.cluster.clusters import in_memory, on_a_server
from tests.cluster.double.live import Live
from tests.cluster.double.world import Faults

Begin = Callable[..., tuple[Client, Live]]
_LONG = 60.0  # seconds that nothing here takes on any machine


@pytest.fixture(params=["memory", "server"])
def begin(request: pytest.FixtureRequest) -> Iterator[Begin]:
    """Begin a cluster with the double at work, in memory or on a real API server; with its ``faults``."""
    with ExitStack() as stack:

        def make(**faults: Any) -> tuple[Client, Live]:
            entered: AbstractContextManager[tuple[Client, Live]]
            if request.param == "memory":
                entered = in_memory("usable", faults=Faults(**faults))
            else:
                cluster = request.getfixturevalue("cluster")
                nodes = cluster.api.get("/api/v1/nodes")["items"]
                for number in range(len(nodes), 3):
                    cluster.node(f"usable-{number}")
                namespace = cluster.namespace("usable")
                entered = on_a_server(cluster, namespace, faults=Faults(**faults))
            client, live = stack.enter_context(entered)
            if request.param == "server":
                client.apply(scenes.PROFILE)
            return client, live

        yield make


def declared(client: Client, kind: str, name: str = "demo", **spec: Any) -> Any:
    """Declare a dataset with its runtime."""
    namespace = client.context.namespace
    return client.apply([scenes.dataset(kind, name, namespace, **spec), scenes.runtime(kind, name, namespace)])


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_what_is_declared_is_usable_after_wait(begin: Begin, kind: str) -> None:
    client, _ = begin()
    declared(client, kind).wait(timeout=_LONG)
    assert client.dataset("demo").status.phase == "Bound"
    claim = client.plane.get(Ref("v1/PersistentVolumeClaim", "demo", client.context.namespace))
    assert claim["status"]["phase"] == "Bound"
