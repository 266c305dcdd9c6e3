"""Progress of anything long: a bar on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from datafluid.cli.escape import safe
from datafluid.cli.output import age, percent, size

__all__ = ["Meter", "meter"]

#: Seconds between two plain lines.
LINE_INTERVAL = 5.0


class Meter(Protocol):
    """Somewhere to report how far a long thing is."""

    def __call__(
        self,
        done: float | None,
        total: float | None,
        *,
        note: str = "",
        rate: float | None = None,
        eta: float | None = None,
    ) -> None:
        """Report.

        Args:
            done: Bytes done; None when unknown.
            total: Bytes in all; None when unknown.
            note: What else to say, such as the count of files.
            rate: Bytes a second, where the worker measured it; else it is measured here.
            eta: Seconds left, where the worker computed it.
        """


@contextmanager
def meter(title: str, *, clock: Callable[[], float] = time.monotonic) -> Iterator[Meter]:
    """A meter for one long thing, drawn until the block ends.

    Args:
        title: What it is; may come from outside.
    """
    if sys.stderr.isatty():
        with _bar(safe(title)) as draw:
            yield draw
    else:
        lines = _Lines(safe(title), clock)
        yield lines
        lines.finish()


class _Lines:
    """Plain lines: words at once, figures every few seconds, and a last line."""

    def __init__(self, title: str, clock: Callable[[], float]) -> None:
        self._title = title
        self._clock = clock
        self._started = clock()
        self._printed = float("-inf")
        self._line = ""
        self._shown = ""

    def __call__(
        self,
        done: float | None,
        total: float | None,
        *,
        note: str = "",
        rate: float | None = None,
        eta: float | None = None,
    ) -> None:
        now = self._clock()
        elapsed = now - self._started
        if rate is None and done and elapsed > 0:
            rate = done / elapsed
        if eta is None and rate and total is not None and done is not None:
            eta = (total - done) / rate
        self._line = f"{self._title}: {_sentence(done, total, safe(note), rate, eta)}"
        is_news = done is None and self._line != self._shown  # words may never be followed by others
        if is_news or now - self._printed >= LINE_INTERVAL:
            self._print(now)

    def _print(self, now: float) -> None:
        print(self._line, file=sys.stderr, flush=True)
        self._printed, self._shown = now, self._line

    def finish(self) -> None:
        """Print the last report, unless it was printed already."""
        if self._line != self._shown:
            self._print(self._clock())


def _sentence(done: float | None, total: float | None, note: str, rate: float | None, eta: float | None) -> str:
    parts = []
    if done is not None:
        parts.append(f"{size(done)} of {size(total)}" if total is not None else f"{size(done)}")
    if done is not None and total:
        parts.append(f"{percent(done / total)}")
    parts += [note] if note else []
    parts += [f"{size(rate)}/s"] if rate else []
    parts += [f"ETA {age(eta)}"] if eta else []
    return ", ".join(parts) or "waiting"


@contextmanager
def _bar(title: str) -> Iterator[Meter]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.table import Column

    def whole() -> Column:
        return Column(no_wrap=True)

    def elastic() -> Column:
        return Column(no_wrap=True, overflow="ellipsis", ratio=1)

    console = Console(stderr=True, markup=False, emoji=False, highlight=False)
    columns = (
        TextColumn("{task.description}", markup=False, table_column=elastic()),
        BarColumn(bar_width=16),
        DownloadColumn(binary_units=True, table_column=whole()),
        TextColumn("{task.fields[speed]}", markup=False, table_column=whole()),
        TimeRemainingColumn(compact=True, table_column=whole()),
        TextColumn("{task.fields[note]}", markup=False, table_column=elastic()),
    )
    with Progress(*columns, console=console, expand=True) as progress:
        task = progress.add_task(title, total=None, note="", speed="")
        started = time.monotonic()

        def draw(
            done: float | None,
            total: float | None,
            *,
            note: str = "",
            rate: float | None = None,
            eta: float | None = None,
        ) -> None:
            if rate is None:
                rate = (done or 0) / max(time.monotonic() - started, 1e-9)
            speed = f"{size(rate)}/s" if rate else ""
            progress.update(task, completed=done or 0, total=total, note=safe(note), speed=speed)

        yield draw
