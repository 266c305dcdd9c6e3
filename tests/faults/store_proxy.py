"""A loopback proxy in front of an S3 server that misbehaves on command."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Answer", "Proxy", "serve_proxy"]

_PIECE = 64 << 10
_HOP = ("transfer-encoding", "connection", "keep-alive")


@dataclass
class Answer:
    """What the server said, before it is handed on; a fault changes it.

    Args:
        cut: Send so many bytes of the body, then close the connection.
        pace: Called before each 64 KiB of the body: sleep there, and the store is slow; wait, and it stalls.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    cut: int | None = None
    pace: Callable[[], object] | None = None

    @classmethod
    def error(cls, status: int, **headers: str) -> Answer:
        """An answer without an object."""
        return cls(status, {"Content-Length": "0", **headers}, b"")


Fault = Callable[[Answer], Answer]


class Proxy:
    """What the proxy does and has seen.

    Args:
        endpoint: Where clients reach it.

    Attributes:
        fault: Applied to the answers of GETs of objects; None lets everything pass.
        lie: Applied to the answers about objects: listings and HEADs.
        times: To how many answers it is applied; -1 is all of them.
        seen: How many GETs of objects were made.
        down: Close every connection without an answer.
        tried: How many requests were made while it was down.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.fault: Fault | None = None
        self.lie: Fault = lambda answer: answer
        self.times = -1
        self.seen = 0
        self.down = False
        self.tried = 0
        self._lock = threading.Lock()

    def misbehave(self, fault: Fault | None, *, times: int = -1) -> None:
        """Apply a fault from now on; None ends it."""
        with self._lock:
            self.fault, self.times, self.seen = fault, times, 0

    def changed(self, answer: Answer) -> Answer:
        """The answer to a GET of an object, perhaps with a fault."""
        with self._lock:
            self.seen += 1
            if self.fault is None or self.times == 0:
                return answer
            self.times -= 1
            return self.fault(answer)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy
    target: tuple[str, int]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        answer = self._asked()
        proxy = self.server.proxy
        self._send(proxy.lie(answer) if "list-type" in self.path else proxy.changed(answer))

    def do_HEAD(self) -> None:
        self._send(self.server.proxy.lie(self._asked()))

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""

    def parse_request(self) -> bool:
        if not self.server.proxy.down:
            return super().parse_request()
        self.server.proxy.tried += 1
        self.close_connection = True
        return False

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(answer)
        if answer.cut is not None:
            self.close_connection = True

    def _send_body(self, answer: Answer) -> None:
        body = answer.body if answer.cut is None else answer.body[: answer.cut]
        if answer.pace is None:
            self.wfile.write(body)
            return
        with suppress(OSError):  # the client has lost its patience
            for start in range(0, len(body), _PIECE):
                answer.pace()
                self.wfile.write(body[start : start + _PIECE])

    def _asked(self) -> Answer:
        connection = http.client.HTTPConnection(*self.server.target, timeout=30)
        try:
            connection.request(self.command, self.path, headers=dict(self.headers))
            response = connection.getresponse()
            body = response.read()
            headers = {name: value for name, value in response.getheaders() if name.lower() not in _HOP}
            if self.command != "HEAD":
                headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
                headers["Content-Length"] = str(len(body))
            return Answer(response.status, headers, body)
        finally:
            connection.close()


@contextmanager
def serve_proxy(target: str) -> Iterator[Proxy]:
    """Run a proxy in front of ``http://host:port`` until the block ends."""
    parts = urlsplit(target)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.proxy = proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    server.target = (parts.hostname or "127.0.0.1", parts.port or 80)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
