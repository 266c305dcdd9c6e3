"""Every kind and operation over three runtimes, in memory and on a real API server, with Fluid's controllers played."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.errors import Conflict, Invalid, NotFound, OperationFailed, Timeout, Unsupported
from datafluid.loads import LoadHandle
from datafluid.model.kinds import KINDS
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster import scenes
from tests.cluster.playing import LONG, Begin, begin, declared, in_memory_only, on_a_server_only
from tests.cluster.processes import eventually

__all__ = ["begin"]

_POD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "user"},
    "spec": {
        "containers": [{"name": "app", "image": "busybox", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "demo"}}],
        "restartPolicy": "Never",
    },
}


def operation(kind: str, name: str, namespace: str) -> Manifest:
    """An operation of a kind on the dataset demo."""
    if kind == "DataLoad":
        return scenes.load(name, "demo", namespace)
    if kind == "DataProcess":
        return scenes.process(name, "demo", namespace)
    made: Manifest = {"apiVersion": scenes.API, "kind": kind, "metadata": {"name": name, "namespace": namespace}}
    if kind == "DataBackup":
        return made | {"spec": {"dataset": "demo", "backupPath": "pvc://backups/demo"}}
    ends = {
        "from": {"externalStorage": {"uri": "s3://bucket/old"}},
        "to": {"dataset": {"name": "demo", "namespace": namespace}},
    }
    return made | {"spec": ends}


def phase_of(client: Client, kind: str, name: str) -> str:
    """The phase that an object is in."""
    phase: str = (client.get(kind, name).get("status") or {}).get("phase", "")
    return phase


def wait_for(client: Client, kind: str, name: str) -> Any:
    """Wait for an operation of any kind."""
    from datafluid.loads import LoadHandle

    return LoadHandle(client.plane, Ref(kind, name, client.context.namespace)).wait(timeout=LONG)


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_every_operation_runs_where_the_engine_can_and_is_refused_where_it_cannot(begin: Begin, kind: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, kind).wait(timeout=LONG)
    for each in OPERATION_KINDS:
        name = each.lower()
        if each == "DataBackup" or each not in KINDS[kind].operations:
            with pytest.raises(Invalid) as refusal:
                client.apply(operation(each, name, namespace))
            assert {"DF333", "DF319"} & {finding.code for finding in refusal.value.findings}
            assert client.list(each, namespace=namespace) == []
        else:
            client.apply(operation(each, name, namespace))
            assert wait_for(client, each, name).phase == "Complete"


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_scaling_out_and_in_is_waited_for(begin: Begin, kind: str) -> None:
    client, _ = begin()
    declared(client, kind).wait(timeout=LONG)
    dataset = client.dataset("demo")
    if not KINDS[kind].scalable:
        with pytest.raises(Unsupported):
            dataset.scale(2)
        return
    for replicas in (3, 1):
        dataset.scale(replicas)
        dataset.wait(timeout=LONG)
        runtime = client.plane.get(Ref(kind, "demo", client.context.namespace))
        assert runtime["status"]["workerNumberReady"] >= replicas
    eventually(lambda: _workers(client, kind) == 1, seconds=LONG)


def _workers(client: Client, kind: str) -> int:
    ready: int = client.plane.get(Ref(kind, "demo", client.context.namespace))["status"]["workerNumberReady"]
    return ready


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_mounts_changed_after_bound_are_waited_for_where_the_engine_shows_them(begin: Begin, kind: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, kind).wait(timeout=LONG)
    changed = scenes.dataset(kind, "demo", namespace)
    changed["spec"]["mounts"] = [*changed["spec"]["mounts"], {"mountPoint": "https://more.example.com/x", "name": "x"}]
    client.apply([changed, scenes.runtime(kind, "demo", namespace)])
    status = client.dataset("demo").wait(timeout=LONG)
    assert len(status.mounts) == (2 if kind == "AlluxioRuntime" else 1)


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_what_is_deleted_can_be_declared_again_at_once(begin: Begin, kind: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, kind, "demo", scenes.process("work", "demo", namespace)).wait(timeout=LONG)
    first = client.dataset("demo").manifest["metadata"]["uid"]
    client.dataset("demo").delete()
    declared(client, kind).wait(timeout=LONG)
    assert client.dataset("demo").manifest["metadata"]["uid"] != first
    assert client.dataset("demo").status.phase == "Bound"
    claim = client.plane.get(Ref("v1/PersistentVolumeClaim", "demo", namespace))
    assert claim["status"]["phase"] == "Bound"


@pytest.mark.parametrize("kind", scenes.RUNTIMES)
def test_deleting_waits_until_nothing_is_left(begin: Begin, kind: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    hanging = scenes.process("work", "demo", namespace)
    hanging["spec"]["processor"]["podMetadata"] = {"labels": {"sim.test/mode": "hang"}}
    declared(client, kind).wait(timeout=LONG)
    client.apply(hanging)
    eventually(lambda: phase_of(client, "DataProcess", "work") == "Executing", seconds=LONG)
    client.dataset("demo").delete(wait=True, timeout=LONG)
    for gone in (
        Ref("Dataset", "demo", namespace),
        Ref("DataProcess", "work", namespace),
        Ref(kind, "demo", namespace),
        Ref("v1/PersistentVolumeClaim", "demo", namespace),
        Ref("v1/PersistentVolume", f"{namespace}-demo"),
    ):
        with pytest.raises(NotFound):
            client.plane.get(gone)


def test_who_holds_a_deletion_is_named(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    user = _POD | {"metadata": {"name": "user", "namespace": namespace}}
    client.plane.create(user)  # type: ignore[attr-defined]
    pod = Ref("v1/Pod", "user", namespace)
    eventually(lambda: client.plane.get(pod).get("status", {}).get("phase") == "Running", seconds=LONG)
    with pytest.raises(Timeout, match=r"[Pp]od (\S+/)?user"):
        client.dataset("demo").delete(wait=True, timeout=1.5)
    (said,) = (line for line in caplog.messages if "its deletion waits, up to 1.5 s" in line)
    assert "/user" in said
    assert "datafluid diagnose" in said
    client.plane.delete(pod)
    eventually(lambda: not client.list("Dataset", namespace=namespace), seconds=LONG)


def test_a_dataset_that_others_refer_to_is_kept(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "ThinRuntime").wait(timeout=LONG)
    reference = scenes.dataset("ThinRuntime", "ref", namespace)
    reference["spec"]["mounts"] = [{"mountPoint": f"dataset://{namespace}/demo", "name": "demo"}]
    client.apply(reference).wait(timeout=LONG)
    with pytest.raises(Conflict, match="ref"):
        client.dataset("demo").delete()
    with pytest.raises(Invalid) as refusal:
        client.apply(scenes.process("work", "ref", namespace))
    assert "DF333" in [finding.code for finding in refusal.value.findings]


def test_an_operation_of_another_namespace_is_refused(begin: Begin) -> None:
    client, _ = begin()
    stray = scenes.load("stray", "demo", client.context.namespace)
    stray["metadata"]["namespace"] = "elsewhere"
    with pytest.raises(Invalid) as refusal:
        client.apply(stray)
    assert "DF304" in [finding.code for finding in refusal.value.findings]


def test_a_backup_is_refused_unless_the_manifest_accepts_it(begin: Begin) -> None:
    client, live = begin()
    namespace = client.context.namespace
    declared(client, "AlluxioRuntime").wait(timeout=LONG)
    backup = operation("DataBackup", "save", namespace)
    with pytest.raises(Invalid, match="crashes"):
        client.apply(backup)
    backup["metadata"]["annotations"] = {"datafluid.io/accept-backup": "true"}
    client.apply(backup)
    eventually(lambda: phase_of(client, "DataBackup", "save") == "Executing", seconds=LONG)
    eventually(lambda: any(what == "crashed" for _, what in live.world.memory), seconds=LONG)
    client.delete("DataBackup", "save")
    live.restart()
    client.apply(scenes.load("after", "demo", namespace))
    assert client.load("after").wait(timeout=LONG).phase == "Complete"


def test_operations_run_one_after_the_other_and_are_drawn(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    second = scenes.load("second", "demo", namespace, runAfter={"kind": "DataLoad", "name": "first"})
    client.apply([scenes.load("first", "demo", namespace), second]).wait(timeout=LONG)
    assert str(client.dataset("demo").operations()).splitlines() == [
        f"DataLoad {namespace}/first  Complete",
        f"└─ DataLoad {namespace}/second  Complete",
    ]


def test_what_would_wait_for_ever_is_refused(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    one = scenes.load("one", "demo", namespace, runAfter={"kind": "DataLoad", "name": "two"})
    two = scenes.load("two", "demo", namespace, runAfter={"kind": "DataLoad", "name": "one"})
    client.apply(one)
    with pytest.raises(Invalid) as refusal:
        client.apply(two)
    assert "DF313" in [finding.code for finding in refusal.value.findings]


def test_a_schedule_lives_in_its_cron_job(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    nightly = client.dataset("demo").load(schedule="0 3 * * *", time_zone="Asia/Shanghai", name="nightly")
    ref = Ref("batch/v1/CronJob", "nightly-loader-job", namespace)
    cron = client.plane.get(ref)["spec"]
    assert (cron["schedule"], cron["timeZone"]) == ("0 3 * * *", "Asia/Shanghai")
    (first,) = nightly.next_runs(1, after=datetime(2026, 7, 2, 12, tzinfo=UTC))
    assert first.isoformat() == "2026-07-03T03:00:00+08:00"

    nightly.suspend()
    assert nightly.suspended
    assert client.plane.get(ref)["spec"]["suspend"] is True
    assert nightly.resume() is None  # nothing was due meanwhile
    assert not nightly.suspended

    client.apply(scenes.load("nightly", "demo", namespace, policy="Cron", schedule="30 4 * * *"))
    cron = client.plane.get(ref)["spec"]
    assert cron["schedule"] == "30 4 * * *"
    assert not cron.get("timeZone")  # it names none any more


@in_memory_only  # a real CronJob runs once a minute at most
def test_the_run_that_was_missed_is_announced_and_shown(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    client.apply(scenes.load("often", "demo", namespace, policy="Cron", schedule="@every 1h")).wait(timeout=LONG)
    often = client.load("often")
    often.suspend()
    ref = Ref("batch/v1/CronJob", "often-loader-job", namespace)
    client.plane.patch(ref, {"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}}, subresource="status")  # type: ignore[attr-defined]
    missed = often.resume()
    assert missed is not None
    eventually(lambda: len(often.history) == 1 and often.history[0].ended is not None, seconds=LONG)
    (run,) = often.history
    assert (run.phase, run.message) == ("Complete", "Reached expected number of succeeded pods")
    assert run.scheduled == missed.timestamp()


def test_what_runs_is_stopped_and_a_schedule_goes_on(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    hang = {"podMetadata": {"labels": {"sim.test/mode": "hang"}}}
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    client.apply(scenes.load("warm", "demo", namespace, **hang))
    job = Ref("batch/v1/Job", "warm-loader-job", namespace)
    eventually(
        lambda: any(Ref.of(each) == job for each in client.plane.list(job.kind, namespace=namespace)), seconds=LONG
    )
    client.load("warm").cancel()
    eventually(lambda: client.plane.list(job.kind, namespace=namespace) == [], seconds=LONG)
    eventually(lambda: client.list("DataLoad", namespace=namespace) == [], seconds=LONG)

    client.apply(scenes.load("nightly", "demo", namespace, policy="Cron", schedule="0 3 * * *")).wait(timeout=LONG)
    client.load("nightly").cancel()  # nothing runs
    assert client.load("nightly").is_cron


@on_a_server_only  # a real CronJob of the server
def test_a_wait_for_a_schedule_waits_for_its_next_run(begin: Begin) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    client.apply(scenes.load("often", "demo", namespace, policy="Cron", schedule="@every 3s")).wait(timeout=LONG)
    status = client.load("often").wait(timeout=LONG)
    assert status.phase == "Complete"
    assert not status.finished
    assert client.load("often").history[0].phase == "Complete"


@in_memory_only
@pytest.mark.parametrize("mode", ["succeed", "fail"])
def test_a_run_of_a_process_is_waited_for_by_its_job(begin: Begin, mode: str) -> None:
    client, _ = begin()
    namespace = client.context.namespace
    declared(client, "JuiceFSRuntime").wait(timeout=LONG)
    often = scenes.process("often", "demo", namespace, policy="Cron", schedule="@every 3s")
    often["spec"]["processor"]["podMetadata"] = {"labels": {"sim.test/mode": mode}}
    client.apply(often).wait(timeout=LONG)
    handle = LoadHandle(client.plane, Ref("DataProcess", "often", namespace))
    if mode == "fail":
        with pytest.raises(OperationFailed, match="backoff limit"):
            handle.wait(timeout=LONG)
    else:
        assert handle.wait(timeout=LONG).phase == "Complete"
        assert handle.history[0].phase == "Complete"
