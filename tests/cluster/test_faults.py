"""The Kubernetes plane when the server, the network or others misbehave: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from datafluid.errors import Conflict, Invalid, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.aio import async_twin
from datafluid.plane.kubernetes import KubernetesPlane, timing
from datafluid.plane.port import Manifest, WatchEvent
from datafluid.waiting import wait_for_dataset
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import DATASETS, bound, dataset
from tests.cluster.proxy import Proxy, serve_proxy


@pytest.fixture
def proxy(cluster: Cluster) -> Iterator[Proxy]:
    """Something in between that misbehaves."""
    with serve_proxy(cluster.api) as proxy:
        yield proxy


@pytest.fixture
def far_plane(cluster: Cluster, proxy: Proxy, tmp_path: Path) -> KubernetesPlane:
    """The plane, through the proxy."""
    return KubernetesPlane(kubeconfig=str(cluster.api.write_kubeconfig(tmp_path / "far", server=proxy.url)))


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


def test_a_wait_goes_on_when_the_server_comes_back(cluster: Cluster, plane: KubernetesPlane, namespace: str) -> None:
    """Killed in the middle of a wait, and Bound after it came back."""
    plane.apply(dataset("demo", namespace))
    seen = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            wait_for_dataset,
            plane,
            Ref("Dataset", "demo", namespace),
            cached=None,
            timeout=120,
            progress=lambda status: seen.set(),
        )
        assert seen.wait(30)
        cluster.restart_api_server()
        bound(cluster, "demo", namespace)
        assert waiting.result(timeout=60).phase == "Bound"


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
    monkeypatch.setattr(timing, "SILENCE", 0.5)
    plane.apply(dataset("first", namespace))
    listener = listens(far_plane, namespace)
    listener.hears("ADDED", "first")
    proxy.waits_for("watch=true")
    proxy.silence()
    plane.apply(dataset("last", namespace))
    assert listener.told() == [("ADDED", "first"), ("ADDED", "last")]
    assert proxy.count("watch=true") > 1


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


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_time_gets_it(
    status: int, far_plane: KubernetesPlane, proxy: Proxy, namespace: str
) -> None:
    """Retry-After is kept, also by what may not be sent twice blindly: it was not done."""
    proxy.answer("POST", "/datasets", status=status, headers={"Retry-After": "1"})
    began = time.monotonic()
    far_plane.create(dataset("demo", namespace))
    assert time.monotonic() - began >= 1
    assert [method for method, path in proxy.asked if "/datasets" in path] == ["POST", "POST"]


def test_asking_again_has_an_end(far_plane: KubernetesPlane, proxy: Proxy, namespace: str) -> None:
    """A server that stays overloaded is Unavailable after some requests, not for ever."""
    proxy.answer("GET", "/datasets/demo", status=503, times=100)
    with pytest.raises(Unavailable):
        far_plane.get(Ref("Dataset", "demo", namespace))
    assert 2 <= proxy.count("/datasets/demo") <= 6


def test_a_webhooks_denial_is_final(far_plane: KubernetesPlane, proxy: Proxy, namespace: str) -> None:
    """It is a 500 without a reason: Invalid with the webhook's words, asked once."""
    denial = {"kind": "Status", "code": 500, "message": 'admission webhook "a.b" denied the request: no such dataset'}
    proxy.answer("POST", "/datasets", status=500, body=denial, times=9)
    with pytest.raises(Invalid, match="no such dataset"):
        far_plane.create(dataset("demo", namespace))
    assert proxy.count("/datasets") == 1


def test_a_webhook_that_is_down_is_asked_again(far_plane: KubernetesPlane, proxy: Proxy, namespace: str) -> None:
    """It is a 500 with reason InternalError: an apply may be sent again."""
    down = {"kind": "Status", "code": 500, "reason": "InternalError", "message": "failed calling webhook"}
    proxy.answer("PATCH", "/datasets/demo", status=500, body=down)
    assert far_plane.apply(dataset("demo", namespace))["metadata"]["name"] == "demo"


def test_what_may_have_been_done_is_not_done_twice(far_plane: KubernetesPlane, proxy: Proxy, namespace: str) -> None:
    """A create whose answer is lost is told as such: nobody knows."""
    down = {"kind": "Status", "code": 500, "reason": "InternalError", "message": "lost"}
    proxy.answer("POST", "/datasets", status=500, body=down, times=9)
    with pytest.raises(Unavailable):
        far_plane.create(dataset("demo", namespace))
    assert proxy.count("/datasets") == 1


def test_two_clients_apply_the_same_object(cluster: Cluster, namespace: str) -> None:
    """All at once, again and again: no error, one object, everything that was applied is there."""
    planes = [KubernetesPlane(kubeconfig=str(cluster.kubeconfig)) for _ in range(2)]

    def apply(number: int) -> Manifest:
        return planes[number % 2].apply(dataset("demo", namespace))

    with ThreadPoolExecutor(4) as pool:
        uids = {each["metadata"]["uid"] for each in pool.map(apply, range(24))}
    assert len(uids) == 1


def test_a_namespace_that_is_being_deleted_takes_nothing(
    cluster: Cluster, plane: KubernetesPlane, namespace: str
) -> None:
    """A Conflict that says so, not a missing permission."""
    plane.create(dataset("held", namespace, finalizers=["tests.datafluid.io/hold"]))
    cluster.api.delete(f"/api/v1/namespaces/{namespace}")
    with pytest.raises(Conflict, match="being deleted"):
        plane.apply(dataset("late", namespace))
    cluster.api.patch(f"{DATASETS.format(namespace)}/held", {"metadata": {"finalizers": None}})


def test_waiting_asks_once_and_listens_once(cluster: Cluster, namespace: str) -> None:
    """The audit log has one GET and one WATCH, however long it takes and however often the object changes."""
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    plane.apply(dataset("demo", namespace))
    told: dict[str, threading.Event] = {phase: threading.Event() for phase in ("", "NotBound", "Bound")}
    before = len(_asked(cluster, namespace))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            wait_for_dataset,
            plane,
            Ref("Dataset", "demo", namespace),
            cached=None,
            timeout=60,
            progress=lambda status: told[status.phase].set(),
        )
        assert told[""].wait(30)
        cluster.api.patch(f"{DATASETS.format(namespace)}/demo", {"metadata": {"labels": {"a": "b"}}})
        for phase in ("NotBound", "Bound"):
            bound(cluster, "demo", namespace, phase=phase)
            assert told[phase].wait(30)
        assert waiting.result(timeout=60).phase == "Bound"
    assert _asked(cluster, namespace)[before:] == ["get", "watch"]


def _asked(cluster: Cluster, namespace: str) -> list[str]:
    return [each.verb for each in cluster.asked(agent="datafluid") if namespace in each.path]
