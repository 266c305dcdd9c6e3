"""The async twin in threads: nothing stays behind of who goes away."""

from __future__ import annotations

import asyncio

from datafluid.plane.aio import AsyncPlane
from datafluid.testing import InMemoryPlane


def test_a_cancelled_watch_leaves_no_task_behind() -> None:
    """Triggers are cancelled all the time, in a loop that lives for months."""

    async def main() -> set[str]:
        async def follow() -> None:
            async for _ in AsyncPlane(InMemoryPlane()).watch("Dataset", timeout=5):
                pass

        before = asyncio.all_tasks()
        following = asyncio.create_task(follow())
        await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.wait({following})
        await asyncio.sleep(0.05)
        return {str(task.get_coro()) for task in asyncio.all_tasks() - before if "Queue.get" in str(task.get_coro())}

    assert asyncio.run(main()) == set()
