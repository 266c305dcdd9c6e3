"""Declared means usable: every kind of runtime, in memory and on a real API server, with Fluid's controllers played."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.errors import CacheFull, OperationFailed, Timeout
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from tests.cluster import scenes
from tests.cluster.controlplane import Cluster
from tests.cluster.playing import LONG, Begin, begin, declared, in_memory_only, on_a_server_only
from tests.cluster.processes import eventually

__all__ = ["begin"]


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_what_is_declared_is_usable_after_wait(begin: Begin, kind: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, kind).wait(timeout=LONG)
    assert client.dataset("demo").status.phase == "Bound"
    claim = client.plane.get(Ref("v1/PersistentVolumeClaim", "demo", namespace))
    assert claim["status"]["phase"] == "Bound"
    runtime = client.plane.get(Ref(kind, "demo", namespace))["status"]
    assert runtime["workerNumberReady"] == runtime["desiredWorkerNumberScheduled"]


def test_applying_again_and_waiting_again_changes_nothing(begin: Begin) -> None:
    client, _ = begin()
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    before = client.dataset("demo").manifest
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    after = client.dataset("demo").manifest
    assert after["metadata"]["generation"] == before["metadata"]["generation"]
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_program_that_died_between_two_steps_is_run_again(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    client.apply(scenes.dataset("JuiceFSRuntime", "demo", namespace))
    load = scenes.load("warm", "demo", namespace)
    declared(client, "JuiceFSRuntime", "demo", load).wait(timeout=LONG)
    assert client.load("warm").status.phase == "Complete"


def test_a_dataset_without_a_runtime_times_out_and_says_what_it_waits_for(begin: Begin) -> None:
    client, _ = begin()
    client.apply(scenes.dataset("JuiceFSRuntime", "demo", client.context.namespace))
    with pytest.raises(Timeout, match="waiting for its runtime to be set up"):
        client.dataset("demo").wait(timeout=0.5)


@on_a_server_only
def test_a_wait_that_is_quiet_for_long_says_why(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each state, while it goes on, what a diagnosis is sure of."""
    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (0.5,))
    client, _ = begin()
    client.apply(scenes.dataset("JuiceFSRuntime", "demo", client.context.namespace))
    told: list[tuple[str, str]] = []
    with pytest.raises(Timeout):
        client.dataset("demo").wait(timeout=4, progress=lambda status: told.append((status.phase, status.reason)))
    said = [each for each in told if each[1]]
    assert said
    assert len({phase for phase, _ in said}) == len(said)
    assert all("No runtime is called 'demo'" in reason for _, reason in said)


def test_workers_that_crash_are_not_ready(begin: Begin) -> None:
    client, _ = begin(crash_looping=frozenset({"demo-worker-1"}))
    declared(client, "JuiceFSRuntime", replicas=2)
    runtime = Ref("JuiceFSRuntime", "demo", client.context.namespace)
    ready = lambda: client.plane.get(runtime).get("status", {}).get("workerNumberReady") == 1  # noqa: E731
    eventually(lambda: ready() and client.dataset("demo").status.phase == "Bound", seconds=LONG)
    with pytest.raises(Timeout, match=r"waiting for workers \(1 of 2 ready\); seen last: Bound"):
        client.dataset("demo").wait(timeout=2)


def test_a_failure_that_passes_is_no_failure(begin: Begin) -> None:
    client, live = begin(flapping=frozenset({"demo"}))
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    seen: list[str] = []
    failed = threading.Event()

    def watch() -> None:
        for event in client.plane.watch("Dataset", namespace=client.context.namespace, name="demo", timeout=LONG):
            seen.append((event.object.get("status") or {}).get("phase", ""))
            if seen[-1] == "Failed":
                failed.set()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    assert failed.wait(LONG)
    assert client.dataset("demo").wait(timeout=LONG).phase == "Bound"
    watcher.join(LONG)
    assert live.problem is None


def test_bytes_are_waited_for_and_their_coming_is_told(begin: Begin) -> None:
    client, live = begin()
    namespace = client.context.namespace
    declared(client, "AlluxioRuntime").wait(timeout=LONG)
    total = live.world.engine.of(namespace, "demo").total
    told: list[Any] = []

    def progress(status: Any) -> None:
        told.append(status)
        share = min(1.0, ((status.cached or 0) / total) + 0.3)
        live.world.engine.change(namespace, "demo", cached=int(share * total))

    status = client.dataset("demo").wait(cached=0.9, timeout=LONG, progress=progress)
    assert status.fraction is not None
    assert status.fraction >= 0.9
    assert [each.cached for each in told] == sorted(each.cached for each in told)
    assert {each.waiting_for for each in told} <= {"", "90% cached"}
    estimates = [each.estimate for each in told if each.estimate and each.estimate.rate]
    assert estimates
    assert all(low <= high for each in estimates for low, high in [each.rate])


