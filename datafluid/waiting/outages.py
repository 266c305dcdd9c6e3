"""A plane that goes away during a wait: the wait goes on until its own time is up."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from datetime import datetime
from itertools import count
from typing import TypeVar

from datafluid.errors import DatafluidError, Timeout, Unavailable
from datafluid.model.ref import Ref
from datafluid.waiting.deadline import Deadline, seconds_told

__all__ = ["breathe", "outlasting"]

_LOG = logging.getLogger(__name__)
_FIRST, _LONGEST = 0.25, 5.0  # seconds between two questions

T = TypeVar("T")


def outlasting(ref: Ref, deadline: Deadline, question: Callable[[], T]) -> T:
    """What a plane answers, asked again for as long as it cannot be reached. Others' errors are answers too.

    Args:
        ref: What is waited for, to say so.
        deadline: When to give up.
        question: Asks the plane.

    Raises:
        Timeout: the plane has not answered in time; says why, and since when.
    """
    began, asked_at = time.monotonic(), datetime.now().astimezone()
    for attempt in count():
        try:
            answer = question()
        except Unavailable as error:
            if deadline.passed:
                raise _never_back(ref, deadline, asked_at, error) from error
            if attempt == 0:
                _LOG.warning(
                    "%s: the plane does not answer since %s, the wait goes on: %s",
                    *(ref, f"{asked_at:%H:%M:%S}", error.message),
                )
            breathe(deadline, attempt)
        except DatafluidError:
            _tell_back(ref, attempt, began)
            raise
        else:
            _tell_back(ref, attempt, began)
            return answer
    raise AssertionError("counting does not end")


def breathe(deadline: Deadline, attempt: int) -> None:
    """Pause before asking again, longer each time."""
    pause = min(_LONGEST, _FIRST * 2 ** min(attempt, 10)) * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
    left = deadline.left()
    time.sleep(pause if left is None else min(pause, left))


def _tell_back(ref: Ref, attempt: int, began: float) -> None:
    if attempt:
        _LOG.warning("%s: the plane answers again, after %s.", ref, seconds_told(time.monotonic() - began))


def _never_back(ref: Ref, deadline: Deadline, since: datetime, error: Unavailable) -> Timeout:
    told = seconds_told(deadline.seconds or 0.0)
    return Timeout(
        f"{ref}: {told} are over, and the plane does not answer since {since:%H:%M:%S}: {error.message}",
        hint=error.hint,
        last_seen="the plane does not answer",
    )
