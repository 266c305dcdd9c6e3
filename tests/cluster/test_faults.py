"""Requests and waits when the server, the network or others misbehave: nothing is lost, nothing is done twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from datafluid.errors import Conflict, Invalid, NotFound, Timeout, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.port import Manifest
from datafluid.waiting.ended import wait_for_operation
from datafluid.waiting.listening import Heard, listen
from datafluid.waiting.usable import wait_for_dataset
from tests.cluster.controlplane import Cluster
from tests.cluster.objects import DATASETS, bound, dataset, load
from tests.cluster.proxy import Proxy


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


def test_a_wait_is_over_at_its_own_end_when_the_server_stays_away(
    cluster: Cluster, plane: KubernetesPlane, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, though every single request gives up long before that; and what is said last is the outage."""
    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (1.0,))
    plane.apply(dataset("demo", namespace))
    seen = threading.Event()
    try:
        with ThreadPoolExecutor(1) as pool:
            began = time.monotonic()
            waiting = pool.submit(
                wait_for_dataset,
                plane,
                Ref("Dataset", "demo", namespace),
                cached=None,
                timeout=8,
                progress=lambda status: seen.set(),
            )
            assert seen.wait(7)
            cluster.api_server.kill()
            with pytest.raises(Timeout, match="the plane does not answer since"):
                waiting.result(timeout=90)
            assert time.monotonic() - began >= 8
    finally:
        cluster.start_api_server()


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


@pytest.fixture
def silences(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Waits look around after a moment without news; each time that one does can be taken from here."""
    looked = threading.Semaphore(0)

    def counted(*arguments: Any, **options: Any) -> Iterator[Heard]:
        for heard in listen(*arguments, **options):
            if not heard.news:
                looked.release()
            yield heard

    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (0.1, 0.2))
    monkeypatch.setattr("datafluid.waiting.usable.listen", counted)
    monkeypatch.setattr("datafluid.waiting.ended.listen", counted)
    return looked


def _passes(silences: threading.Semaphore) -> None:
    """Some look-arounds."""
    for _ in range(4):
        assert silences.acquire(timeout=30)


def test_waiting_asks_once_and_listens_once(cluster: Cluster, namespace: str, silences: threading.Semaphore) -> None:
    """The audit log has one GET and one WATCH, however long it takes, however quiet it is, whatever changes."""
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    ref = Ref("Dataset", "demo", namespace)
    plane.apply(dataset("demo", namespace))
    before = len(_asked(cluster, namespace))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for_dataset, plane, ref, cached=None, timeout=60, progress=False)
        _passes(silences)
        cluster.api.patch(f"{DATASETS.format(namespace)}/demo", {"metadata": {"labels": {"a": "b"}}})
        _passes(silences)
        bound(cluster, "demo", namespace, phase="NotBound")
        _passes(silences)
        bound(cluster, "demo", namespace)
        assert waiting.result(timeout=60).phase == "Bound"
    assert _asked(cluster, namespace)[before:] == ["get", "watch"]


def test_waiting_for_an_operation_asks_once_and_listens_once(
    cluster: Cluster, namespace: str, silences: threading.Semaphore
) -> None:
    """Likewise; what it looks around for, events of one that does not get on, is nothing of its own."""
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    ref = Ref.of(plane.create(load("warm", namespace)))
    before = len(_asked(cluster, namespace))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for_operation, plane, ref, timeout=60, progress=False)
        _passes(silences)
        plane.patch(ref, _COMPLETE, subresource="status")
        assert waiting.result(timeout=60).phase == "Complete"
    assert [verb for verb in _asked(cluster, namespace)[before:] if verb != "patch"] == ["get", "watch"]


def test_a_wait_for_a_load_goes_on_when_the_server_comes_back(
    cluster: Cluster, plane: KubernetesPlane, namespace: str, silences: threading.Semaphore
) -> None:
    """Killed in the middle, and Complete after it came back; quiet as well."""
    ref = Ref.of(plane.create(load("warm", namespace)))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_for_operation, plane, ref, timeout=120, progress=False)
        _passes(silences)
        cluster.restart_api_server()
        _passes(silences)
        plane.patch(ref, _COMPLETE, subresource="status")
        assert waiting.result(timeout=60).phase == "Complete"


@pytest.mark.usefixtures("silences")
def test_a_cut_link_in_the_middle_of_waits_loses_nothing_and_is_told(
    cluster: Cluster,
    far_plane: KubernetesPlane,
    plane: KubernetesPlane,
    proxy: Proxy,
    namespace: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What happened meanwhile is found when the link is back; since when it was away stands in the log."""
    plane.create(dataset("demo", namespace))
    warm = Ref.of(plane.create(load("warm", namespace)))
    ready = Ref("Dataset", "demo", namespace)
    with ThreadPoolExecutor(2) as pool:
        waits = [
            pool.submit(wait_for_dataset, far_plane, ready, cached=None, timeout=120, progress=False),
            pool.submit(wait_for_operation, far_plane, warm, timeout=120, progress=False),
        ]
        for words in ("datasets", "dataloads"):
            proxy.waits_for(f"{words}?watch=true")
        proxy.answer("GET", f"/namespaces/{namespace}/", status=503, times=24)
        proxy.cut()
        bound(cluster, "demo", namespace)
        plane.patch(warm, _COMPLETE, subresource="status")
        assert [each.result(timeout=100).phase for each in waits] == ["Bound", "Complete"]
    for ref in (ready, warm):
        away, back = (record.getMessage() for record in caplog.records if record.getMessage().startswith(f"{ref}: "))
        assert "does not answer since" in away
        assert "answers again" in back


def test_a_wait_in_a_namespace_that_is_deleted_ends(cluster: Cluster, plane: KubernetesPlane, namespace: str) -> None:
    """What it waits for goes with it, and that is told."""
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
        cluster.api.delete(f"/api/v1/namespaces/{namespace}")
        with pytest.raises(NotFound, match="was deleted while it was new"):
            waiting.result(timeout=100)


_COMPLETE = {"status": {"conditions": [], "duration": "1s", "phase": "Complete"}}


def _asked(cluster: Cluster, namespace: str) -> list[str]:
    return [each.verb for each in cluster.asked(agent="datafluid") if namespace in each.path]
