"""A watch when the server or the network misbehaves: nothing is lost, nothing is told twice. Synchronously and not."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from datafluid.model.ref import Ref
from datafluid.plane.aio import async_twin
from datafluid.plane.kubernetes import KubernetesPlane, following
from datafluid.plane.port import WatchEvent
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import dataset
from tests.cluster.proxy import Proxy


class Listener:
    """Collects a watch's events in a thread until it has seen an object of the name ``last``."""

    def __init__(self, plane: KubernetesPlane, namespace: str, **options: Any) -> None:
        self.events: list[WatchEvent] = []
        self._heard = threading.Condition()
        self._options = {"namespace": namespace, "timeout": 120, **options}
        self._plane = plane
        self._pool = ThreadPoolExecutor(1)
        self._done = self._pool.submit(self._listen)

    def hears(self, type: str, name: str) -> None:
        """Wait until it has heard this of an object."""
        with self._heard:
            assert self._heard.wait_for(lambda: (type, name) in self._told(), 60)

    def told(self) -> list[tuple[str, str]]:
        """All it heard in the end, without bookmarks."""
        self._done.result(timeout=60)
        self._pool.shutdown()
        return self._told()

    def _told(self) -> list[tuple[str, str]]:
        return [(each.type, self._name(each)) for each in self.events if each.type != "BOOKMARK"]

    def _listen(self) -> None:
        for event in self._plane.watch("Dataset", **self._options):
            if self._keep(event):
                return

    def _keep(self, event: WatchEvent) -> bool:
        """Whether it was the last one."""
        with self._heard:
            self.events.append(event)
            self._heard.notify_all()
        return self._name(event) == "last"

    @staticmethod
    def _name(event: WatchEvent) -> str:
        return event.object["metadata"].get("name", "")


class AsyncListener(Listener):
    """The same with the plane's async twin, in an event loop of its own."""

    def _listen(self) -> None:
        asyncio.run(self._follow())

    async def _follow(self) -> None:
        async with async_twin(self._plane) as twin, aclosing(twin.watch("Dataset", **self._options)) as told:
            async for event in told:
                if self._keep(event):
                    return


@pytest.fixture(params=[Listener, AsyncListener], ids=["sync", "async"])
def listens(request: pytest.FixtureRequest) -> type[Listener]:
    """Either kind."""
    kind: type[Listener] = request.param
    return kind


def test_a_watch_goes_on_when_the_server_comes_back(
    listens: type[Listener], cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """Killed and started again in the middle: every change is told, once."""
    plane.apply(dataset("first", namespace))
    listener = listens(plane, namespace)
    listener.hears("ADDED", "first")
    plane.apply(dataset("second", namespace))
    listener.hears("ADDED", "second")
    cluster.restart_api_server()
    plane.delete(Ref("Dataset", "first", namespace))
    listener.hears("DELETED", "first")
    plane.apply(dataset("last", namespace))
    assert listener.told() == [("ADDED", "first"), ("ADDED", "second"), ("DELETED", "first"), ("ADDED", "last")]


def test_a_cut_link_loses_nothing(
    listens: type[Listener], far_plane: KubernetesPlane, plane: KubernetesPlane, proxy: Proxy, namespace: str
) -> None:
    """What changed while the link was cut is told after it, once."""
    plane.apply(dataset("first", namespace))
    listener = listens(far_plane, namespace)
    listener.hears("ADDED", "first")
    proxy.answer("GET", "watch=true", status=503, times=2)
    proxy.cut()
    plane.apply(dataset("middle", namespace))
    plane.apply(dataset("last", namespace))
    assert listener.told() == [("ADDED", "first"), ("ADDED", "middle"), ("ADDED", "last")]


def test_a_silent_stream_is_taken_for_dead(
    listens: type[Listener],
    far_plane: KubernetesPlane,
    plane: KubernetesPlane,
    proxy: Proxy,
    namespace: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing comes any more and nothing breaks: after a while the watch asks anew and goes on."""
    monkeypatch.setattr(following, "SILENCE", 0.5)
    plane.apply(dataset("first", namespace))
    listener = listens(far_plane, namespace)
    listener.hears("ADDED", "first")
    proxy.waits_for("watch=true")
    proxy.silence()
    plane.apply(dataset("last", namespace))
    assert listener.told() == [("ADDED", "first"), ("ADDED", "last")]
    assert proxy.count("watch=true") > 1


def test_a_watch_that_is_turned_away_comes_back_when_it_may(
    listens: type[Listener], far_plane: KubernetesPlane, plane: KubernetesPlane, proxy: Proxy, namespace: str
) -> None:
    """429 with Retry-After, for the list and for the stream: not before, and with nothing lost."""
    plane.apply(dataset("first", namespace))
    for words in ("limit=", "watch=true"):
        proxy.answer("GET", words, status=429, headers={"Retry-After": "1"})
    began = time.monotonic()
    listener = listens(far_plane, namespace)
    listener.hears("ADDED", "first")
    plane.apply(dataset("last", namespace))
    assert listener.told() == [("ADDED", "first"), ("ADDED", "last")]
    assert time.monotonic() - began >= 2
    assert (proxy.count("limit="), proxy.count("watch=true")) == (2, 2)


def test_a_version_that_the_server_forgot_means_listing_again(
    listens: type[Listener], cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """410 Gone from a real server: what exists comes first."""
    plane.apply(dataset("last", namespace))
    assert listens(plane, namespace, since="1").told() == [("ADDED", "last")]


def test_410_in_a_stream_tells_only_what_is_new(
    listens: type[Listener], far_plane: KubernetesPlane, plane: KubernetesPlane, proxy: Proxy, namespace: str
) -> None:
    """Changed, deleted and new objects of the time between are told; those that stayed the same are not."""
    for name in ("same", "changed", "deleted"):
        plane.apply(dataset(name, namespace))
    listener = listens(far_plane, namespace)
    proxy.waits_for("watch=true")
    proxy.answer("GET", "watch=true", status=503, headers={"Retry-After": "2"})
    proxy.answer("GET", "watch=true", status=200, body=b'{"type": "ERROR", "object": {"code": 410}}\n')
    proxy.cut()
    plane.apply(dataset("changed", namespace, url="local:///usr/lib"))
    plane.delete(Ref("Dataset", "deleted", namespace))
    listener.hears("DELETED", "deleted")
    plane.apply(dataset("last", namespace))
    told = listener.told()
    assert sorted(told[:3]) == [("ADDED", "changed"), ("ADDED", "deleted"), ("ADDED", "same")]
    assert told[3:] == [("MODIFIED", "changed"), ("DELETED", "deleted"), ("ADDED", "last")]
