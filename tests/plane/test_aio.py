"""The async twin in threads: nothing stays behind of who goes away, and no thread runs ahead."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any, cast

import pytest

from datafluid.errors import Unavailable
from datafluid.plane.aio import AsyncPlane
from datafluid.plane.port import ControlPlane, WatchEvent
from datafluid.testing import InMemoryPlane


def test_a_cancelled_watch_leaves_no_task_behind() -> None:
    """Triggers are cancelled all the time, in a loop that lives for months."""

    async def main() -> set[asyncio.Task[Any]]:
        async def follow() -> None:
            async for _ in AsyncPlane(InMemoryPlane()).watch("Dataset", timeout=60):
                pass

        before = asyncio.all_tasks()
        following = asyncio.create_task(follow())
        await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.wait({following})
        await asyncio.wait(asyncio.all_tasks() - before, timeout=10)  # the thread ends by itself
        return asyncio.all_tasks() - before

    assert asyncio.run(main()) == set()


class _Flood:
    """A plane that has more to tell than anybody listens to."""

    name = "flood"

    def __init__(self, end: Exception | None = None) -> None:
        self.told = 0
        self.closed = threading.Event()
        self._end = end

    def watch(self, kind: str, **options: Any) -> Iterator[WatchEvent]:
        """Ten thousand changes."""
        try:
            for self.told in range(1, 10_001):
                yield WatchEvent(type="MODIFIED", object={"metadata": {"name": "x"}}, version=str(self.told))
            if self._end is not None:
                raise self._end
        finally:
            self.closed.set()


def _watched(plane: _Flood) -> AsyncIterator[WatchEvent]:
    return AsyncPlane(cast(ControlPlane, plane)).watch("Dataset")


def test_a_watch_is_never_far_ahead_of_who_listens() -> None:
    """What nobody takes is not fetched, and nothing of it is lost; a thread that waits for room ends too."""

    async def main() -> None:
        async with aclosing(cast(Any, _watched(plane := _Flood()))) as told:
            assert (await anext(told)).version == "1"
            await asyncio.sleep(0.2)
            assert plane.told < 1000
            for number in range(2, 5001):
                assert (await anext(told)).version == str(number)
        assert await asyncio.to_thread(plane.closed.wait, 10)

    asyncio.run(main())


def test_what_ends_a_watch_is_told_after_all_else() -> None:
    """An error of the plane comes in its turn."""

    async def main() -> int:
        count = 0
        with pytest.raises(Unavailable):
            async for _ in _watched(_Flood(Unavailable("away"))):
                count += 1
        return count

    assert asyncio.run(main()) == 10_000
