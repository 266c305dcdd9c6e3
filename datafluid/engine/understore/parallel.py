"""Many fetches at once, in threads, as fast as a store gives them; the loader's hot path.

Threads, not an event loop: a fetch is a call that waits or copies outside of the interpreter's lock, and so is a write
of the sink. Measured with obstore, eight threads bring a thousand small objects in two thirds of an event loop's time.
"""

from __future__ import annotations

import errno
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from datafluid.engine.understore.port import Fetch, UnderStore
from datafluid.errors import DatafluidError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["fetch_in_threads", "in_pieces"]

_PIECE = 1 << 20
_LOOK = 0.1  # seconds between two looks whether to stop
_PATIENCE = 2.0  # seconds that fetches get to end when they were cancelled; a store may have stopped answering

Stream = Callable[[Fetch], Iterator["Buffer"]]
Sink = Callable[[Fetch, int, "Buffer"], None]
_Done = tuple[Fetch, Exception | None]


def in_pieces(read: Callable[[Fetch], Buffer], fetch: Fetch) -> Iterator[Buffer]:
    """A fetch with one call for each MiB."""
    end = fetch.start + fetch.length
    for start in range(fetch.start, end, _PIECE):
        yield read(Fetch(info=fetch.info, start=start, length=min(_PIECE, end - start)))


def fetch_in_threads(
    store: UnderStore,
    fetches: Iterable[Fetch],
    *,
    sink: Sink,
    concurrency: int,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[_Done]:
    """Fetch many ranges at once.

    Args:
        fetches: What to fetch; taken lazily, so it may be long.
        sink: Called with (fetch, offset within the object, bytes) as pieces arrive; pieces of one fetch come in
            order, those of different fetches interleave, in several threads. May block (it writes).
        concurrency: How many fetches are in flight at most; fewer where the store has no use for them.
        cancelled: Asked between pieces; when true, no new fetch starts and the iterator ends soon.

    Yields:
        Each fetch once, when it ended: with None, or with the (mapped) error that ended it. An error of
        ``sink`` is yielded like one of the store, unmapped. Pieces that came before an error were handed on.
    """
    crew = _Crew(fetches, cancelled)
    hands = [_Hand(crew, store.stream, sink) for _ in range(min(concurrency, store.streams))]
    for hand in hands:
        hand.start()
    try:
        yield from crew.reports(len(hands))
    finally:
        crew.stop()
        for hand in hands:
            hand.cut_off()


class _Crew:
    """What the threads share: the fetches that are left, and what they report."""

    def __init__(self, fetches: Iterable[Fetch], cancelled: Callable[[], bool]) -> None:
        self.cancelled = cancelled
        self.report: queue.SimpleQueue[_Done | BaseException | None] = queue.SimpleQueue()
        self._fetches = iter(fetches)
        self._lock = threading.Lock()
        self._stopped = False

    def take(self) -> Fetch | None:
        """The next fetch; None when there is none, or none shall be started any more."""
        with self._lock:
            return None if self._stopped or self.cancelled() else next(self._fetches, None)

    def stop(self) -> None:
        """Let nobody take another fetch."""
        self._stopped = True

    def reports(self, running: int) -> Iterator[_Done]:
        """What the threads report, until all have ended or, when cancelled, do not end."""
        patience: float | None = None
        while running:
            try:
                item = self.report.get(timeout=_LOOK)
            except queue.Empty:
                if self.cancelled():
                    patience = patience or time.monotonic() + _PATIENCE
                    if time.monotonic() > patience:
                        return
                continue
            if isinstance(item, tuple):
                yield item
            elif item is None:
                running -= 1
            else:
                raise item


class _Hand(threading.Thread):
    """A thread that fetches."""

    def __init__(self, crew: _Crew, stream: Stream, sink: Sink) -> None:
        super().__init__(name="fluid-fetch-many", daemon=True)
        self._crew = crew
        self._stream = stream
        self._sink = sink
        self._gate = threading.Lock()  # held while the sink works
        self._open = True

    def run(self) -> None:
        try:
            while (fetch := self._crew.take()) is not None:
                self._crew.report.put((fetch, self._fetch(fetch)))
        except BaseException as error:  # noqa: BLE001  # handed to the caller's thread, which raises it
            self._crew.report.put(error)
        else:
            self._crew.report.put(None)

    def cut_off(self) -> None:
        """From now on nothing reaches the sink: who called may close what it writes to."""
        with self._gate:
            self._open = False

    def _fetch(self, fetch: Fetch) -> Exception | None:
        position = fetch.start
        try:
            for data in self._stream(fetch):
                with self._gate:
                    if not self._open or self._crew.cancelled():
                        return OSError(errno.ECANCELED, "cancelled")
                    self._sink(fetch, position, data)
                position += memoryview(data).nbytes
        except (DatafluidError, OSError) as error:
            return error
        return None
