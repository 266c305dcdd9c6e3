"""A proxy in front of the S3 server that is as far away as a real store, and counts the requests in flight."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["Busy", "serve_busy"]

_HOP_BY_HOP = ("connection", "keep-alive", "transfer-encoding")


class Busy:
    """What the proxy has seen of GETs of objects.

    Args:
        endpoint: Where clients reach it.

    Attributes:
        requests: How many there were.
        most: The most at one time.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        with self._lock:
            self.requests = self.most = self._now = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """One request, from when it is read to when it is answered."""
        with self._lock:
            self.requests += 1
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1


@contextmanager
def serve_busy(target: str, *, delay: float) -> Iterator[Busy]:
    """Serve on loopback.

    Args:
        target: The server behind it, ``http://host:port``.
        delay: Seconds before each GET of an object is answered.
    """
    upstream = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path.split("?")[0].count("/") < 2 or "list-type=" in self.path:
                self._forward()
                return
            with busy.counting():
                time.sleep(delay)
                self._forward()

        def do_HEAD(self) -> None:
            self._forward()

        def _forward(self) -> None:
            connection = http.client.HTTPConnection(upstream, timeout=60)
            try:
                connection.request(self.command, self.path, headers=dict(self.headers.items()))
                answer = connection.getresponse()
                body = answer.read()
            finally:
                connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in (*_HOP_BY_HOP, "content-length"):
                    self.send_header(name, value)
            length = answer.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    busy = Busy(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield busy
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
