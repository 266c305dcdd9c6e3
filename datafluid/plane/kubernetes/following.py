"""The conversation of a watch: a list, then one stream after the other, and silences in between."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, TypeAlias

from datafluid.errors import Unavailable
from datafluid.plane.kubernetes.lines import Lines
from datafluid.plane.kubernetes.requests import Response
from datafluid.plane.kubernetes.steps import Open, Pause, Piece, Renew, Step
from datafluid.plane.kubernetes.timing import READ
from datafluid.plane.kubernetes.watching import SILENCE, Watcher
from datafluid.plane.patience import Patience
from datafluid.plane.port import WatchEvent

__all__ = ["Following", "follow"]

_FAIR = 1.0  # seconds that any server gets to begin its answer, however little time there is

#: It yields what is to be done and what is to be told.
Following: TypeAlias = Generator[Step | WatchEvent, Any, None]
_Part: TypeAlias = Generator[Step | WatchEvent, Any, Pause | Renew | None]


def follow(watcher: Watcher, patience: Patience) -> Following:
    """Tell what there is, then what becomes of it, until the time is up."""
    while watcher.owes_list or not patience.over:
        try:
            step = yield from (_page if watcher.is_listing else _stream)(watcher, patience)
        except Unavailable as error:
            step = watcher.failed(error)
        if isinstance(step, Pause):
            yield from _pause(watcher, patience, Patience(step.seconds, clock=patience.clock))
        elif step is not None:
            yield step
    watcher.finish()


def _page(watcher: Watcher, patience: Patience) -> _Part:
    """Tell what one page of the list has that is news; returns what to do before the next request."""
    response: Response = yield watcher.request(patience.left)
    if not response.ok:
        return watcher.refused(response)
    for event in watcher.page(response):
        patience.told()
        yield event
    return None


def _stream(watcher: Watcher, patience: Patience) -> _Part:
    """Tell what one stream brings; likewise. One that has not a byte for long is taken for dead."""
    response: Response = yield Open(watcher.request(patience.left), max(_FAIR, min(READ, patience.left)))
    if not response.ok:
        return watcher.refused(response)
    watcher.opened()
    lines, alive = Lines(), Patience(SILENCE, clock=patience.clock)
    while not patience.over and not alive.over:
        piece = yield Piece(min(alive.left, patience.seconds))
        if piece is None:
            yield from _silence(watcher, patience)
            continue
        if not piece:
            break
        alive = Patience(SILENCE, clock=patience.clock)
        for line in lines.feed(piece):
            event = watcher.line(line)
            if event is None:
                return watcher.ended()
            if event.type != "BOOKMARK":
                patience.told()
            yield event
    return watcher.ended()


def _pause(watcher: Watcher, patience: Patience, pause: Patience) -> Following:
    """Leave the server alone for so long; that is no reason to say nothing."""
    while not (pause.over or patience.over):
        yield Pause(min(pause.left, patience.seconds))
        yield from _silence(watcher, patience)


def _silence(watcher: Watcher, patience: Patience) -> Iterator[WatchEvent]:
    if patience.is_quiet():
        yield watcher.quiet()
