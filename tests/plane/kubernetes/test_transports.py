"""Both transports against servers that misbehave: each ends, goes on or renews as the conversation asks."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from datafluid.errors import Invalid, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane, following, steps
from datafluid.plane.kubernetes.aio_plane import AsyncKubernetesPlane
from datafluid.plane.port import WatchEvent
from tests.certificates import loopback_tls
from tests.plane.kubernetes.servers import Asking, kubeconfig, serving

_REF = Ref("Dataset", "demo", "team")
Watch = Callable[..., list[WatchEvent]]


def _sync(plane: KubernetesPlane, count: int, **options: Any) -> list[WatchEvent]:
    """So many events of a watch, or all."""
    events = plane.watch("Dataset", **options)
    return [event for _, event in zip(range(count), events, strict=False)]


def _async(plane: KubernetesPlane, count: int, **options: Any) -> list[WatchEvent]:
    async def watch() -> list[WatchEvent]:
        found: list[WatchEvent] = []
        async with aclosing(plane.twin().watch("Dataset", **options)) as told:  # type: ignore[type-var]
            async for event in told:
                found.append(event)
                if len(found) == count:
                    break
        return found

    return asyncio.run(watch())


@pytest.fixture(params=[_sync, _async], ids=["sync", "async"])
def watched(request: pytest.FixtureRequest) -> Watch:
    """Watches by one transport or the other."""
    found: Watch = request.param
    return found


def _line(version: int) -> bytes:
    metadata = {"name": "demo", "namespace": "team", "uid": "u", "resourceVersion": str(version)}
    return json.dumps({"type": "MODIFIED", "object": {"metadata": metadata}}).encode() + b"\n"


def _chunk(text: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(text), text)


def _begin(asking: Asking) -> None:
    asking.send_response(200)
    asking.send_header("Transfer-Encoding", "chunked")
    asking.end_headers()
    asking.wfile.flush()


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    """Set at the end of the test: what a server that holds an answer back waits for."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("since", [None, "5"], ids=["listing", "following"])
def test_a_server_that_accepts_and_never_answers_is_unavailable(
    watched: Watch, since: str | None, tmp_path: Path, ended: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the watch has no end of its own and knows where to go on."""
    for module, name in ((following, "READ"), (following, "_FAIR"), (steps, "_FIRST")):
        monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr("datafluid.plane.kubernetes.sync.READ", 0.05)
    monkeypatch.setattr("datafluid.plane.kubernetes.session.READ", 0.05)
    asked: list[str] = []

    def answer(asking: Asking) -> None:
        asked.append(asking.path)
        ended.wait(60)

    with serving(answer) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(tmp_path / "config", url))
        with pytest.raises(Unavailable, match="no answer in time"):
            watched(plane, 1, since=since)
        ended.set()
    assert len(asked) == steps.ATTEMPTS


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_silence_is_told_of_while_one_stream_stays_open(
    watched: Watch, secure: bool, tmp_path: Path, ended: threading.Event
) -> None:
    """However its lines come: many at once, or one in pieces."""
    tls, authority = loopback_tls(tmp_path / "server.pem") if secure else (None, "")
    asked: list[str] = []

    def answer(asking: Asking) -> None:
        asked.append(asking.path)
        _begin(asking)
        asking.wfile.write(b"".join(_chunk(_line(version)) for version in range(6, 26)))
        ended.wait(0.5)
        whole = _line(26)
        asking.wfile.write(_chunk(whole[:10]))
        ended.wait(0.5)
        asking.wfile.write(_chunk(whole[10:]))
        ended.wait(60)

    with serving(answer, tls=tls) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(tmp_path / "config", url, authority=authority))
        told = watched(plane, 25, since="5", quiet=(0.1, 0.2, 0.3))
        ended.set()
    assert len(asked) == 1
    assert [event.version for event in told if event.type == "MODIFIED"] == [str(version) for version in range(6, 27)]
    assert sum(event.type == "QUIET" for event in told) == 4
    assert all(event.version == "25" for event in told[20:] if event.type == "QUIET")


def test_renewed_credentials_come_with_the_new_authority(watched: Watch, tmp_path: Path) -> None:
    """A cluster that got new certificates is reached under them, by who was connected under the old ones."""
    (tls, authority), (renewed, trusted) = (loopback_tls(tmp_path / f"{name}.pem") for name in ("old", "new"))
    file = tmp_path / "config"
    body = json.dumps({"metadata": {"resourceVersion": "7"}, "items": []}).encode()
    asked: list[tuple[str | None, bool]] = []

    def answer(asking: Asking) -> None:
        token, context = asking.headers["Authorization"], asking.connection.context  # type: ignore[attr-defined]
        asked.append((token, context is renewed))
        refused = token != "Bearer new"
        if refused:
            tls.sni_callback = lambda connection, *_: setattr(connection, "context", renewed)
            kubeconfig(file, url, authority=trusted, user="{token: new}")
        asking.send_response(401 if refused else 200)
        asking.send_header("Content-Length", str(len(body)))
        asking.end_headers()
        asking.wfile.write(body)

    with serving(answer, tls=tls) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(file, url, authority=authority))
        assert watched(plane, 1, timeout=0.0) == []
    assert asked == [("Bearer t", False), ("Bearer new", True)]


def test_who_renews_cuts_nobody_off(tmp_path: Path) -> None:
    """Calls that go on under the old credentials end well."""
    refusing, slow = threading.Event(), threading.Event()
    found = json.dumps({"metadata": {"name": "demo"}}).encode()

    def answer(asking: Asking) -> None:
        status = 200
        if asking.path.endswith("slow"):
            slow.set()
            refusing.wait(30)
        elif asking.headers["Authorization"] == "Bearer t":
            kubeconfig(file, url, user="{token: new}")
            status = 401
        else:
            refusing.set()
        asking.send_response(status)
        asking.send_header("Content-Length", str(len(found)))
        asking.end_headers()
        asking.wfile.write(found)

    async def ask(plane: AsyncKubernetesPlane) -> list[Any]:
        async with plane:
            waiting = asyncio.create_task(plane.get(Ref("Dataset", "slow", "team")))
            await asyncio.to_thread(slow.wait, 30)
            return [await plane.get(_REF), await waiting]

    file = tmp_path / "config"
    with serving(answer) as url:
        plane = KubernetesPlane(kubeconfig=kubeconfig(file, url))
        assert len(asyncio.run(ask(plane.twin()))) == 2


@pytest.mark.parametrize("which", ["kubernetes", "kubernetes_asyncio"])
def test_credentials_that_cannot_be_got_are_invalid(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin or a token file that worked when the configuration was read may not when it is asked again."""
    monkeypatch.setattr(f"{which}.client.ApiClient.update_params_for_auth", _unusable(which))
    plane = KubernetesPlane(kubeconfig=kubeconfig(tmp_path / "config", "http://127.0.0.1:1"))
    with pytest.raises(Invalid, match="the plugin says no"):
        if which == "kubernetes":
            plane.get(_REF)
        else:
            asyncio.run(plane.twin().get(_REF))


def _unusable(which: str) -> Callable[..., Any]:
    from importlib import import_module

    error = import_module(f"{which}.config").ConfigException("the plugin says no")

    def refuse(*arguments: Any) -> None:
        raise error

    async def refuse_later(*arguments: Any) -> None:
        raise error

    return refuse if which == "kubernetes" else refuse_later


def test_coroutines_can_do_what_threads_can() -> None:
    """Nothing that the plane answers is missing from its twin, under the same names."""
    names = {name for name in vars(KubernetesPlane) if not name.startswith("_")} - {"twin", "name"}
    assert names <= set(vars(AsyncKubernetesPlane))
