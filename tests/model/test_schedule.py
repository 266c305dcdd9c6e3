"""Schedules: Kubernetes' syntax, runs in every time zone, daylight saving in both directions."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model.cron import parse_fields
from datafluid.model.schedule import Schedule

BERLIN = "Europe/Berlin"
#: Clocks that change: by an hour, by half an hour, at midnight, by a whole day, and one that never does.
ZONES = [
    "UTC",
    BERLIN,
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Kolkata",
]
START = datetime(2024, 1, 1, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def walls(schedule: Schedule, after: str, n: int) -> list[str]:
    return [run.isoformat() for run in schedule.next_runs(utc(after), n)]


@pytest.mark.parametrize(
    "expression",
    ["0 3 * * *", "*/5 * * * *", "0 0 ? * MON-FRI", "1,2,3-9/2 0 1 jan,Dec *", "5/15 * * * *", "0 0 31 1 *"]
    + [
        "@hourly",
        "@daily",
        "@midnight",
        "@weekly",
        "@monthly",
        "@yearly",
        "@annually",
        "@every 1h",
        "@every 1.5h",
    ],
)
def test_accepts_what_kubernetes_accepts(expression: str) -> None:
    """Every form that Kubernetes takes for a CronJob has a next run."""
    assert Schedule(expression).next_after(START) > START


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("nonsense", "has 1 field"),
        ("", "is empty"),
        ("   ", "is empty"),
        ("0 3 * *", "has 4 fields"),
        ("0 0 3 * * *", "has 6 fields"),
        ("TZ=Asia/Shanghai 0 3 * * *", "time zone"),
        ("CRON_TZ=UTC 0 3 * * *", "time zone"),
        ("60 3 * * *", "as minute"),
        ("0 24 * * *", "as hour"),
        ("0 0 0 * *", "as day-of-month"),
        ("0 0 * 13 *", "as month"),
        ("0 0 * * 7", "as day-of-week"),
        ("0 0 L * *", "as day-of-month"),
        ("0 0 * * MON#2", "as day-of-week"),
        ("*/0 * * * *", "as the step"),
        ("0 5-3 * * *", "runs backwards"),
        ("0 0 30 2 *", "never comes true"),
        ("0 0 31 4,6 *", "never comes true"),
        ("@reboot", "descriptor"),
        ("@Daily", "descriptor"),
        ("@every", "duration"),
        ("@every soon", "duration"),
        ("@every 0s", "zero"),
        ("@every 99999h", "ten years"),
        ("٣ 3 * * *", "as minute"),
        ("0 " * 200, "longer than"),
    ],
)
def test_refuses_what_kubernetes_refuses(expression: str, problem: str) -> None:
    """A schedule that a CronJob would not take is refused, with a hint that says what to write."""
    with pytest.raises(Invalid, match=problem) as caught:
        Schedule(expression)
    assert caught.value.hint


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "Europe", "x\0y"])
def test_refuses_unknown_time_zones(zone: str) -> None:
    """A time zone is an IANA name and never a path."""
    with pytest.raises(Invalid, match="there is no time zone"):
        Schedule("0 3 * * *", zone)


def test_a_time_that_does_not_exist_runs_once_when_the_gap_ends() -> None:
    """On 29 March 2026 Berlin has no 02:30: the run comes at 03:00, and the next at 02:30 the day after."""
    runs = walls(Schedule("30 2 * * *", BERLIN), "2026-03-28T12:00", 2)
    assert runs == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]


def test_many_times_in_one_gap_run_once() -> None:
    """Four runs that fall into the same gap do not pile up at its end."""
    runs = walls(Schedule("*/15 2 * * *", BERLIN), "2026-03-28T12:00", 2)
    assert runs == ["2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"]


def test_a_repeated_time_runs_once() -> None:
    """On 25 October 2026 Berlin has 02:30 twice: the first one runs, the second does not."""
    runs = walls(Schedule("30 2 * * *", BERLIN), "2026-10-24T12:00", 2)
    assert runs == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]


def test_a_repeated_time_does_not_run_when_asked_between_its_two_turns() -> None:
    """A process that starts after the first 02:30 does not run the second one."""
    between = datetime(2026, 10, 25, 1, 5, tzinfo=UTC)  # 02:05 for the second time
    assert Schedule("30 2 * * *", BERLIN).next_after(between).isoformat() == "2026-10-26T02:30:00+01:00"


def test_an_hourly_job_runs_every_hour_that_passes() -> None:
    """``0 * * * *`` runs 25 times on the long day and 23 times on the short one."""
    hourly = Schedule("0 * * * *", BERLIN)
    days = [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-25", 25)]
    for day, hours in days:
        begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(BERLIN)) - timedelta(seconds=1)
        runs = hourly.next_runs(begin, 26)
        assert sum(run.date().isoformat() == day for run in runs) == hours


def test_half_hour_clock_changes_lose_no_run() -> None:
    """Lord Howe goes from 02:00 back to 01:30, where stepping by hours would jump over 02:00."""
    runs = walls(Schedule("0 */2 * * *", "Australia/Lord_Howe"), "2026-04-04T12:00", 3)
    assert runs == ["2026-04-05T00:00:00+11:00", "2026-04-05T02:00:00+10:30", "2026-04-05T04:00:00+10:30"]


def test_a_day_that_never_was() -> None:
    """Samoa had no 30 December 2011: its 03:00 runs when the 31st begins."""
    runs = walls(Schedule("0 3 * * *", "Pacific/Apia"), "2011-12-29T18:00", 2)
    assert runs == ["2011-12-31T00:00:00+14:00", "2011-12-31T03:00:00+14:00"]


def test_day_fields_combine_as_in_kubernetes() -> None:
    """Day-of-month and day-of-week are or-ed, unless one is a star; ``*/2`` is not a star."""
    assert walls(Schedule("0 0 13 * FRI"), "2026-02-01T00:00", 2)[0][:10] == "2026-02-06"
    assert walls(Schedule("0 0 13 * *"), "2026-02-01T00:00", 1)[0][:10] == "2026-02-13"
    assert walls(Schedule("0 0 */2 * MON"), "2026-02-01T00:00", 2) == [
        "2026-02-02T00:00:00+00:00",
        "2026-02-03T00:00:00+00:00",
    ]
    assert walls(Schedule("0 0 1,* * MON"), "2026-02-01T00:00", 1)[0][:10] == "2026-02-02"


def test_every_counts_from_the_moment_it_is_given() -> None:
    """``@every 90m`` has no fixed times of day: it counts from the previous run."""
    assert walls(Schedule("@every 90m", BERLIN), "2026-01-01T00:10", 2) == [
        "2026-01-01T02:40:00+01:00",
        "2026-01-01T04:10:00+01:00",
    ]


def test_missed_is_open_at_the_start_and_closed_at_the_end() -> None:
    """A run that was done at ``since`` is not due again, one that falls on ``now`` is."""
    daily = Schedule("0 3 * * *")
    assert daily.missed(utc("2026-01-01T03:00"), utc("2026-01-03T03:00")) == [
        utc("2026-01-02T03:00"),
        utc("2026-01-03T03:00"),
    ]
    assert daily.missed(utc("2026-01-03T03:00"), utc("2026-01-03T03:00")) == []
    assert daily.missed(utc("2026-01-04T03:00"), utc("2026-01-03T03:00")) == []


def test_latest_due_does_not_walk_through_the_years() -> None:
    """Six years asleep, one turn due: the last one, found without three million steps."""
    every_minute = Schedule("* * * * *")
    assert every_minute.latest_due(utc("2020-01-01T00:00"), utc("2026-01-01T00:00:30")) == utc("2026-01-01T00:00")
    leap = Schedule("0 0 29 2 *")
    assert leap.latest_due(utc("2020-01-01T00:00"), utc("2027-06-01T00:00")) == utc("2024-02-29T00:00")
    assert leap.latest_due(utc("2025-01-01T00:00"), utc("2027-06-01T00:00")) is None
    assert Schedule("@every 1h").latest_due(utc("2026-01-01T00:30"), utc("2026-01-01T03:00")) == utc("2026-01-01T02:30")
    assert Schedule("@every 1h").latest_due(utc("2026-01-01T00:30"), utc("2026-01-01T01:00")) is None


def test_naive_times_are_refused() -> None:
    """A moment without a time zone is a mistake of the caller."""
    with pytest.raises(ValueError, match="no time zone"):
        Schedule("0 3 * * *").next_after(datetime(2026, 1, 1))


def test_is_a_value() -> None:
    """Schedules compare by what they say, hash, pickle and print."""
    schedule = Schedule("0 3 * * *", BERLIN)
    assert pickle.loads(pickle.dumps(schedule)) == schedule == Schedule("0 3 * * *", BERLIN)
    assert len({schedule, Schedule("0 3 * * *", BERLIN), Schedule("0 3 * * *")}) == 2
    assert repr(schedule) == "Schedule(expression='0 3 * * *', time_zone='Europe/Berlin')"
    assert Schedule("@every 1h30m").description == "Every 1h30m"
    assert Schedule("@weekly").description == "At 00:00 on Sunday"


def _field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ab: f"{min(ab)}-{max(ab)}")
    plain = st.one_of(st.just("*"), number.map(str), span)
    stepped = st.builds(lambda a, n: f"{a}/{n}", st.one_of(st.just("*"), span), st.integers(1, high))
    return st.lists(st.one_of(plain, stepped), min_size=1, max_size=2).map(",".join)


_clock = st.tuples(_field(0, 59), _field(0, 23)).map(lambda parts: f"{parts[0]} {parts[1]} * * *")
_moment = st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes))
_zone = st.sampled_from(ZONES)


@given(_clock, _zone, _moment)
def test_runs_are_later_increasing_and_stable(expression: str, zone: str, after: datetime) -> None:
    """Runs strictly increase as instants, and asking again from any run gives the rest of the same list."""
    schedule = Schedule(expression, zone)
    runs = [run.astimezone(UTC) for run in schedule.next_runs(after, 5)]
    assert after < runs[0]
    assert runs == sorted(set(runs))
    assert [run.astimezone(UTC) for run in schedule.next_runs(runs[1], 3)] == runs[2:]


@given(_field(0, 59), _zone, _moment)
def test_wildcard_hours_match_the_wall_clock_minute_by_minute(minute: str, zone: str, after: datetime) -> None:
    """A job that follows the clock runs exactly at those instants whose wall time matches."""
    schedule = Schedule(f"{minute} * * * *", zone)
    allowed = _allowed(minute)
    end = after + timedelta(hours=5)
    instants = [after + timedelta(minutes=n) for n in range(1, 301)]
    expected = [at for at in instants if at.astimezone(ZoneInfo(zone)).minute in allowed]
    assert [run.astimezone(UTC) for run in schedule.missed(after, end)] == expected


@given(st.integers(0, 59), st.integers(0, 23), _zone, _moment)
@settings(max_examples=2 * settings().max_examples)
def test_a_named_time_runs_once_for_every_date(minute: int, hour: int, zone: str, after: datetime) -> None:
    """Whatever the clock does, a daily job has one run for each date, none of them early."""
    schedule = Schedule(f"{minute} {hour} * * *", zone)
    runs = schedule.next_runs(after, 400)
    dates = [run.date() for run in runs]
    assert dates == [dates[0] + timedelta(days=n) for n in range(400)]
    assert all((run.hour, run.minute) >= (hour, minute) for run in runs)


@given(_clock, _zone, _moment, st.timedeltas(timedelta(0), timedelta(days=3)))
def test_latest_due_is_the_last_missed(expression: str, zone: str, since: datetime, length: timedelta) -> None:
    """The shortcut agrees with the long way."""
    schedule = Schedule(expression, zone)
    missed = schedule.missed(since, since + length)
    assert schedule.latest_due(since, since + length) == (missed[-1] if missed else None)


@given(st.text(max_size=30))
def test_any_text_is_a_schedule_or_invalid(text: str) -> None:
    """No input makes the parser fail in another way."""
    try:
        Schedule(text)
    except Invalid as error:
        assert error.hint


def _allowed(minute: str) -> set[int]:
    """Which minutes a field names, worked out without cronsim."""
    result: set[int] = set()
    for item in parse_fields(f"{minute} * * * *").expression.split()[0].split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        bounds = (0, 59) if span == "*" else (int(low), int(high or low))
        result |= set(range(bounds[0], bounds[1] + 1, int(step or 1)))
    return result