def test_more_than_the_cache_holds_is_refused_with_what_it_holds(begin: Begin) -> None:
    client, live = begin()
    live.world.engine.change(client.context.namespace, "demo", total=10 << 30)
    declared(client, "AlluxioRuntime").wait(timeout=LONG)
    with pytest.raises(CacheFull, match=r"room for 2\.00GiB of 10\.00GiB, 20\.0%"):
        client.dataset("demo").wait(cached=1.0, timeout=LONG)


def test_an_operation_that_vanished_complete_was_complete(begin: Begin) -> None:
    client, _ = begin(losing=frozenset({"warm"}))
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    client.apply(scenes.load("warm", "demo", client.context.namespace))
    assert client.load("warm").wait(timeout=LONG).phase == "Complete"
    eventually(lambda: not client.list("DataLoad", namespace=client.context.namespace), seconds=LONG)


def test_a_failure_that_only_events_tell_ends_the_wait(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (0.5,))
    client, _ = begin(refusing=frozenset({"warm"}))
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    client.apply(scenes.load("warm", "demo", client.context.namespace))
    with pytest.raises(OperationFailed, match="DataOperationExecutionFailed"):
        client.load("warm").wait(timeout=LONG)


@in_memory_only  # a real Job takes its time to give up
def test_a_load_that_fails_says_why(begin: Begin) -> None:
    client, _ = begin()
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    failing = scenes.load("bad", "demo", client.context.namespace, podMetadata={"labels": {"sim.test/mode": "fail"}})
    client.apply(failing)
    with pytest.raises(OperationFailed, match=r"backoff limit"):
        client.load("bad").wait(timeout=LONG)


@on_a_server_only
def test_a_wait_asks_once_for_each_object_and_listens(begin: Begin, cluster: Cluster, tmp_path: Path) -> None:
    """However long it takes, the audit log has one watch of each object that tells, and no look in between."""
    client, _ = begin(slow=5.0)
    namespace = client.context.namespace
    read = ["get", "list", "watch"]
    rules = [
        {"apiGroups": ["data.fluid.io"], "resources": ["*"], "verbs": read},
        {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": read},
    ]
    kubeconfig = tmp_path / "kubeconfig"
    cluster.api.write_kubeconfig(kubeconfig, token=cluster.service_account(namespace, "waiter", rules))
    waiter = Client(KubernetesPlane(kubeconfig=str(kubeconfig)), client.context)
    declared(client, "AlluxioRuntime")
    assert waiter.dataset("demo").wait(timeout=LONG).phase == "Bound"
    asked = [each for each in cluster.asked(user=f"{namespace}:waiter") if namespace in each.path]
    watches = Counter(each.path.split("?")[0] for each in asked if each.verb == "watch")
    assert set(watches.values()) == {1}
    assert 2 <= len(watches) <= 3  # the runtime may be ready when it is listed
    assert len(asked) <= 9  # and one LIST or GET to begin with, and a last look at the dataset


@on_a_server_only
def test_who_may_not_look_at_claims_waits_for_the_rest(begin: Begin, cluster: Cluster, tmp_path: Path) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    rules = [{"apiGroups": ["data.fluid.io"], "resources": ["datasets"], "verbs": ["get", "list", "watch"]}]
    kubeconfig = tmp_path / "kubeconfig"
    cluster.api.write_kubeconfig(kubeconfig, token=cluster.service_account(namespace, "reader", rules))
    reader = Client(KubernetesPlane(kubeconfig=str(kubeconfig)), client.context)
    declared(client, "JuiceFSRuntime")
    assert reader.dataset("demo").wait(timeout=LONG).phase == "Bound"


def test_a_load_tells_how_its_dataset_fills(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (0.3,))
    client, live = begin()
    namespace = client.context.namespace
    declared(client, "AlluxioRuntime").wait(timeout=LONG)
    live.world.engine.change(namespace, "demo", cached=1 << 20)
    client.apply(scenes.load("warm", "demo", namespace, podMetadata={"labels": {"sim.test/mode": "hang"}}))
    told: list[Any] = []
    with pytest.raises(Timeout):
        client.load("warm").wait(timeout=5, progress=told.append)
    moved = [each.progress for each in told if each.progress is not None]
    assert moved
    assert moved[-1].bytes_total == live.world.engine.of(namespace, "demo").total
