"""The Kubernetes plane behind the port, synchronously."""

from __future__ import annotations

import builtins
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import flows
from datafluid.plane.kubernetes.access import Access
from datafluid.plane.kubernetes.applying import apply
from datafluid.plane.kubernetes.catalogue import Catalogue
from datafluid.plane.kubernetes.deleting import delete
from datafluid.plane.kubernetes.following import follow
from datafluid.plane.kubernetes.sync import Transport
from datafluid.plane.kubernetes.watching import Watcher
from datafluid.plane.patience import Patience
from datafluid.plane.port import Event, Manifest, Node, WatchEvent

if TYPE_CHECKING:
    from datafluid.plane.kubernetes.aio_plane import AsyncKubernetesPlane

__all__ = ["KubernetesPlane"]


class KubernetesPlane:
    """A cluster that runs Fluid. Implements `ControlPlane`, `Cluster` and `SeesMetadata`.

    Nothing is read or contacted before the first call. One plane may be used by any number of threads.

    Args:
        kubeconfig: A kubeconfig file; None takes ``KUBECONFIG`` or ``~/.kube/config``.
        context: One of its contexts; None takes its current one.
        in_cluster: Use the service account of the pod that this runs in.

    Example:
        >>> plane = KubernetesPlane(context="prod")
        >>> plane
        KubernetesPlane(context prod of the kubeconfig)
    """

    name = "kubernetes"

    def __init__(self, *, kubeconfig: str | None = None, context: str | None = None, in_cluster: bool = False) -> None:
        self.access = Access(kubeconfig=kubeconfig, context=context, in_cluster=in_cluster)
        self._transport = Transport(self.access)
        self.catalogue = Catalogue()

    def __repr__(self) -> str:
        return f"KubernetesPlane({self.access})"

    def twin(self) -> AsyncKubernetesPlane:
        """The same plane for coroutines; needs ``kubernetes_asyncio``."""
        from datafluid.plane.kubernetes.aio_plane import AsyncKubernetesPlane

        return AsyncKubernetesPlane(self)

    def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.apply`: server-side apply under the name ``datafluid``."""
        return self._transport.run(apply(self.catalogue, resource, dry_run=dry_run, adopt=adopt, replace=replace))

    def get(self, ref: Ref) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.get`."""
        return self._transport.run(flows.get(self.catalogue, ref))

    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: str | None = None,
        timeout: float | None = None,
        quiet: Sequence[float] = (),
    ) -> Iterator[WatchEvent]:
        """See `datafluid.plane.port.ControlPlane.watch`.

        It survives lost connections, restarts of the server and versions that the server has forgotten; with
        BOOKMARK events the server tells now and then how far it is. Memory does not grow with the objects' size.
        """
        patience = Patience(timeout, quiet=quiet)
        resource = self._transport.run(self.catalogue.find(kind))
        watcher = Watcher(resource, namespace, name=name, since=since, clock=time.monotonic)
        yield from self._transport.follow(follow(watcher, patience))

    def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """See `datafluid.plane.port.ControlPlane.delete`: a dataset's operations go first."""
        self._transport.run(delete(self.catalogue, ref, cascade=cascade))

    def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """See `datafluid.plane.port.ControlPlane.scale`."""
        return self._transport.run(flows.scale(self.catalogue, ref, replicas))

    def events(self, ref: Ref) -> builtins.list[Event]:
        """See `datafluid.plane.port.ControlPlane.events`."""
        return self._transport.run(flows.events(self.catalogue, ref))

    def nodes(self) -> builtins.list[Node]:
        """See `datafluid.plane.port.ControlPlane.nodes`."""
        return self._transport.run(flows.nodes(self.catalogue))

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.ControlPlane.list`."""
        return self._transport.run(flows.list_objects(self.catalogue, kind, namespace, selector))

    def metadata(self, kind: str, *, namespace: str | None = None) -> builtins.list[Manifest]:
        """See `datafluid.plane.port.SeesMetadata.metadata`."""
        return self._transport.run(flows.metadata(self.catalogue, kind, namespace))

    def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """See `datafluid.plane.port.Cluster.create`."""
        return self._transport.run(flows.create(self.catalogue, resource, dry_run))

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """See `datafluid.plane.port.Cluster.patch`."""
        return self._transport.run(flows.patch(self.catalogue, ref, changes, subresource))

    def kinds(self) -> frozenset[str]:
        """See `datafluid.plane.port.Cluster.kinds`."""
        return self._transport.run(self.catalogue.served())
