"""Turns of a schedule: each at most once, none backwards, and what a sleeping machine missed only once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.reconcile.values import RunSeen, find_condition, parse_time, rfc3339
from datafluid.engine.serve import Server, run_due
from datafluid.model.ref import Ref
from tests.engine.world import World, dataset, end_run, operation, plane_in

CRON = Ref("DataLoad", "load", "ns")
HOUR = 3600.0


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.fixture
def world() -> World:
    return World(now=at("2026-07-01T02:30:00+00:00"))


@pytest.fixture
def plane(tmp_path: Path, world: World) -> EmbeddedPlane:
    found = plane_in(tmp_path / "home", world)
    found.apply(dataset())
    return found


def hourly(plane: EmbeddedPlane, **annotations: str) -> None:
    plane.apply(operation(policy="Cron", schedule="0 * * * *", annotations=annotations))
    plane.advance(CRON)


def status(plane: EmbeddedPlane) -> dict[str, Any]:
    found: dict[str, Any] = plane.get(CRON)["status"]
    return found


def ticks(world: World) -> list[str]:
    return [rfc3339(tick)[11:16] for _, tick in world.started]


def runs(plane: EmbeddedPlane) -> list[RunSeen]:
    return plane.registry.runs(plane.get(CRON)["metadata"]["uid"])


def finish(plane: EmbeddedPlane, world: World) -> None:
    end_run(plane, world, CRON)


def test_turns_follow_fluids_phases(plane: EmbeddedPlane, world: World) -> None:
    """Transcript 17c: Executing until the first run ends, then each run Pending(-), Executing, Complete."""
    hourly(plane)
    assert (status(plane)["phase"], status(plane)["duration"]) == ("Executing", "Unfinished")
    assert "lastScheduleTime" not in status(plane)
    world.now = at("2026-07-01T03:00:01+00:00")
    run_due(plane)
    assert (status(plane)["phase"], status(plane)["lastScheduleTime"]) == ("Executing", "2026-07-01T03:00:00Z")
    world.now += 6
    finish(plane, world)
    assert (status(plane)["phase"], status(plane)["duration"]) == ("Complete", "6s")
    assert status(plane)["lastSuccessfulTime"] == "2026-07-01T03:00:07Z"
    world.now = at("2026-07-01T04:00:00+00:00")
    run_due(plane)
    second = status(plane)
    assert (second["phase"], second["duration"], second["lastScheduleTime"]) == (
        "Executing",
        "-",
        "2026-07-01T04:00:00Z",
    )
    assert find_condition(second, "Complete") is not None
    assert second["lastSuccessfulTime"] == "2026-07-01T03:00:07Z"


def test_only_serve_and_run_due_begin_turns(plane: EmbeddedPlane, world: World) -> None:
    """Somebody who only waits or looks starts no turn."""
    hourly(plane)
    world.now += HOUR
    plane.advance(CRON)
    assert world.started == []
    run_due(plane)
    assert ticks(world) == ["03:00"]


def test_serve_tells_which_schedule_ran_and_what_became_of_it(plane: EmbeddedPlane, world: World) -> None:
    """By its own name, not its dataset's, each news once."""
    hourly(plane)
    lines: list[str] = []
    server = Server(plane, tell=lines.append)
    server.turn()
    world.now = at("2026-07-01T03:00:01+00:00")
    for _ in range(2):
        server.turn()
    assert [line for line in lines if "03:00" in line] == [f"{CRON}: turn of 2026-07-01T03:00:00Z Executing"]
    end_run(plane, world, CRON, phase="Failed", message="a.bin: it is gone")
    lines.clear()
    for _ in range(2):
        server.turn()
    assert lines == [f"{CRON}: turn of 2026-07-01T03:00:00Z Failed: a.bin: it is gone"]


def test_a_tick_runs_once_however_often_it_is_due(plane: EmbeddedPlane, world: World) -> None:
    """Passing again within the hour begins nothing more."""
    hourly(plane)
    world.now += HOUR
    run_due(plane)
    finish(plane, world)
    for _ in range(3):
        run_due(plane)
    assert ticks(world) == ["03:00"]


