"""Schedules when the world is not ideal: two servers and one that dies, clocks that jump, laptops that sleep."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from datafluid.client import Client, connect
from datafluid.engine.serve import run_due
from datafluid.model.ref import Ref
from datafluid.model.schedule import Schedule
from tests.conftest import Bucket
from tests.datasets import apply_local_dataset, dataset_manifest
from tests.engine.test_load_faults import wait_until_gone, worker_pid
from tests.engine.world import World, dataset, end_run, operation, plane_in
from tests.relay import Relay

_ROOT = Path(__file__).resolve().parents[2]
_SPEED = 30  # a minute, and so a tick, takes two seconds
_MINUTE = 60
_KEPT = {"successful-history-limit": "1000", "failed-history-limit": "1000"}
_CRON = Ref("DataLoad", "load", "ns")


@contextmanager
def _serving(base: float) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.serving", str(base), str(_SPEED)],
        cwd=_ROOT,
        env=os.environ.copy(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _says(process: subprocess.Popen[str], what: str) -> None:
    """Read what it tells until it tells that."""
    assert process.stdout is not None
    for line in process.stdout:
        if what in line:
            return
    raise AssertionError(f"it ended without saying {what!r}")


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.parametrize("dies", ["serve", "serve and the load"])
def test_two_servers_of_which_one_is_killed(bucket: Bucket, home: Path, dies: str) -> None:
    """In the middle of a run: the other takes over within moments; each tick is run once, none is passed over."""
    bucket.put("data.bin", bytes(3_000_000))
    relay = Relay(bucket.server.endpoint, limit=500_000)
    try:
        client = connect()
        client.apply(dataset_manifest("data", bucket.url, options={**bucket.options, "endpoint": relay.endpoint}))
        client.dataset("data").wait(timeout=60)
        load = _every_minute(client)
        base = time.time()
        with _serving(base) as first, _serving(base) as second:
            ahead, behind = _roles(first, second)
            assert relay.blocked.wait(timeout=60)
            ahead.kill()
            ahead.wait()
            if dies != "serve":
                pid = worker_pid(home)
                os.kill(pid, signal.SIGKILL)
                wait_until_gone(pid)
            _says(behind, "serving")
            relay.release()
            _until(lambda: [run.phase for run in client.plane.history(load)].count("Complete") >= 3)
            behind.terminate()
            assert behind.wait(timeout=30) == 0
        runs = sorted(client.plane.registry.runs(client.get("DataLoad", "every-minute")["metadata"]["uid"]), key=_tick)
        ticks = [run.scheduled for run in runs]
        assert ticks == list(range(ticks[0], ticks[0] + _MINUTE * len(ticks), _MINUTE))
        began = [run for run in runs if run.phase != "Missed"]  # a tick is missed while the run before goes on
        assert began[0].phase == "Complete"
        assert [run.attempts for run in began] == [1 if dies == "serve" else 2, *[1] * (len(began) - 1)]
    finally:
        relay.close()


def _tick(run: object) -> int:
    return run.scheduled  # type: ignore[attr-defined,no-any-return]


def _roles(first: subprocess.Popen[str], second: subprocess.Popen[str]) -> tuple[subprocess.Popen[str], ...]:
    """Which of two servers serves, and which stands by."""
    assert first.stdout is not None
    line = first.stdout.readline()
    if "serving" in line:
        _says(second, "standing by")
        return first, second
    assert "standing by" in line
    _says(second, "serving")
    return second, first


def _every_minute(client: Client) -> Ref:
    annotations = {f"datafluid.io/{name}": value for name, value in _KEPT.items()}
    client.apply(
        {
            "apiVersion": "data.fluid.io/v1alpha1",
            "kind": "DataLoad",
            "metadata": {"name": "every-minute", "annotations": annotations},
            "spec": {"policy": "Cron", "schedule": "* * * * *", "dataset": {"name": "data", "namespace": "default"}},
        }
    )
    return Ref("DataLoad", "every-minute", "default")


def test_a_laptop_that_slept_over_three_ticks(tmp_path: Path) -> None:
    """With real loads: one run when it wakes, of the last tick; and a clock that is set back begins nothing twice."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.bin").write_bytes(b"a")
    client = connect()
    apply_local_dataset(client, tmp_path / "data", "data")
    load = _every_minute(client)
    now = time.time() // _MINUTE * _MINUTE + _MINUTE

    def passes(moment: float) -> list[int]:
        run_due(client.plane, now=moment, wait=True)  # type: ignore[arg-type]
        return [int(run.scheduled or 0) for run in client.plane.history(load)]

    assert passes(now) == [now]
    assert passes(now + 3 * _MINUTE + 10) == [now + 3 * _MINUTE, now]
    assert passes(now + 1) == [now + 3 * _MINUTE, now]  # set back
    assert passes(now + 3 * _MINUTE + 20) == [now + 3 * _MINUTE, now]
    assert passes(now + 4 * _MINUTE) == [now + 4 * _MINUTE, now + 3 * _MINUTE, now]
    assert {run.phase for run in client.plane.history(load)} == {"Complete"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, where there is one: each step of a schedule is written down to the disk."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        yield Path(directory)


@pytest.mark.parametrize(
    ("schedule", "zone", "start"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00+00:00"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00+00:00"),
        ("15 * * * *", "America/New_York", "2026-11-01T02:00:00+00:00"),
        ("*/20 1-3 * * *", "Australia/Lord_Howe", "2026-04-04T10:00:00+00:00"),
        ("0 0 * * *", "America/Santiago", "2026-09-05T12:00:00+00:00"),
        ("*/15 * * * *", "UTC", "2026-07-01T00:00:00+00:00"),
    ],
)
def test_clocks_that_jump(schedule: str, zone: str, start: str, seed: int, long: bool, memory: Path) -> None:
    """However the clock jumps: a tick is begun once, when it is due, and the last one that is due is begun."""
    source, world = (
        random.Random(f"{seed}{schedule}{zone}{start}"),
        World(now=datetime.fromisoformat(start).timestamp()),
    )
    plane = plane_in(memory / "home", world)
    plane.apply(dataset())
    plane.apply(operation(policy="Cron", schedule=schedule, annotations={"time-zone": zone, **_KEPT}))
    plane.advance(_CRON)
    rule, first = Schedule(schedule, zone), world.now
    for _ in range(1_000 if long else 40):
        world.now += source.choice([60, 300, 900, 900, 3600, 3 * 3600, 26 * 3600, -60, -3600, -5 * 3600])
        begun = {tick for _, tick in world.started}
        run_due(plane)
        new = [tick for _, tick in world.started if tick not in begun]
        assert len(world.started) == len(begun) + len(new), "a tick was begun twice"
        since = max((tick for tick in (first, *begun) if tick <= world.now), default=world.now)
        due = rule.latest_due(datetime.fromtimestamp(since, UTC), datetime.fromtimestamp(world.now, UTC))
        assert new == ([] if due is None else [int(due.timestamp())])
        if world.running:
            end_run(plane, world, _CRON)
