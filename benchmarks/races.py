"""Races: the same work in several lanes, in turns, told as ratios of time. And facts: figures that are counted."""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["Fact", "Lane", "Race", "Result", "Table", "main", "run_race", "tell"]

Work = Callable[[], object]
_Sizes = TypeVar("_Sizes")


def _nothing() -> None:
    """No preparation."""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One way to do the work.

    Args:
        label: What it is called in the table.
        work: Does it; what it returns must be the same in every lane.
        prepare: Done before each run, and not timed.
        bound: For a peer: the ratio of our time to its time that we mean to stay below.
    """

    label: str
    work: Work
    prepare: Work = _nothing
    bound: float | None = None


@dataclass(frozen=True, kw_only=True)
class Race:
    """The same work in several lanes.

    Args:
        compare: The lanes must return the same.
        clock: Seconds; `time.process_time` for work that waits for a server.
    """

    name: str
    ours: Lane
    peers: Sequence[Lane]
    compare: bool = True
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True, kw_only=True)
class Result:
    """We beside one peer. Times are medians, in seconds; ``ratio`` is the median of the rounds' ratios."""

    name: str
    ours: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    lowest: float
    highest: float
    rounds: int
    bound: float | None


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A figure that does not depend on how fast the machine is; above its bound the benchmark fails."""

    name: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.value <= self.bound


@dataclass
class Table:
    """What one benchmark found.

    Args:
        headings: Of further rows, whose cells are text.
    """

    title: str
    results: list[Result] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    headings: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)


def tell(text: str) -> None:
    """Say what goes on."""
    print(text, file=sys.stderr, flush=True)


def run_race(race: Race, rounds: int) -> list[Result]:
    """Run every lane once to warm up, then in turns, each round beginning with another lane.

    Raises:
        RuntimeError: two lanes returned different things.
    """
    tell(f"{race.name} …")
    lanes = [race.ours, *race.peers]
    times: list[list[float]] = [[] for _ in lanes]
    answers = [_timed(lane, race.clock)[1] for lane in lanes]
    if race.compare and any(answer != answers[0] for answer in answers):
        raise RuntimeError(f"{race.name}: the lanes differ: {answers}")
    for number in range(rounds):
        for place in range(len(lanes)):
            lane = (number + place) % len(lanes)
            times[lane].append(_timed(lanes[lane], race.clock)[0])
    return [_result(race, peer, times[0], spent) for peer, spent in zip(race.peers, times[1:], strict=True)]


def _timed(lane: Lane, clock: Callable[[], float]) -> tuple[float, object]:
    lane.prepare()
    gc.collect()
    gc.disable()
    try:
        start = clock()
        answer = lane.work()
        return clock() - start, answer
    finally:
        gc.enable()


def _result(race: Race, peer: Lane, ours: list[float], theirs: list[float]) -> Result:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Result(
        name=race.name,
        ours=race.ours.label,
        peer=peer.label,
        ours_seconds=statistics.median(ours),
        peer_seconds=statistics.median(theirs),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rounds=len(ratios),
        bound=peer.bound,
    )


# -- telling


def report(table: Table) -> None:
    """Print the results and the facts."""
    from rich.console import Console
    from rich.table import Table as Printed

    console = Console(width=None if sys.stdout.isatty() else 150)
    if table.results:
        headings = ("what", "through", "ms", "peer", "ms", "ratio", "lowest", "highest", "aim")
        printed = Printed(*headings, title=table.title)
        for result in table.results:
            times = (f"{seconds * 1000:.1f}" for seconds in (result.ours_seconds, result.peer_seconds))
            ratios = (f"{ratio:.2f}" for ratio in (result.ratio, result.lowest, result.highest))
            aim = "" if result.bound is None else f"≤ {result.bound:.2f}"
            printed.add_row(result.name, result.ours, next(times), result.peer, next(times), *ratios, aim)
        console.print(printed)
    if table.rows:
        further = Printed(*table.headings)
        for row in table.rows:
            further.add_row(*row)
        console.print(further)
    for fact in table.facts:
        console.print(f"{table.title}: {fact.name}: {fact.value:g} (at most {fact.bound:g})")


def document(tables: Iterable[Table], sizes: Any, *, small: bool) -> dict[str, Any]:
    """What ``--json`` writes."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "small": small,
        "sizes": asdict(sizes),
        "tables": [asdict(table) for table in tables],
    }


def main(measure: Callable[[_Sizes], list[Table]], usual: _Sizes, small: _Sizes, arguments: list[str] | None) -> int:
    """Run a benchmark as a program; 1 when a fact is above its bound.

    Args:
        measure: Does it.
        usual: The sizes; each field is an option.
        small: The sizes of ``--small``.
    """
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    parser.add_argument("--small", action="store_true", help="a quick run, for tests: its times mean nothing")
    for each in fields(usual):  # type: ignore[arg-type]
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=int, help=f"usually {getattr(usual, each.name)}")
    options = parser.parse_args(arguments)
    given = {key: value for key, value in vars(options).items() if key not in ("json", "small") and value is not None}
    sizes = replace(small if options.small else usual, **given)  # type: ignore[type-var]
    warnings.simplefilter("ignore", ResourceWarning)
    tables = measure(sizes)
    for table in tables:
        report(table)
    if options.json is not None:
        options.json.write_text(json.dumps(document(tables, sizes, small=options.small), indent=2) + "\n")
    return 0 if all(fact.holds for table in tables for fact in table.facts) else 1
