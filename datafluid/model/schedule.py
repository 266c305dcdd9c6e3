"""When a cron operation runs: Kubernetes' cron syntax, in a time zone, with daylight saving done right.

The syntax is the one that Kubernetes accepts for a CronJob, because that is where Fluid sends it: five
fields, names of months and days, ``@hourly`` and its like, ``@every 1h30m``. What Kubernetes refuses
(seconds, ``TZ=``, ``L``, ``#``, Sunday as 7) is refused here too: a schedule means the same on every plane.

Daylight saving follows Debian's cron, which is kinder than Kubernetes (there, a run inside the gap is lost
and a run inside the overlap happens twice). A job whose hour is named runs once a day whatever the clock
does: a time that does not exist runs when the gap ends, a repeated one runs the first time only. A job whose
hour is ``*`` or ``*/n`` follows the clock on the wall: ``0 * * * *`` runs every hour that really passes.

Nothing here looks at the clock: every method takes the moments it needs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim
from cronsim.explain import Expression

from datafluid.errors import Invalid
from datafluid.model.cron import CronFields, parse_every, parse_fields

__all__ = ["Schedule"]

_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)
_FIRST_WINDOW = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression in a time zone.

    Args:
        expression: Five fields (minute hour day-of-month month day-of-week), ``@hourly``, ``@daily``,
            ``@weekly``, ``@monthly``, ``@yearly``, or ``@every`` with a Go duration.
        time_zone: An IANA name. Fluid has no such field: there, it is the controller manager's own zone.

    Raises:
        Invalid: Kubernetes would refuse the expression, it never comes true, or the time zone is unknown.

    Example:
        >>> from datetime import datetime, UTC
        >>> nightly = Schedule("0 3 * * *", "Asia/Shanghai")
        >>> nightly.next_after(datetime(2026, 7, 2, 12, tzinfo=UTC)).isoformat()
        '2026-07-03T03:00:00+08:00'
        >>> nightly.description
        'At 03:00 every day'
    """

    expression: str
    time_zone: str = "UTC"
    _rule: CronFields | timedelta = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rule = parse_every(self.expression) or parse_fields(self.expression)
        object.__setattr__(self, "_rule", rule)
        _zone(self.time_zone)

    @property
    def description(self) -> str:
        """The schedule in plain English, without the time zone."""
        if isinstance(self._rule, timedelta):
            return f"Every {self.expression.split()[1]}"
        return Expression(["0", *self._rule.expression.split()]).explain()

    def next_after(self, after: datetime) -> datetime:
        """The first run later than ``after``, as a time in the schedule's zone.

        An ``@every`` schedule counts from ``after``, as Kubernetes counts from the previous run.

        Raises:
            ValueError: ``after`` has no time zone.
        """
        return next(self._runs(after))

    def next_runs(self, after: datetime, n: int) -> list[datetime]:
        """The first ``n`` runs later than ``after``, earliest first.

        Raises:
            ValueError: ``after`` has no time zone.
        """
        return list(islice(self._runs(after), n))

    def missed(self, since: datetime, now: datetime) -> list[datetime]:
        """Every run due in ``(since, now]``, earliest first; as long as the schedule makes it.

        Raises:
            ValueError: a moment has no time zone.
        """
        return list(_until(self._runs(since), _instant(now)))

    def latest_due(self, since: datetime, now: datetime) -> datetime | None:
        """The last run due in ``(since, now]``, or None: what is left to do after a long sleep.

        Takes no longer for a year than for a day.

        Raises:
            ValueError: a moment has no time zone.
        """
        start, end = _instant(since), _instant(now)
        if isinstance(self._rule, timedelta):
            turns = (end - start.replace(microsecond=0)) // self._rule
            return (start.replace(microsecond=0) + turns * self._rule).astimezone(self._tz) if turns > 0 else None
        window = _FIRST_WINDOW
        while start < end:
            begin = max(start, end - window)
            if latest := deque(_until(self._runs(begin), end), maxlen=1):
                return latest[0]
            if begin == start:
                break
            window *= 2
        return None

    @property
    def _tz(self) -> ZoneInfo:
        return _zone(self.time_zone)

    def _runs(self, after: datetime) -> Iterator[datetime]:
        instant, zone = _instant(after).replace(microsecond=0), self._tz
        if isinstance(self._rule, timedelta):
            return _every(instant, self._rule, zone)
        walk = _by_the_wall if self._rule.follows_clock else _once_a_time
        return walk(self._rule.expression, instant, zone)


def _every(instant: datetime, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    while True:
        instant += step
        yield instant.astimezone(zone)


def _once_a_time(expression: str, instant: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Runs at named hours: every wall clock time once, whether it happens never, once or twice."""
    for wall in CronSim(expression, _wall(instant, zone)):
        run = _first_instant(wall, zone)
        if run > instant:
            instant = run
            yield run.astimezone(zone)


def _by_the_wall(expression: str, instant: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Runs whenever the clock on the wall matches, piece by piece between changes of the clock."""
    wall = _wall(instant, zone)
    offset = wall - instant.replace(tzinfo=None)
    while True:
        wall = next(CronSim(expression, wall))
        run = (wall - offset).replace(tzinfo=UTC)
        change = _first_change(instant, run, zone)
        if change is None:
            instant = run
            yield run.astimezone(zone)
        else:
            instant, wall = change, _wall(change, zone)
            offset = wall - change.replace(tzinfo=None)
            wall -= _ONE_SECOND


def _first_change(start: datetime, end: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in (start, end] at which the zone's offset differs from that at ``start``.

    All whole seconds. No zone ever changed its clock twice within a day.
    """
    offset, low = _offset(start, zone), start
    high = low
    while _offset(high, zone) == offset:
        if high >= end:
            return None
        low, high = high, min(high + _ONE_DAY, end)
    while high - low > _ONE_SECOND:
        middle = low + timedelta(seconds=(high - low) // _ONE_SECOND // 2)
        low, high = (middle, high) if _offset(middle, zone) == offset else (low, middle)
    return high


def _first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment at which the clock shows ``wall``; for a time in a gap, the end of the gap."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(instant, zone) == wall:
        return instant
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _first_change(min(before, instant) - _ONE_SECOND, max(before, instant), zone) or instant


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def _until(runs: Iterator[datetime], end: datetime) -> Iterator[datetime]:
    for run in runs:
        if run.astimezone(UTC) > end:
            return
        yield run


def _instant(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; pass an aware datetime.")
    return moment.astimezone(UTC)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"there is no time zone {name[:80]!r}.",
            hint="Use an IANA name such as UTC, Europe/Berlin or Asia/Shanghai.",
        ) from None