def test_a_machine_that_slept_runs_one_missed_turn(plane: EmbeddedPlane, world: World) -> None:
    """Of three ticks that passed only the last is run."""
    hourly(plane)
    world.now = at("2026-07-01T06:10:00+00:00")
    run_due(plane)
    finish(plane, world)
    run_due(plane)
    assert ticks(world) == ["06:00"]


def test_a_turn_that_is_too_late_is_missed(plane: EmbeddedPlane, world: World) -> None:
    """startingDeadlineSeconds: not started, an event says so once, and the next one is."""
    hourly(plane, **{"starting-deadline-seconds": "300"})
    world.now = at("2026-07-01T06:10:00+00:00")
    run_due(plane)
    run_due(plane)
    assert ticks(world) == []
    missed = [event for event in plane.events(CRON) if event.reason == "MissSchedule"]
    assert [event.count for event in missed] == [1]
    assert [run.phase for run in plane.history(CRON)] == ["Missed"]
    world.now = at("2026-07-01T07:00:10+00:00")
    run_due(plane)
    assert ticks(world) == ["07:00"]


def test_forbid_passes_over_ticks_while_a_run_goes_on(plane: EmbeddedPlane, world: World) -> None:
    """What is being loaded need not be loaded twice: the tick is gone, also when the run has ended."""
    hourly(plane)
    world.now = at("2026-07-01T03:00:00+00:00")
    run_due(plane)
    world.now = at("2026-07-01T04:00:00+00:00")
    run_due(plane)
    finish(plane, world)
    run_due(plane)
    assert ticks(world) == ["03:00"]


def test_allow_runs_side_by_side(plane: EmbeddedPlane, world: World) -> None:
    """Each run has its own lock."""
    hourly(plane, **{"concurrency-policy": "Allow"})
    for clock in ("03:00", "04:00"):
        world.now = at(f"2026-07-01T{clock}:00+00:00")
        run_due(plane)
    assert ticks(world) == ["03:00", "04:00"]
    assert len(world.running) == 2


def test_replace_stops_the_run_and_starts_the_new_turn(plane: EmbeddedPlane, world: World) -> None:
    """The new turn begins when the old run has ended."""
    hourly(plane, **{"concurrency-policy": "Replace"})
    world.now = at("2026-07-01T03:00:00+00:00")
    run_due(plane)
    world.now = at("2026-07-01T04:00:00+00:00")
    run_due(plane)
    assert [run.cancelled for run in runs(plane)] == [True]
    assert ticks(world) == ["03:00"]
    end_run(plane, world, CRON, phase="Failed", message="cancelled")
    run_due(plane)
    assert ticks(world) == ["03:00", "04:00"]


def test_suspended_schedules_rest_and_go_on_from_the_next_tick(plane: EmbeddedPlane, world: World) -> None:
    """Nothing runs meanwhile, and resuming does not make up for it."""
    hourly(plane, suspend="true")
    world.now = at("2026-07-01T05:30:00+00:00")
    run_due(plane)
    told = find_condition(status(plane), "Scheduled")
    assert told is not None
    assert (told["status"], told["reason"]) == ("False", "Suspended")
    hourly(plane, suspend="false")
    run_due(plane)
    assert ticks(world) == []
    world.now = at("2026-07-01T06:00:00+00:00")
    run_due(plane)
    assert ticks(world) == ["06:00"]


def test_a_changed_schedule_counts_from_the_change(plane: EmbeddedPlane, world: World) -> None:
    """Unlike in Fluid, editing works; and it starts nothing that lies in the past."""
    hourly(plane)
    world.now = at("2026-07-01T02:50:00+00:00")
    plane.apply(operation(policy="Cron", schedule="*/20 * * * *"))
    plane.advance(CRON)
    run_due(plane)
    assert ticks(world) == []
    world.now = at("2026-07-01T03:20:00+00:00")
    run_due(plane)
    assert ticks(world) == ["03:20"]


