"""How much time a wait has."""

from __future__ import annotations

import time

__all__ = ["Deadline", "seconds_told"]


class Deadline:
    """Seconds that are left; None is for ever. Starts at once."""

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds left, never below 0; None without an end."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether it is over."""
        return self._end is not None and time.monotonic() >= self._end

    def __str__(self) -> str:
        return "for ever" if self.seconds is None else seconds_told(self.seconds)


def seconds_told(seconds: float) -> str:
    """Seconds as people say them.

    Example:
        >>> seconds_told(9.99999), seconds_told(0.5), seconds_told(61.23)
        ('10 s', '0.5 s', '61 s')
    """
    return f"{round(seconds, 1 if seconds < 10 else None):g} s"
