"""A small S3 server with any key at all, also those that no real server would take."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

__all__ = ["serve_strange"]

_PAGE = 1000
_MODIFIED = "2026-01-01T00:00:00.000Z"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    objects: Mapping[str, bytes]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients may go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        key = unquote(parts.path).removeprefix("/bucket").removeprefix("/")
        if "list-type" in query:
            self._answer(200, _listing(self.server.objects, query))
        elif key in self.server.objects:
            self._object(self.server.objects[key])
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is logged."""

    def _object(self, data: bytes) -> None:
        headers = {"ETag": _tag(data), "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        wanted = self.headers.get("Range")
        if wanted is None:
            self._answer(200, data, headers)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1]
        span = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
        self._answer(206, part, {**headers, "Content-Range": span})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response_only(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _tag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


def _xml(key: str) -> str:
    """As S3 writes keys: what XML cannot hold is a reference all the same."""
    return "".join(escape(one) if one.isprintable() else f"&#{ord(one)};" for one in key)


def _quoted(key: str) -> str:
    return quote(key, safe="/")


def _listing(objects: Mapping[str, bytes], query: Mapping[str, str]) -> bytes:
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    after = query.get("continuation-token", "") or query.get("start-after", "")
    written = _quoted if query.get("encoding-type") == "url" else _xml
    names: dict[str, bytes | None] = {}
    for key in sorted(objects):
        if not key.startswith(prefix):
            continue
        below, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        names[prefix + below + delimiter if found else key] = None if found else objects[key]
    page = [name for name in names if name > after]
    shown, more = page[:_PAGE], len(page) > _PAGE
    body = "".join(
        f"<CommonPrefixes><Prefix>{written(name)}</Prefix></CommonPrefixes>"
        if data is None
        else f"<Contents><Key>{written(name)}</Key><LastModified>{_MODIFIED}</LastModified>"
        f"<ETag>{escape(_tag(data))}</ETag><Size>{len(data)}</Size></Contents>"
        for name in shown
        for data in [names[name]]
    )
    token = f"<NextContinuationToken>{_xml(shown[-1])}</NextContinuationToken>" if more else ""
    kind = "<EncodingType>url</EncodingType>" if written is _quoted else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><Name>bucket</Name>{kind}'
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{body}</ListBucketResult>"
    ).encode()


@contextmanager
def serve_strange(objects: Mapping[str, bytes]) -> Iterator[str]:
    """Serve objects in ``s3://bucket`` until the block ends; the endpoint. The mapping may change meanwhile."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.objects = objects
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
