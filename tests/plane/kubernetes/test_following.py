"""The conversation of a watch, without a wire: one stream through every silence, and what ends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Unavailable
from datafluid.plane.kubernetes.following import follow
from datafluid.plane.kubernetes.requests import Request, Resource, Response
from datafluid.plane.kubernetes.steps import ATTEMPTS, Open, Pause, Piece, Talk
from datafluid.plane.kubernetes.watching import SILENCE, Watcher
from datafluid.plane.patience import Patience
from datafluid.plane.port import WatchEvent

DATASETS = Resource(api_version="data.fluid.io/v1alpha1", kind="Dataset", plural="datasets")
STREAM = Response(status=200)


class Line:
    """Plays transport and time: what the server says by when, silence otherwise."""

    def __init__(self, *, timeout: float | None = None, quiet: tuple[float, ...] = (), since: str | None = "5") -> None:
        self.now = 0.0
        clock = lambda: self.now  # noqa: E731
        watcher = Watcher(DATASETS, "n", since=since, clock=clock)
        self.talk = Talk(follow(watcher, Patience(timeout, quiet=quiet, clock=clock)))
        self.opened = 0
        self.told: list[tuple[float, str, str]] = []
        self.pieces: list[tuple[float, bytes | Unavailable]] = []

    def run(self, until: float, *, opens: Callable[[], Any] = lambda: STREAM) -> None:
        """Go on until a moment, or the end."""
        while (step := self.talk.step) is not None and self.now < until:
            match step:
                case WatchEvent():
                    self.told.append((self.now, step.type, step.version))
                    answer: Any = None
                case Open():
                    self.opened += 1
                    answer = opens()
                case Piece(seconds):
                    answer = self._piece(seconds)
                case Pause(seconds):
                    self.now += seconds
                    answer = None
                case Request():
                    answer = Response(status=200, body=b'{"metadata": {"resourceVersion": "5"}, "items": []}')
            if isinstance(answer, Unavailable):
                self.talk.fail(answer)
            else:
                self.talk.answer(answer)

    def _piece(self, seconds: float) -> bytes | Unavailable | None:
        if self.pieces and self.pieces[0][0] <= self.now + seconds:
            at, piece = self.pieces.pop(0)
            self.now = max(self.now, at)
            return piece
        self.now += seconds
        return None


def line(type: str, version: int, **metadata: str) -> bytes:
    """A line of a stream."""
    metadata = {"resourceVersion": str(version), **metadata}
    return json.dumps({"type": type, "object": {"metadata": metadata}}).encode() + b"\n"


def changed(version: int) -> bytes:
    """An object has."""
    return line("MODIFIED", version, name="demo", namespace="n", uid="u")


def test_one_stream_lasts_through_every_silence() -> None:
    """The server's bookmarks keep it open; they are no news, and silence is told of in growing terms."""
    server = Line(quiet=(15, 30, 60))
    server.pieces = [(60.0 * minute, line("BOOKMARK", 10 + minute)) for minute in range(1, 10)]
    server.run(500)
    assert server.opened == 1
    assert [(at, version) for at, type, version in server.told if type == "QUIET"][:5] == [
        (15, "5"),
        (45, "5"),
        (105, "11"),
        (165, "12"),
        (225, "13"),
    ]


def test_news_begin_the_silence_anew() -> None:
    """Again with the shortest, and from the version that was told."""
    server = Line(quiet=(15, 30))
    server.pieces = [(20.0, changed(6)), (30.0, line("BOOKMARK", 7))]
    server.run(40)
    assert server.told == [(15, "QUIET", "5"), (20, "MODIFIED", "6"), (30, "BOOKMARK", "7"), (35, "QUIET", "7")]


def test_who_did_not_ask_hears_nothing_of_silence() -> None:
    server = Line(timeout=1000)
    server.run(2000)
    assert server.told == []
    assert server.now <= 1001


def test_a_stream_without_a_byte_is_given_up() -> None:
    """Not before it is certain: a server sends a bookmark each minute."""
    server = Line(quiet=(60,))
    server.run(SILENCE - 1)
    assert server.opened == 1
    server.run(SILENCE + 1)
    assert server.opened == 2


def test_a_watch_ends_in_time_whatever_is_quiet() -> None:
    server = Line(timeout=100, quiet=(15, 30))
    server.run(1000)
    assert server.talk.step is None
    assert server.now == 100
    assert [at for at, _, _ in server.told] == [15, 45, 75]


@pytest.mark.parametrize("quiet", [(), (15.0,)])
def test_a_server_that_accepts_and_never_answers_is_away(quiet: tuple[float, ...]) -> None:
    """Also for who knows the version to go on from, and waits for ever: as often as any request, not for ever."""
    server = Line(quiet=quiet)

    def mute() -> Unavailable:
        server.now += 60
        return Unavailable("no answer in time")

    with pytest.raises(Unavailable, match="no answer in time"):
        server.run(10**6, opens=mute)
    assert server.opened == (1 if quiet else ATTEMPTS)


def test_a_server_that_never_answered_in_the_time_there_was_is_told_of() -> None:
    """Nothing heard is no news only where somebody was there."""
    server = Line(timeout=30)

    def mute() -> Unavailable:
        server.now += 30
        return Unavailable("no answer in time")

    with pytest.raises(Unavailable, match="no answer in time"):
        server.run(10**6, opens=mute)


def test_silence_of_a_server_that_is_away_is_not_silence() -> None:
    """A wait must not take an outage for quiet; who does not ask for quiet outlasts it."""
    for quiet, survives in (((15.0,), False), ((), True)):
        server = Line(quiet=quiet)
        server.pieces = [(5.0, Unavailable("cut"))]

        def refused(server: Line = server) -> Any:
            return Unavailable("refused") if server.now > 5 else STREAM

        if survives:
            server.run(100, opens=refused)
            assert server.talk.step is not None
            continue
        with pytest.raises(Unavailable):
            server.run(100, opens=refused)
        assert 15 <= server.now < 16
        assert server.told == []


def test_a_short_outage_is_nobodys_concern() -> None:
    """The next stream goes on from the last version, and so does the silence."""
    server = Line(quiet=(15.0,))
    server.pieces = [(5.0, changed(6)), (6.0, Unavailable("cut")), (12.0, changed(7))]
    server.run(30)
    assert server.opened == 2
    assert server.told == [(5, "MODIFIED", "6"), (12, "MODIFIED", "7"), (27, "QUIET", "7")]


@given(st.lists(st.integers(1, 80), max_size=8), st.integers(0, 12))
def test_where_a_stream_is_cut_into_pieces_changes_nothing(cuts: list[int], count: int) -> None:
    """What is told is what the lines tell, in their order."""
    stream = b"".join(changed(6 + number) for number in range(count))
    server = Line(timeout=10)
    for cut in cuts:
        server.pieces.append((1.0, stream[:cut] or b"\n"))
        stream = stream[cut:]
    server.pieces.append((2.0, stream or b"\n"))
    server.run(20)
    assert [version for _, _, version in server.told] == [str(6 + number) for number in range(count)]
