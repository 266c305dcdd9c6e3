"""A plane with the double at work on it: in memory, or on a real API server. Tests take both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import NotFound
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.testing import InMemoryPlane
from tests.cluster import scenes
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster
from tests.cluster.double import cast
from tests.cluster.double.live import Live, event_manifest
from tests.cluster.double.world import Faults, Tell

PACE = 200.0


class Played(InMemoryPlane):
    """An in-memory cluster: what controllers create is stored as they say it."""

    def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """Controllers set owners and finalizers, which no author may."""
        if resource["metadata"].get("ownerReferences") or resource["metadata"].get("finalizers"):
            return self.put(resource)
        return super().create(resource, dry_run=dry_run)


@contextmanager
def in_memory(namespace: str, *, faults: Faults | None = None) -> Iterator[tuple[Client, Live]]:
    """A client, and the double behind it, with everything of Kubernetes that is needed played too."""
    plane = Played(lively=False)
    for number in range(5):
        plane.put(scenes.node(f"n{number}"))
    plane.put(scenes.PROFILE)

    def tell(about: Manifest, told: Tell, count: int) -> None:
        if count == 1:
            plane.put(event_manifest(about, told, count))

    controllers = [*cast.fluid(), *cast.nodes(), *cast.kubernetes()]
    with Live(plane, controllers, pace=PACE, faults=faults, tell=tell) as live:
        yield Client(plane, Context(name="memory", plane="kubernetes", namespace=namespace)), live


@contextmanager
def on_a_server(cluster: Cluster, namespace: str, *, faults: Faults | None = None) -> Iterator[tuple[Client, Live]]:
    """A client of a real API server, and the double behind it as Fluid's controllers and the kubelet."""
    backstage = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))

    def vanish(ref: Ref) -> None:
        path = f"/api/v1/namespaces/{quote(str(ref.namespace))}/pods/{quote(ref.name)}"
        try:
            cluster.api.request("DELETE", path, gracePeriodSeconds="0")
        except Refused as refused:
            if refused.code != 404:
                raise
            raise NotFound(f"there is no {ref}.") from None

    def tell(about: Manifest, told: Tell, count: int) -> None:
        if count == 1:
            backstage.create(event_manifest(about, told, count))

    controllers = [*cast.fluid(), *cast.nodes()]
    with Live(backstage, controllers, namespace=namespace, pace=PACE, faults=faults, vanish=vanish, tell=tell) as live:
        plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
        yield Client(plane, Context(name="cluster", plane="kubernetes", namespace=namespace)), live
