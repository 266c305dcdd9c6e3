"""A web server for tests: files in memory, ranges, conditions, and whatever a test wants it to do wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

__all__ = ["Asked", "Web", "serve_web"]

_MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT"


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Web:
    """What a server has and does; tests change it while it runs.

    Args:
        url: Where it is.
        files: Content by path, ``/a/b.txt``.
        tag: Its ETag for every file; None sends none.
        ranges: Whether it knows ranges.
        length: Whether it says how large files are.
        redirect: Where it sends a path on to; None answers itself.
        statuses: Answered before anything else, one a request.
        headers: Sent along with every answer.
        cut: Bytes of a body after which the connection is closed; used up once.
        asked: The requests so far.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tag: str | None = '"1"'
    ranges: bool = True
    length: bool = True
    redirect: Callable[[str], str | None] = lambda path: None
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    web: Web

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle; that is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        web = self.server.web
        web.asked.append(Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
        target = web.redirect(self.path)
        data = web.files.get(unquote(self.path))
        if web.statuses:
            self._answer(web.statuses.pop(0), {}, b"")
        elif target is not None:
            self._answer(302, {"Location": target}, b"")
        elif data is None:
            self._answer(404, {}, b"")
        elif self.headers.get("If-Match") not in (None, web.tag):
            self._answer(412, {}, b"")
        else:
            self._send(data)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""

    def _send(self, data: bytes) -> None:
        web, wanted = self.server.web, self.headers.get("Range")
        told = {"Last-Modified": _MODIFIED} | ({"ETag": web.tag} if web.tag else {})
        if wanted is None or not web.ranges:
            self._answer(200, told, data)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        self._answer(206, told | {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"}, part)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        web = self.server.web
        self.send_response_only(status)
        for name, value in {**headers, **web.headers}.items():
            self.send_header(name, value)
        if web.length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.close_connection = True
        self.end_headers()
        if self.command == "HEAD":
            return
        if body and web.cut:
            body = body[: web.cut.pop(0)]
            self.close_connection = True
        with suppress(OSError):
            self.wfile.write(body)


@contextmanager
def serve_web(host: str = "127.0.0.1") -> Iterator[Web]:
    """Run a server until the block ends."""
    server = _Server((host, 0), _Handler)
    server.web = Web(url=f"http://{host}:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
