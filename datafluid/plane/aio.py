"""The async twin of a plane: the same methods, awaited, each running in a thread."""

from __future__ import annotations

import asyncio
import builtins
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, Self, cast, runtime_checkable

from datafluid.model.ref import Ref
from datafluid.plane.patience import Patience
from datafluid.plane.port import Advances, Cluster, ControlPlane, Event, Manifest, Node, WatchEvent

__all__ = ["AsyncCluster", "AsyncPlane", "ClusterPlane", "HasTwin", "async_twin"]

_PULSE = 0.5  # seconds without news after which a thread looks whether anybody still listens
_AHEAD = 100  # events that wait for who listens


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
    if isinstance(plane, HasTwin):
        return plane.twin()
    return AsyncCluster(cast(ClusterPlane, plane)) if isinstance(plane, Cluster) else AsyncPlane(plane)


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
        quiet: Sequence[float] = (),
    ) -> AsyncIterator[WatchEvent]:
        """See `datafluid.plane.port.ControlPlane.watch`.

        A thread watches. It is never far ahead of who listens, and it ends soon after nobody does.
        """
        patience, pulse = Patience(quiet=quiet), (min((_PULSE, *quiet)),)
        look = partial(self.plane.watch, kind, namespace=namespace, name=name, since=since, timeout=timeout)
        told: asyncio.Queue[WatchEvent | None] = asyncio.Queue()
        loop, room, stop = asyncio.get_running_loop(), threading.Semaphore(_AHEAD), threading.Event()

        def pump() -> None:
            try:
                for event in look(quiet=pulse):
                    room.acquire()
                    if stop.is_set():
                        return
                    loop.call_soon_threadsafe(told.put_nowait, event)
            finally:
                loop.call_soon_threadsafe(told.put_nowait, None)

        pumping = asyncio.create_task(asyncio.to_thread(pump))
        try:
            while (event := await told.get()) is not None:
                room.release()
                if event.type not in ("BOOKMARK", "QUIET"):
                    patience.told()
                if event.type != "QUIET" or patience.is_quiet():
                    yield event
            await pumping
        finally:
            stop.set()
            room.release()

    async def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        return await asyncio.to_thread(self.plane.list, kind, namespace=namespace, selector=selector)


class ClusterPlane(ControlPlane, Cluster, Protocol):
    """A plane that holds objects of every kind."""


class AsyncCluster(AsyncPlane):
    """A cluster for coroutines.

    Args:
        plane: The plane to ask.

    Example:
        >>> import asyncio
        >>> from datafluid.testing import InMemoryPlane
        >>> "Dataset" in asyncio.run(AsyncCluster(InMemoryPlane()).kinds())
        True
    """

    plane: ClusterPlane

    def __init__(self, plane: ClusterPlane) -> None:
        super().__init__(plane)

    async def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """See `datafluid.plane.port.Cluster.create`."""
        return await asyncio.to_thread(self.plane.create, resource, dry_run=dry_run)

    async def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """See `datafluid.plane.port.Cluster.patch`."""
        return await asyncio.to_thread(self.plane.patch, ref, changes, subresource=subresource)

    async def kinds(self) -> frozenset[str]:
        """See `datafluid.plane.port.Cluster.kinds`."""
        return await asyncio.to_thread(self.plane.kinds)
