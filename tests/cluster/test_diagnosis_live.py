"""Diagnosis while Fluid's controllers are at work: silent where all is well, right where they are stuck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.diagnosis import Diagnosis
from datafluid.model.ref import Ref
from tests.cluster import scenes
from tests.cluster.clusters import in_memory, on_a_server
from tests.cluster.controlplane import Cluster
from tests.cluster.double.world import Faults
from tests.cluster.processes import eventually

_LONG = 60.0  # seconds that nothing here takes on any machine
NAMESPACE = "live"


def until(client: Client, right: Callable[[Diagnosis], bool]) -> Diagnosis:
    """The first diagnosis that is right."""
    found = [client.diagnose("demo")]

    def look() -> bool:
        found.append(client.diagnose("demo"))
        return right(found[-1])

    eventually(look)
    return found[-1]


def first(code: str) -> Callable[[Diagnosis], bool]:
    """Whether this is the likeliest cause."""
    return lambda found: [cause.code for cause in found.causes][:1] == [code]


def declared(client: Client, kind: str) -> None:
    namespace = client.context.namespace
    client.apply([scenes.dataset(kind, "demo", namespace), scenes.runtime(kind, "demo", namespace)]).wait(timeout=_LONG)


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_nothing_is_wrong_with_what_is_usable(kind: str) -> None:
    """Whatever the engine: no false alarm once it can be used, nor after an operation on it."""
    with in_memory(NAMESPACE) as (client, _):
        declared(client, kind)
        assert until(client, lambda found: found.healthy).healthy
        namespace = client.context.namespace
        client.apply(scenes.process("crunch", "demo", namespace)).wait(timeout=_LONG)
        assert client.diagnose("demo").healthy, client.diagnose("demo").text()


def test_an_operation_that_the_runtime_lacks() -> None:
    """Fluid says so in an event alone."""
    with in_memory(NAMESPACE) as (client, _):
        declared(client, "ThinRuntime")
        client.plane.put(_stored(scenes.load("warm", "demo", client.context.namespace)))
        assert "has no DataLoad" in until(client, first("unsupported")).causes[0].summary


def test_an_operation_that_waits_for_what_is_not_there() -> None:
    """It goes on once that is made, and is told so until then."""
    with in_memory(NAMESPACE) as (client, _):
        declared(client, "AlluxioRuntime")
        after = {"kind": "DataProcess", "name": "first", "namespace": NAMESPACE}
        client.plane.put(_stored(scenes.process("second", "demo", NAMESPACE, runAfter=after)))
        until(client, first("waits-for"))
        client.apply(scenes.process("first", "demo", NAMESPACE))
        assert until(client, lambda found: found.healthy).healthy


def test_a_dataset_that_a_pod_holds() -> None:
    """Deleted, and still there: the pod is named, and when it is gone so is the dataset."""
    with in_memory(NAMESPACE) as (client, _):
        declared(client, "ThinRuntime")
        volume = {"name": "data", "persistentVolumeClaim": {"claimName": "demo"}}
        body = {"containers": [{"name": "main", "image": "busybox"}], "volumes": [volume]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app", "namespace": NAMESPACE}, "spec": body}
        client.plane.create(pod)
        eventually(
            lambda: client.plane.get(Ref("v1/Pod", "app", NAMESPACE)).get("status", {}).get("phase") == "Running"
        )
        client.plane.patch(
            Ref("Dataset", "demo", NAMESPACE), {"metadata": {"deletionTimestamp": "2027-01-01T00:00:00Z"}}
        )
        cause = until(client, first("in-use")).causes[0]
        assert cause.command == f"kubectl delete pod app -n {NAMESPACE}"


def test_the_same_on_a_real_api_server(cluster: Cluster) -> None:
    """Usable: nothing is wrong. Its runtime gone: it is not bound, and why."""
    nodes = cluster.api.get("/api/v1/nodes")["items"]
    for number in range(len(nodes), 3):
        cluster.node(f"live-{number}")
    with on_a_server(cluster, cluster.namespace(NAMESPACE)) as (client, _):
        declared(client, "JuiceFSRuntime")
        until(client, lambda found: not any(cause.certain for cause in found.causes))
        client.plane.delete(Ref("JuiceFSRuntime", "demo", client.context.namespace))
        until(client, first("no-runtime"))


def _stored(manifest: dict[str, Any]) -> dict[str, Any]:
    """As somebody applied it with kubectl, whom nobody warned."""
    return {**manifest, "metadata": {**manifest["metadata"], "finalizers": []}}


def test_workers_that_crash_again_and_again() -> None:
    """The runtime is set up, and its worker never gets ready."""
    with in_memory(NAMESPACE, faults=Faults(crash_looping=frozenset({"demo-worker-0"}))) as (client, _):
        client.apply(
            [scenes.dataset("JuiceFSRuntime", "demo", NAMESPACE), scenes.runtime("JuiceFSRuntime", "demo", NAMESPACE)]
        )
        assert "demo-worker-0" in until(client, first("crash-looping")).text()
