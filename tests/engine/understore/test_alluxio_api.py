"""The client of Alluxio's REST proxy, against answers that a real one gives only in bad moments."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from datafluid.engine.understore import alluxio_api
from datafluid.engine.understore.alluxio_api import AlluxioApi
from datafluid.engine.understore.alluxio_store import AlluxioStore
from datafluid.errors import Unavailable


class _Proxy(BaseHTTPRequestHandler):
    """Sends a file by halves: the second when it is told to, for nobody knows when it would arrive.

    What ``open-file`` and ``create-file`` open is a stream until it is closed.
    """

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()
    streams: ClassVar[set[str]] = set()
    stubborn = False
    failures = 0

    def do_GET(self) -> None:
        if _Proxy.failures and self.command == "GET":
            _Proxy.failures -= 1
            self.send_response(500)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.wfile.flush()
        self.go_on.wait(10)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        *_, what, verb = self.path.split("/")
        if verb in ("open-file", "create-file"):
            self.streams.add("7")
        elif verb == "read":
            self.do_GET()
            return
        elif verb == "close":
            if self.stubborn:
                self.go_on.wait(10)
            self.streams.discard(what)
        body = b"<html>" if "html" in self.path else b"7" if verb.endswith("-file") else b'{"length": 1}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def api() -> Iterator[AlluxioApi]:
    """A client of such a proxy."""
    _Proxy.go_on.clear()
    _Proxy.streams.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        api = AlluxioApi(f"http://127.0.0.1:{server.server_port}")
        try:
            yield api
        finally:
            api.close()
            _Proxy.go_on.set()
            server.shutdown()
            serving.join()


@pytest.mark.parametrize(("failures", "comes"), [(2, True), (9, False)])
def test_a_read_is_asked_for_again_a_few_times(
    api: AlluxioApi, monkeypatch: pytest.MonkeyPatch, failures: int, comes: bool
) -> None:
    """The proxy answers one of its first readers with 500; one that does so for ever is unavailable."""
    monkeypatch.setattr(_Proxy, "failures", failures)
    if comes:
        with api.opened("/data/big", 0, 2000, piece=1000) as pieces:
            assert next(pieces) == b"x" * 1000
    else:
        with pytest.raises(Unavailable, match="HTTP 500"), api.opened("/data/big", 0, 2000, piece=1000):
            pass


def test_a_read_that_was_given_up_spoils_no_later_one(api: AlluxioApi) -> None:
    """Its connection has bytes to come that belong to nobody."""
    with api.opened("/data/big", 0, 2000, piece=1000) as pieces:
        next(pieces)
    assert api.ask("/data/other", "get-status") == {"length": 1}


def test_what_is_no_json_comes_from_no_alluxio(api: AlluxioApi) -> None:
    """Proxies in between answer too."""
    with pytest.raises(Unavailable, match="no Alluxio"):
        api.ask("/html", "get-status")


def test_a_read_that_was_given_up_leaves_no_stream_open(api: AlluxioApi) -> None:
    """Files in the root are read by streams, and the proxy keeps each until it is closed."""
    with pytest.raises(KeyboardInterrupt), api.opened("/big", 0, 2000, piece=1000) as pieces:
        next(pieces)
        raise KeyboardInterrupt
    assert not _Proxy.streams


def test_bytes_that_came_are_not_lost_to_a_proxy_that_closes_nothing(
    api: AlluxioApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may wait for hours for the end of what it read from a worker beside it."""
    monkeypatch.setattr(_Proxy, "stubborn", True)
    monkeypatch.setattr(alluxio_api, "_CLOSE_SECONDS", 0.1)
    with pytest.raises(ValueError, match="of the reader"), api.opened("/big", 0, 2000, piece=1000) as pieces:
        assert next(pieces) == b"x" * 1000
        raise ValueError("of the reader, and not of the proxy")


def test_a_write_that_breaks_off_leaves_no_stream_open(api: AlluxioApi) -> None:
    """Nor hides what went wrong."""

    class Source(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if _Proxy.streams and self.tell():
                raise OSError("the disk of the source")
            return super().read(10)

    store = AlluxioStore(api.endpoint)
    with pytest.raises(OSError, match="the disk of the source"):
        store.put("new.bin", Source(b"x" * 100))
    store.close()
    assert not _Proxy.streams
