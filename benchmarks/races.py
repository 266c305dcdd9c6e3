"""Races: the same work in several lanes, in turns, told as ratios of time. And facts: figures that are counted."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

__all__ = ["Fact", "Lane", "Race", "Result", "Table", "run_race", "tell"]

Work = Callable[[], object]


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
        clock: Seconds; `time.process_time` for work of this process alone, whatever else runs on the machine.
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
    """A figure that does not depend on how fast the machine is; outside of its bounds the benchmark fails."""

    name: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is within its bounds."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)


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


def run_race(race: Race, rounds: int, chosen: str = "") -> list[Result]:
    """Run every lane once to warm up, then in turns, each round beginning with another lane.

    Args:
        race: The race.
        rounds: How often.
        chosen: The peers that are wanted, by words of their labels, comma-separated; empty: all.

    Raises:
        RuntimeError: two lanes returned different things.
    """
    tell(f"{race.name} …")
    peers = [peer for peer in race.peers if not chosen or any(word in peer.label for word in chosen.split(","))]
    lanes = [race.ours, *peers]
    times: list[list[float]] = [[] for _ in lanes]
    answers = [_timed(lane, race.clock)[1] for lane in lanes]
    if race.compare and any(answer != answers[0] for answer in answers):
        raise RuntimeError(f"{race.name}: the lanes differ: {answers}")
    for number in range(rounds):
        for place in range(len(lanes)):
            lane = (number + place) % len(lanes)
            times[lane].append(_timed(lanes[lane], race.clock)[0])
    return [_result(race, peer, times[0], spent) for peer, spent in zip(peers, times[1:], strict=True)]


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
