"""`PlaneContract` and `ClusterContract` against a plane's async twin: each call is awaited. Needs pytest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from datafluid.plane.aio import AsyncPlane, async_twin
from datafluid.plane.port import ControlPlane, WatchEvent
from datafluid.testing.contract import PlaneContract
from datafluid.testing.contract_cluster import ClusterContract

__all__ = ["AsyncClusterContract", "AsyncPlaneContract"]

_T = TypeVar("_T")


class AsyncPlaneContract(PlaneContract):
    """The same tests against the async twin of the plane: each call is awaited in an event loop of its own."""

    @pytest.fixture
    def plane(self, sync_plane: ControlPlane) -> ControlPlane:
        """The async twin behind a synchronous face."""
        return _Blocking(async_twin(sync_plane))

    @pytest.fixture
    def sync_plane(self) -> Iterator[ControlPlane]:
        """The plane whose twin is under test; subclasses override it."""
        raise NotImplementedError


class AsyncClusterContract(AsyncPlaneContract, ClusterContract):
    """Likewise for a plane that holds objects of every kind."""


class _Blocking:
    """Calls a coroutine method and waits for it."""

    def __init__(self, plane: AsyncPlane) -> None:
        self._plane = plane
        self.name = plane.name

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Awaitable[Any]] = getattr(self._plane, name)
        return lambda *arguments, **options: _run(method(*arguments, **options))

    def watch(self, kind: str, **options: Any) -> Iterator[WatchEvent]:
        events = self._plane.watch(kind, **options)
        with asyncio.Runner() as runner:
            try:
                while True:
                    try:
                        yield runner.run(_next(events))
                    except StopAsyncIteration:
                        return
            finally:
                runner.run(_close(events))


def _run(awaitable: Awaitable[_T]) -> _T:
    async def wait() -> _T:
        return await awaitable

    return asyncio.run(wait())


async def _next(events: AsyncIterator[WatchEvent]) -> WatchEvent:
    return await anext(events)


async def _close(events: Any) -> None:
    await events.aclose()
