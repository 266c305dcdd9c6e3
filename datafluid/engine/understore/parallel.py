"""Many fetches at once with threads, for stores that have nothing faster of their own."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from typing_extensions import Buffer

from datafluid.engine.understore.port import Fetch
from datafluid.errors import DatafluidError

__all__ = ["fetch_in_threads"]

_CHUNK = 1 << 20


def fetch_in_threads(
    read: Callable[[Fetch], Buffer],
    fetches: Iterable[Fetch],
    *,
    sink: Callable[[Fetch, int, Buffer], None],
    concurrency: int,
    cancelled: Callable[[], bool],
) -> Iterator[tuple[Fetch, Exception | None]]:
    """Behind ``fetch_many``: at most ``concurrency`` calls of ``read``, each handed on in chunks of 1 MiB."""

    def one(fetch: Fetch) -> Exception | None:
        position, end = fetch.start, fetch.start + fetch.length
        try:
            while position < end:
                if cancelled():
                    return OSError(errno.ECANCELED, "cancelled")
                length = min(_CHUNK, end - position)
                sink(fetch, position, read(Fetch(info=fetch.info, start=position, length=length)))
                position += length
        except (DatafluidError, OSError) as error:
            return error
        return None

    source = iter(fetches)
    running: dict[Future[Exception | None], Fetch] = {}
    with ThreadPoolExecutor(concurrency, thread_name_prefix="fluid-fetch-many") as pool:
        while True:
            while len(running) < concurrency and not cancelled():
                fetch = next(source, None)
                if fetch is None:
                    break
                running[pool.submit(one, fetch)] = fetch
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
