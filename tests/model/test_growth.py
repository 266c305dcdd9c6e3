"""Estimates from late, irregular figures: laws, and the cases that a user meets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from datafluid.model.growth import Growth

_RATE = st.integers(1, 10**9)
_GAPS = st.lists(st.floats(1.0, 300.0), min_size=2, max_size=5)


@given(rate=_RATE, gaps=_GAPS, left=st.integers(1, 10**12), quiet=st.floats(0.0, 60.0))
def test_at_a_steady_rate_the_truth_is_in_the_range(rate: int, gaps: list[float], left: int, quiet: float) -> None:
    seen, now = Growth().seen(0.0, 0), 0.0
    for gap in gaps:
        now += gap
        seen = seen.seen(now, int(rate * now))
    estimate = seen.estimate(now + quiet, goal=int(rate * now) + left)
    assert estimate.eta is not None
    soonest, latest = estimate.eta
    assert soonest <= latest
    assert soonest * 0.98 - 2 <= max(0.0, left / rate - quiet)
    assert latest * 1.02 + 2 >= left / rate - quiet


@given(cached=st.lists(st.integers(0, 10**12), max_size=8), goal=st.integers(0, 10**12), quiet=st.floats(0.0, 10**4))
def test_whatever_the_figures_do_the_answer_is_sane(cached: list[int], goal: int, quiet: float) -> None:
    seen = Growth()
    for turn, figure in enumerate(cached):
        seen = seen.seen(90.0 * turn, figure)
    estimate = seen.estimate(90.0 * len(cached) + quiet, goal=goal)
    assert estimate.quiet >= 0
    if estimate.rate is not None:
        assert 0 < estimate.rate[0] <= estimate.rate[1]
    if estimate.eta is not None:
        assert 0 <= estimate.eta[0] <= estimate.eta[1]


def test_one_figure_says_nothing_about_the_rate() -> None:
    estimate = Growth().seen(0.0, 100).estimate(30.0, goal=1000)
    assert (estimate.rate, estimate.eta, estimate.stalled) == (None, None, False)


def test_the_first_interval_may_have_begun_before_the_load() -> None:
    estimate = Growth().seen(0.0, 0).seen(90.0, 900).estimate(90.0, goal=1800)
    assert estimate.rate == (10.0, 20.0)


def test_a_figure_that_has_shrunk_begins_anew() -> None:
    seen = Growth().seen(0.0, 0).seen(90.0, 900).seen(180.0, 100)
    assert seen.estimate(180.0, goal=1000).rate is None


def test_silence_of_several_turns_is_a_stall_and_no_earlier() -> None:
    seen = Growth().seen(0.0, 0).seen(90.0, 900)
    assert not seen.estimate(90.0 + 269.0, goal=1000).stalled
    stalled = seen.estimate(90.0 + 271.0, goal=1000)
    assert (stalled.stalled, stalled.eta) == (True, None)


def test_what_has_reached_its_goal_does_not_stall() -> None:
    estimate = Growth().seen(0.0, 0).seen(90.0, 900).estimate(5000.0, goal=900)
    assert (estimate.stalled, estimate.eta) == (False, (0.0, 0.0))
