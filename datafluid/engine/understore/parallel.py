"""Many fetches at once, in threads: what every under-store's ``fetch_many`` rests on.

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

from datafluid.engine.understore.port import Fetch
from datafluid.errors import DatafluidError

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["fetch_in_threads", "in_pieces"]

_PIECE = 1 << 20
_LOOK = 0.1  # seconds between two looks whether to stop
_PATIENCE = 2.0  # seconds that fetches get to end when they were cancelled; a store may have stopped answering

Chunks = Callable[[Fetch], Iterable["Buffer"]]
Sink = Callable[[Fetch, int, "Buffer"], None]
_Done = tuple[Fetch, Exception | None]


def in_pieces(read: Callable[[Fetch], Buffer]) -> Chunks:
    """Reads a fetch with one call for each MiB."""

    def chunks(fetch: Fetch) -> Iterator[Buffer]:
        end = fetch.start + fetch.length
        for start in range(fetch.start, end, _PIECE):
            yield read(Fetch(info=fetch.info, start=start, length=min(_PIECE, end - start)))

    return chunks


def fetch_in_threads(
    chunks: Chunks,
    fetches: Iterable[Fetch],
    *,
    sink: Sink,
    concurrency: int,
    cancelled: Callable[[], bool],
) -> Iterator[_Done]:
    """Behind ``fetch_many``.

    Args:
        chunks: Brings the bytes of a fetch, in order; it raises when they are not exactly those.
    """
    crew = _Crew(fetches, cancelled)
    hands = [_Hand(crew, chunks, sink) for _ in range(concurrency)]
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

    def __init__(self, crew: _Crew, chunks: Chunks, sink: Sink) -> None:
        super().__init__(name="fluid-fetch-many", daemon=True)
        self._crew = crew
        self._chunks = chunks
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
            for data in self._chunks(fetch):
                with self._gate:
                    if not self._open or self._crew.cancelled():
                        return OSError(errno.ECANCELED, "cancelled")
                    self._sink(fetch, position, data)
                position += memoryview(data).nbytes
        except (DatafluidError, OSError) as error:
            return error
        return None
