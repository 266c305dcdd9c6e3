"""The client of Alluxio's REST proxy, against answers that a real one gives only in bad moments."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from datafluid.engine.understore.alluxio_api import AlluxioApi
from datafluid.errors import Unavailable


class _Proxy(BaseHTTPRequestHandler):
    """Sends a file by halves: the second when it is told to, for nobody knows when it would arrive."""

    protocol_version = "HTTP/1.1"
    go_on = threading.Event()

    def do_GET(self) -> None:
        self.send_response(206)
        self.send_header("Content-Length", "2000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)
        self.wfile.flush()
        self.go_on.wait(10)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"<html>" if "html" in self.path else b'{"length": 1}'
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


def test_a_read_that_was_given_up_spoils_no_later_one(api: AlluxioApi) -> None:
    """Its connection has bytes to come that belong to nobody."""
    with api.opened("/data/big", 0, 2000, piece=1000) as pieces:
        next(pieces)
    assert api.ask("/data/other", "get-status") == {"length": 1}


def test_what_is_no_json_comes_from_no_alluxio(api: AlluxioApi) -> None:
    """Proxies in between answer too."""
    with pytest.raises(Unavailable, match="no Alluxio"):
        api.ask("/html", "get-status")
