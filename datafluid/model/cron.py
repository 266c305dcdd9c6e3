"""The text of a cron schedule: what Kubernetes accepts, translated into fields that mean the same to cronsim.

Kubernetes parses with robfig/cron. It differs from Debian's cron, and so from cronsim, in details that would
make one schedule run on different days on different planes: ``?`` is ``*``; day-of-month and day-of-week are
and-ed only when one of them really is a star (``*/2`` is not); ``*`` inside a list makes the field a star.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

from datafluid.errors import Invalid

__all__ = ["CronFields", "parse_every", "parse_fields"]

_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_EXAMPLE = 'Write "minute hour day-of-month month day-of-week", such as "0 3 * * *" for every day at 03:00.'
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_GO_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)", re.ASCII)
_TOO_LONG = 200
_LONGEST_STEP = timedelta(days=3660)
#: cronsim wants a start; whether a schedule ever comes true does not depend on it.
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - wall clock times have no zone


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    base: int = 0


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS, 1),
    _Field("day-of-week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True)
class CronFields:
    """Five fields in the form that cronsim understands.

    Args:
        expression: Without names, ``?`` and nicknames; a field starts with ``*`` only if it is ``*``.
        follows_clock: The hour is ``*`` or ``*/n``: the job runs by intervals, not at a time of day.
    """

    expression: str
    follows_clock: bool


def parse_fields(text: str) -> CronFields:
    """Read five fields or a nickname.

    Raises:
        Invalid: Kubernetes would refuse it, or no date ever matches it.

    Example:
        >>> parse_fields("*/15 9-17 ? * mon-fri").expression
        '0-59/15 9-17 * * 1-5'
    """
    _refuse_early(text)
    if text.startswith("@"):
        if text not in _NICKNAMES:
            raise _bad(
                text,
                "has a descriptor that cron does not know",
                f"Use one of {', '.join(_NICKNAMES)}, @every 1h.",
            )
        return parse_fields(_NICKNAMES[text])
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise _bad(text, f"has {_count(len(parts))} where cron has five", _EXAMPLE)
    fields = CronFields(
        " ".join(_normal(part, spec, text) for part, spec in zip(parts, _FIELDS, strict=True)),
        follows_clock=any(item.startswith(("*", "?")) for item in parts[1].split(",")),
    )
    _refuse_never(fields, text)
    return fields


def parse_every(text: str) -> timedelta | None:
    """The step of ``@every <Go duration>``; None when the text is something else.

    Seconds are the finest grain, and one second the shortest step, as in Kubernetes.

    Raises:
        Invalid: the duration is missing, zero, negative or not a Go duration.

    Example:
        >>> parse_every("@every 1h30m")
        datetime.timedelta(seconds=5400)
    """
    if not text.startswith("@every"):
        return None
    _refuse_early(text)
    duration = text.removeprefix("@every ")
    if _GO_PART.sub("", duration):
        raise _bad(text, "has no duration that Go understands", 'Write for example "@every 1h30m" or "@every 45s".')
    total = sum(float(number) * _GO_UNITS[unit] for number, unit in _GO_PART.findall(duration))
    if total <= 0:
        raise _bad(text, "has a step of zero", 'Write for example "@every 1h".')
    if total > _LONGEST_STEP.total_seconds():
        raise _bad(text, "has a step of more than ten years", 'Write for example "@every 720h".')
    return timedelta(seconds=max(1, int(total)))


def _refuse_early(text: str) -> None:
    if not text.strip():
        raise Invalid("the schedule is empty.", hint=_EXAMPLE)
    if len(text) > _TOO_LONG:
        raise _bad(text, f"is longer than {_TOO_LONG} characters", _EXAMPLE)
    if re.match(r"(CRON_)?TZ=", text):
        raise _bad(text, "names a time zone, which Kubernetes refuses", "Set the time zone beside the schedule.")


def _refuse_never(fields: CronFields, text: str) -> None:
    try:
        next(CronSim(fields.expression, _ANY_DAY))
    except (CronSimError, StopIteration):
        raise _bad(text, "never comes true", "Check the day of the month against the month.") from None


def _normal(part: str, spec: _Field, text: str) -> str:
    items = [_item(item, spec, text) for item in part.split(",")]
    return "*" if "*" in items else ",".join(items)


def _item(item: str, spec: _Field, text: str) -> str:
    span, slash, step = item.partition("/")
    if slash and (not _digits(step) or int(step) == 0):
        raise _bad(text, f"has {step!r} as the step of the {spec.name}", "Write a number from 1 up after the slash.")
    first, last = _span(span, spec, text, open_ended=bool(slash))
    if span in ("*", "?") and step in ("", "1"):
        return "*"
    if slash:
        return f"{first}-{last}/{min(int(step), spec.last + 1)}" if first != last else str(first)
    return f"{first}-{last}" if first != last else str(first)


def _span(span: str, spec: _Field, text: str, *, open_ended: bool) -> tuple[int, int]:
    if span in ("*", "?"):
        return spec.first, spec.last
    start, dash, end = span.partition("-")
    first = _value(start, spec, text)
    last = _value(end, spec, text) if dash else spec.last if open_ended else first
    if last < first:
        raise _bad(
            text,
            f"has a {spec.name} range that runs backwards",
            f"Write it as {end}-{start}, or as two ranges.",
        )
    return first, last


def _value(word: str, spec: _Field, text: str) -> int:
    if word.upper() in spec.names:
        return spec.names.index(word.upper()) + spec.base
    if not _digits(word) or not spec.first <= int(word) <= spec.last:
        allowed = f"{spec.first}-{spec.last}" + (f" or {spec.names[0]}-{spec.names[-1]}" if spec.names else "")
        hint = "Sunday is 0." if spec.name == "day-of-week" and word == "7" else f"Use {allowed}."
        raise _bad(text, f"has {word[:20]!r} as {spec.name}", hint)
    return int(word)


def _digits(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= 4


def _count(n: int) -> str:
    return "1 field" if n == 1 else f"{n} fields"


def _bad(text: str, problem: str, hint: str) -> Invalid:
    return Invalid(f"the schedule {text[:_TOO_LONG]!r} {problem}.", hint=hint)