def test_a_clock_that_jumps_ahead_and_back_does_not_stop_the_schedule(plane: EmbeddedPlane, world: World) -> None:
    """A run in a false future neither blocks today's turns nor is repeated."""
    hourly(plane)
    world.now = at("2031-01-01T00:00:00+00:00")
    run_due(plane)
    finish(plane, world)
    world.now = at("2026-07-01T03:00:00+00:00")
    run_due(plane)
    assert ticks(world) == ["00:00", "03:00"]


def test_the_time_zone_decides(plane: EmbeddedPlane, world: World) -> None:
    """03:00 in Shanghai is 19:00 UTC."""
    manifest = operation(policy="Cron", schedule="0 3 * * *", annotations={"time-zone": "Asia/Shanghai"})
    plane.apply(manifest)
    plane.advance(CRON)
    world.now = at("2026-07-01T19:00:00+00:00")
    run_due(plane)
    assert ticks(world) == ["19:00"]


def test_history_keeps_its_limits_and_always_the_newest(plane: EmbeddedPlane, world: World) -> None:
    """Three complete runs and one failed one, newest first."""
    hourly(plane)
    for hour in range(3, 10):
        world.now = at(f"2026-07-01T{hour:02}:00:00+00:00")
        run_due(plane)
        end_run(plane, world, CRON, phase="Failed" if hour in (4, 5) else "Complete")
    kept = [(rfc3339(run.scheduled or 0)[11:13], run.phase) for run in plane.history(CRON)]
    assert kept == [("09", "Complete"), ("08", "Complete"), ("07", "Complete"), ("05", "Failed")]


def test_cancelling_ends_the_run_and_keeps_the_schedule(plane: EmbeddedPlane, world: World) -> None:
    """The wish is used up: the next turn runs."""
    hourly(plane)
    world.now = at("2026-07-01T03:00:00+00:00")
    run_due(plane)
    hourly(plane, cancel="true")
    assert runs(plane)[0].cancelled
    end_run(plane, world, CRON, phase="Failed", message="cancelled")
    run_due(plane)
    assert "datafluid.io/cancel" not in (plane.get(CRON)["metadata"].get("annotations") or {})
    world.now = at("2026-07-01T04:00:00+00:00")
    run_due(plane)
    assert ticks(world) == ["03:00", "04:00"]


def test_without_a_server_the_status_says_so(plane: EmbeddedPlane) -> None:
    """And with one it does not."""
    from datafluid.engine.serving import serve_lock

    hourly(plane)
    told = find_condition(status(plane), "Served")
    assert told is not None
    assert (told["status"], "datafluid serve" in told["message"]) == ("False", True)
    with serve_lock(plane.home):
        assert find_condition(status(plane), "Served") is None


def test_a_schedule_that_is_none_fails(plane: EmbeddedPlane) -> None:
    """Transcript 12 and fact 12: Failed with ScheduleNotSpecified and an empty duration."""
    plane.apply(operation(policy="Cron"))
    plane.advance(CRON)
    assert (status(plane)["phase"], status(plane)["duration"]) == ("Failed", "")
    assert status(plane)["conditions"][0]["reason"] == "ScheduleNotSpecified"
    plane.apply(operation(policy="Cron", schedule="0 * * * *"))
    plane.advance(CRON)
    assert status(plane)["phase"] == "Executing"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2026-03-29", "2026-03-29T01:00:00Z"), ("2026-10-25", "2026-10-25T00:30:00Z")],
)
def test_clock_changes_run_a_nightly_turn_once(plane: EmbeddedPlane, world: World, day: str, expected: str) -> None:
    """02:30 in Berlin does not exist in March and comes twice in October: one run each."""
    world.now = at(f"{day}T00:00:00+02:00") - HOUR
    plane.apply(operation(policy="Cron", schedule="30 2 * * *", annotations={"time-zone": "Europe/Berlin"}))
    plane.advance(CRON)
    for minute in range(0, 5 * 60, 10):
        world.now = at(f"{day}T00:00:00+00:00") - HOUR + minute * 60
        run_due(plane)
        if world.running:
            finish(plane, world)
    assert [rfc3339(tick) for _, tick in world.started] == [expected]
    assert parse_time(status(plane)["lastScheduleTime"]) == world.started[0][1]
