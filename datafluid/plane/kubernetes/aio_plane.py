"""The Kubernetes plane for coroutines."""

from __future__ import annotations

import builtins
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Self

from datafluid.model.ref import Ref
from datafluid.plane.aio import AsyncCluster
from datafluid.plane.kubernetes import flows
from datafluid.plane.kubernetes.aio import AsyncTransport
from datafluid.plane.kubernetes.applying import apply
from datafluid.plane.kubernetes.deleting import delete
from datafluid.plane.kubernetes.following import follow
from datafluid.plane.kubernetes.plane import KubernetesPlane
from datafluid.plane.kubernetes.watching import Watcher
from datafluid.plane.patience import Patience
from datafluid.plane.port import Event, Manifest, Node, WatchEvent

__all__ = ["AsyncKubernetesPlane"]


class AsyncKubernetesPlane(AsyncCluster):
    """The same conversations as `KubernetesPlane`'s, in the event loop: no thread waits.

    Inside ``async with`` the calls share their connections; outside each has its own. Needs ``kubernetes_asyncio``.

    Args:
        plane: The plane whose twin this is.

    Example:
        >>> AsyncKubernetesPlane(KubernetesPlane(context="prod")).name
        'kubernetes'
    """

    def __init__(self, plane: KubernetesPlane) -> None:
        super().__init__(plane)
        self._transport = AsyncTransport(plane.access)
        self._catalogue = plane.catalogue

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._transport.__aexit__(*exception)

    async def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`."""
        flow = apply(self._catalogue, resource, dry_run=dry_run, adopt=adopt, replace=replace)
        return await self._transport.run(flow)

    async def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        return await self._transport.run(flows.get(self._catalogue, ref))

    async def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`."""
        await self._transport.run(delete(self._catalogue, ref, cascade=cascade))

    async def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`."""
        return await self._transport.run(flows.scale(self._catalogue, ref, replicas))

    async def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        return await self._transport.run(flows.events(self._catalogue, ref))

    async def nodes(self) -> builtins.list[Node]:
        """See `datafluid.plane.port.ControlPlane.nodes`."""
        return await self._transport.run(flows.nodes(self._catalogue))

    async def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        return await self._transport.run(flows.list_objects(self._catalogue, kind, namespace, selector))

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
        """See `datafluid.plane.port.ControlPlane.watch`."""
        patience = Patience(timeout, quiet=quiet)
        resource = await self._transport.run(self._catalogue.find(kind))
        watcher = Watcher(resource, namespace, name=name, since=since, clock=time.monotonic)
        async with aclosing(self._transport.follow(follow(watcher, patience))) as told:
            async for event in told:
                yield event

    async def metadata(self, kind: str, *, namespace: str | None = None) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.SeesMetadata.metadata`."""
        return await self._transport.run(flows.metadata(self._catalogue, kind, namespace))

    async def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """See `datafluid.plane.port.Cluster.create`."""
        return await self._transport.run(flows.create(self._catalogue, resource, dry_run))

    async def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """See `datafluid.plane.port.Cluster.patch`."""
        return await self._transport.run(flows.patch(self._catalogue, ref, changes, subresource))

    async def kinds(self) -> frozenset[str]:
        """See `datafluid.plane.port.Cluster.kinds`."""
        return await self._transport.run(self._catalogue.served())
