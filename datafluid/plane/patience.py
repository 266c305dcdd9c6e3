"""The timer of one watch: when it ends, and after how much silence the listener is told of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Literal

from datafluid.plane.port import WatchEvent

__all__ = ["Patience", "nothing"]


class Patience:
    """How long to listen.

    Args:
        timeout: Seconds until it is over; None is never.
        quiet: Seconds of silence after which to say so: the first, then the second, the last again and again. None
            are never.
        clock: Monotonic seconds.

    Example:
        >>> now = 0.0
        >>> patience = Patience(100, quiet=(15, 30), clock=lambda: now)
        >>> patience.seconds
        15.0
        >>> now = 15.0
        >>> patience.is_quiet(), patience.is_quiet(), patience.seconds
        (True, False, 30.0)
    """

    def __init__(
        self,
        timeout: float | None = None,
        *,
        quiet: Sequence[float] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self._end = math.inf if timeout is None else clock() + timeout
        self._quiet = quiet
        self.told()

    def told(self) -> None:
        """Something was told: silence begins anew."""
        self._turn = -1
        self._next_turn()

    @property
    def left(self) -> float:
        """Seconds until it is over, never below 0."""
        return max(0.0, self._end - self.clock())

    @property
    def over(self) -> bool:
        """Whether it is."""
        return self.clock() >= self._end

    @property
    def seconds(self) -> float:
        """Seconds to wait for something to tell: until it is over, or silence is to be told of."""
        return max(0.0, min(self._end, self._due) - self.clock())

    def is_quiet(self) -> bool:
        """Whether silence is to be told of now. It is told of once, and then after the next so many seconds."""
        if self.clock() < self._due:
            return False
        self._next_turn()
        return True

    def _next_turn(self) -> None:
        if not self._quiet:
            self._due = math.inf
            return
        self._turn = min(self._turn + 1, len(self._quiet) - 1)
        self._due = self.clock() + self._quiet[self._turn]


def nothing(type: Literal["BOOKMARK", "QUIET"], kind: str, version: str) -> WatchEvent:
    """An event that tells of no object."""
    return WatchEvent(type=type, object={"kind": kind, "metadata": {"resourceVersion": version}}, version=version)
