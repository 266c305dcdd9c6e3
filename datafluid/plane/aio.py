"""The async twin of a plane: the same methods, awaited, each running in a thread."""

from __future__ import annotations

import asyncio
import builtins
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, Self, runtime_checkable

from datafluid.model.ref import Ref
from datafluid.plane.port import Advances, ControlPlane, Event, Manifest, Node, WatchEvent

__all__ = ["AsyncPlane", "HasTwin", "async_twin"]

_SLICE = 0.5  # seconds that a thread watches before it asks whether anybody still listens


@runtime_checkable
class HasTwin(Protocol):
    """The ability of a plane that coroutines can ask without a thread between."""

    def twin(self) -> AsyncPlane:
        """The same plane for coroutines."""


def async_twin(plane: ControlPlane) -> AsyncPlane:
    """A plane for coroutines: its own twin where it has one, else one that asks it in threads.

    Example:
        >>> from datafluid.testing import InMemoryPlane
        >>> async_twin(InMemoryPlane()).name
        'memory'
    """
    return plane.twin() if isinstance(plane, HasTwin) else AsyncPlane(plane)


class AsyncPlane:
    """A plane for coroutines. Errors are those of the plane itself.

    Cancelling a coroutine stops the waiting at once; what its thread does meanwhile ends by itself.

    Args:
        plane: The plane to ask.

    Example:
        >>> import asyncio
        >>> from datafluid.testing import InMemoryPlane
        >>> asyncio.run(AsyncPlane(InMemoryPlane()).list("Dataset"))
        []
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    async def __aenter__(self) -> Self:
        """Inside ``async with`` calls may share what is costly to open."""
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close it."""

    @property
    def name(self) -> str:
        """The plane's name."""
        return self.plane.name

    async def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`."""
        return await asyncio.to_thread(self.plane.apply, resource, dry_run=dry_run, adopt=adopt, replace=replace)

    async def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        return await asyncio.to_thread(self.plane.get, ref)

    async def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`."""
        await asyncio.to_thread(self.plane.delete, ref, cascade=cascade)

    async def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`."""
        return await asyncio.to_thread(self.plane.scale, ref, replicas=replicas)

    async def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        return await asyncio.to_thread(self.plane.events, ref)

    async def nodes(self) -> builtins.list[Node]:
        """See `datafluid.plane.port.ControlPlane.nodes`."""
        return await asyncio.to_thread(self.plane.nodes)

    async def advance(self, ref: Ref) -> bool:
        """See `datafluid.plane.port.Advances.advance`; False where the plane moves by itself."""
        if isinstance(self.plane, Advances):
            return await asyncio.to_thread(self.plane.advance, ref)
        return False

    async def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: str | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[WatchEvent]:
        """See `datafluid.plane.port.ControlPlane.watch`."""
        queue: asyncio.Queue[WatchEvent] = asyncio.Queue()
        stop, loop = threading.Event(), asyncio.get_running_loop()

        def pump() -> None:
            look = partial(self.plane.watch, kind, namespace=namespace, name=name)
            for event in _until_stopped(look, since, timeout, stop):
                loop.call_soon_threadsafe(queue.put_nowait, event)

        pumping = asyncio.create_task(asyncio.to_thread(pump))
        getting: asyncio.Task[WatchEvent] | None = None
        try:
            while not (pumping.done() and queue.empty()):
                getting = asyncio.create_task(queue.get())
                await asyncio.wait({getting, pumping}, return_when=asyncio.FIRST_COMPLETED)
                if getting.done():
                    yield getting.result()
                else:
                    getting.cancel()
                    await asyncio.sleep(0)  # what the thread has put last arrives now
            await pumping
        finally:
            stop.set()
            if getting is not None:
                getting.cancel()  # who is cancelled while waiting leaves no task behind

    async def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        return await asyncio.to_thread(self.plane.list, kind, namespace=namespace, selector=selector)


def _until_stopped(
    look: Callable[..., Iterator[WatchEvent]], since: str | None, timeout: float | None, stop: threading.Event
) -> Iterator[WatchEvent]:
    """A watch in slices of time, so that its thread ends soon after nobody listens any more."""
    end = None if timeout is None else time.monotonic() + timeout
    while not stop.is_set():
        left = _SLICE if end is None else min(_SLICE, max(0.0, end - time.monotonic()))
        for event in look(since=since, timeout=left):
            since = event.version
            yield event
            if stop.is_set():
                return
        if end is not None and time.monotonic() >= end:
            return
