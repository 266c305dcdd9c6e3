"""Delaying Ctrl-C until a step that must not be torn apart is through."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from datafluid.cli.errors import Terminated

__all__ = ["Interruption", "held_back"]


class Interruption:
    """Whether a signal came while it was held back."""

    def __init__(self) -> None:
        self._signal: int | None = None

    def __call__(self) -> bool:
        """Whether one came."""
        return self._signal is not None

    @property
    def error(self) -> KeyboardInterrupt:
        """What the signal would have raised."""
        return Terminated() if self._signal == signal.SIGTERM else KeyboardInterrupt()

    def note(self, signum: int, frame: FrameType | None) -> None:
        """Remember a signal."""
        self._signal = signum


@contextmanager
def held_back() -> Iterator[Interruption]:
    """Hold SIGINT and SIGTERM back until the block ends, so that what it starts is known and can be cancelled.

    A handler and not a signal mask: processes that are started inside would inherit a mask.
    """
    interruption = Interruption()
    before = {each: signal.signal(each, interruption.note) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
