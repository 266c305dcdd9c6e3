"""How fast a cache fills, from figures that come late and at odd times. Pure: every method takes the moment it needs.

Fluid asks its engines for their figures every 90 s or so, and tells only when one has changed. So a figure is as old as
that when it is read, the first interval may have begun before the load, and silence may mean that nothing happens or
that nobody has asked. What comes out is therefore a range, and a stall is called one only after several missed turns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median

__all__ = ["Estimate", "Growth"]

_PERIOD = 90.0  # seconds between two questions of Fluid to an engine, unless it is seen to ask oftener
_TURNS = 3.0  # so many of them without a change are a stall
_MOST_SAMPLES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """How a cache comes along, as a range.

    Args:
        rate: Bytes a second, slowest and fastest; None until the figures have moved.
        eta: Seconds until the goal is seen to be reached, soonest and latest; None when nothing is known of it.
        quiet: Seconds since the figures moved.
        stalled: Whether that is longer than the turns of the figures explain.
    """

    rate: tuple[float, float] | None = None
    eta: tuple[float, float] | None = None
    quiet: float = 0.0
    stalled: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """What was seen of a cache that fills: when its figure changed, and to what.

    Args:
        samples: Seconds and bytes, oldest first.

    Example:
        >>> seen = Growth().seen(0, 0).seen(90, 900).seen(180, 2700)
        >>> estimate = seen.estimate(190, goal=5400)
        >>> estimate.rate, estimate.eta
        ((10.0, 20.0), (125.0, 350.0))
    """

    samples: tuple[tuple[float, int], ...] = ()

    def seen(self, at: float, cached: int | None) -> Growth:
        """After a look at the figure. One that has shrunk, by eviction or a restart, begins anew."""
        if cached is None or (self.samples and cached == self.samples[-1][1]):
            return self
        if self.samples and cached < self.samples[-1][1]:
            return Growth(((at, cached),))
        return replace(self, samples=(*self.samples, (at, cached))[-_MOST_SAMPLES:])

    def estimate(self, now: float, *, goal: int | None) -> Estimate:
        """What can be said now.

        Args:
            now: Seconds, on the clock of the samples.
            goal: Bytes that are to be cached; None when that is not known yet.
        """
        if not self.samples:
            return Estimate()
        at, cached = self.samples[-1]
        quiet = max(0.0, now - at)
        left = None if goal is None else max(0, goal - cached)
        stalled = quiet >= _TURNS * max(_PERIOD, self._turn) and left != 0
        rate = self._rate()
        if left is None or rate is None or stalled:
            return Estimate(rate=rate, quiet=quiet, stalled=stalled)
        if left == 0:
            return Estimate(rate=rate, eta=(0.0, 0.0), quiet=quiet)
        soonest, latest = left / rate[1], left / rate[0] + self._turn
        return Estimate(rate=rate, eta=(max(0.0, soonest - quiet), max(0.0, latest - quiet)), quiet=quiet)

    @property
    def _turn(self) -> float:
        """Seconds between two figures, as they have come so far."""
        gaps = [later[0] - earlier[0] for earlier, later in self._pairs() if later[0] > earlier[0]]
        return median(gaps) if gaps else _PERIOD

    def _rate(self) -> tuple[float, float] | None:
        rates = [
            (later[1] - earlier[1]) / (later[0] - earlier[0])
            for earlier, later in self._pairs()
            if later[0] > earlier[0]
        ]
        if not rates:
            return None
        slowest, fastest = min(rates), max(rates)
        return (slowest, fastest) if len(rates) > 1 else (slowest, 2 * fastest)  # it may have begun within the interval

    def _pairs(self) -> list[tuple[tuple[float, int], tuple[float, int]]]:
        return list(zip(self.samples, self.samples[1:], strict=False))
