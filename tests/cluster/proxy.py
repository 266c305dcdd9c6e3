"""A loopback proxy in front of an API server that can be told to misbehave."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.cluster.api import Api
from tests.cluster.processes import eventually

__all__ = ["Proxy", "serve_proxy"]


@dataclass(kw_only=True)
class _Answer:
    """What is said in the server's place, so many times."""

    method: str
    words: str
    times: int
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Proxy:
    """What the proxy was asked, and what it is told to do.

    Attributes:
        url: Where it listens.
        asked: Method and path of every request, oldest first.
        answered: The paths of those that the server has begun to answer.
    """

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    _answers: list[_Answer] = field(default_factory=list)
    _open: list[socket.socket] = field(default_factory=list)
    _mute: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self,
        method: str,
        words: str,
        *,
        status: int,
        body: Any = None,
        times: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next requests of this method whose path and query have these words instead of the server."""
        text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        self._answers.append(
            _Answer(method=method, words=words, times=times, status=status, headers=headers or {}, body=text)
        )

    def cut(self) -> None:
        """Break every connection that is open now."""
        with self._lock:
            broken, self._open = self._open, []
        for each in broken:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def silence(self) -> None:
        """Let no byte of the open streams through any more; new ones are not concerned."""
        self._mute.set()
        self._mute = threading.Event()

    def count(self, words: str) -> int:
        """How many requests had these words in their path or query."""
        return sum(words in path for _, path in self.asked)

    def waits_for(self, words: str) -> None:
        """Wait until a request with these words was sent on, and has been answered with a stream or in full."""
        eventually(lambda: any(words in path for path in self.answered))

    def take(self, method: str, path: str) -> _Answer | None:
        """What to say instead of the server."""
        with self._lock:
            self.asked.append((method, path))
            for each in self._answers:
                if each.times and each.method == method and each.words in path:
                    each.times -= 1
                    return each
        return None

    def opened(self, connection: socket.socket) -> threading.Event:
        """A connection has come; returns what mutes it."""
        with self._lock:
            self._open.append(connection)
        return self._mute


@contextmanager
def serve_proxy(api: Api) -> Iterator[Proxy]:
    """A proxy in front of a server until the block ends. It speaks plain HTTP: for tests on loopback."""
    parts = urlsplit(api.server)
    context = ssl.create_default_context(cadata=api.authority)

    def connect() -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=60)

    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    proxy = Proxy(url=f"http://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = _handler(proxy, connect)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        proxy.cut()
        thread.join(timeout=10)


def _handler(proxy: Proxy, connect: Callable[[], http.client.HTTPSConnection]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            muted = proxy.opened(self.connection)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if (said := proxy.take(self.command, self.path)) is not None:
                self._say(said.status, said.headers, said.body)
                return
            with suppress(OSError, http.client.HTTPException):
                self._forward(body, muted)

        def _forward(self, body: bytes, muted: threading.Event) -> None:
            server = connect()
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                server.request(self.command, self.path, body or None, headers)
                answer = server.getresponse()
                proxy.answered.append(self.path)
                kept = {name: value for name, value in answer.headers.items() if name in ("Content-Type", "Warning")}
                if "watch=true" not in self.path or answer.status != 200:
                    self._say(answer.status, kept, answer.read())
                    return
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while line := answer.readline():
                    if not muted.is_set():
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")
            finally:
                server.close()

        def _say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            with suppress(OSError):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _serve  # noqa: N815  # the server's names

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler
