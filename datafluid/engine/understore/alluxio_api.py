"""The REST proxy of an Alluxio: requests, and what goes wrong with them.

Names, sizes and the places of blocks come from ``/api/v1/paths``. That interface can only read files from their
start, so ranges come from the proxy's S3 interface beside it, which knows every file below a first directory.
Files in the root itself are streamed, and what comes before the range is thrown away.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from datafluid.errors import AlreadyExists, DatafluidError, Forbidden, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

__all__ = ["AlluxioApi"]

_JSON = {"Content-Type": "application/json"}
_BYTES = {"Content-Type": "application/octet-stream"}
# The proxy reads the user's name from it and checks no signature.
_USER = {"Authorization": "AWS4-HMAC-SHA256 Credential=datafluid/20200101/us-east-1/s3/aws4_request"}
_SECONDS = 60.0
_CONNECT_SECONDS = 5.0
_CLOSE_SECONDS = 2.0
_CONNECTIONS = 8
_LONGEST_ERROR = 64 << 10
_PASSING = (500, 502, 503, 504)  # of two first readers at once the proxy's S3 interface answers one with 500
_ERRORS: Mapping[str, type[DatafluidError]] = {
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "PERMISSION_DENIED": Forbidden,
    "UNAUTHENTICATED": Forbidden,
    "INVALID_ARGUMENT": NotFound,  # a path that leads through a file, or that no file can have
    "FAILED_PRECONDITION": Invalid,
}


class AlluxioApi:
    """One proxy. Every error is one of `datafluid.errors`. A forked child gets connections of its own.

    Args:
        endpoint: ``http://host:port``.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._api = f"{endpoint}/api/v1"
        self._pool: tuple[int, PoolManager] | None = None

    def ask(self, path: str, verb: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call a method of a path, ``get-status`` for example; returns what the JSON of the answer says."""
        url = f"{self._api}/paths/{quote(path)}/{verb}"
        answer = self._send(url, json.dumps(body or {}).encode(), _JSON)
        try:
            return json.loads(answer) if answer else None
        except ValueError as error:
            raise Unavailable(
                f"{self.endpoint}: what answers is no Alluxio.", hint="Is its API gateway there?"
            ) from error

    def create(self, path: str, pieces: Iterable[bytes]) -> None:
        """Make a file of what comes. When something goes wrong, what came is there, and no stream is left open."""
        stream = self.ask(path, "create-file", {"writeType": "CACHE_THROUGH", "recursive": True})
        try:
            for data in pieces:
                self._send(f"{self._api}/streams/{stream}/write", data, _BYTES)
            self._send(f"{self._api}/streams/{stream}/close", b"", _JSON)
        except BaseException:
            self._give_up(stream)
            raise

    @contextmanager
    def opened(self, path: str, start: int, length: int, *, piece: int) -> Iterator[Iterator[bytes]]:
        """The bytes ``[start, start + length)`` of a file, in pieces as they come."""
        if path.count("/") > 1:
            headers = {**_USER, "Range": f"bytes={start}-{start + length - 1}"}
            with self._requested("GET", f"{self._api}/s3{quote(path)}", headers=headers) as answer:
                yield answer.stream(piece)
            return
        stream = self.ask(path, "open-file")
        try:
            with self._requested("POST", f"{self._api}/streams/{stream}/read", headers=_JSON) as answer:
                yield _part(answer, start, length, piece)
                answer.drain_conn()  # the proxy seldom blocks whoever closes what was read to its end
        finally:
            self._give_up(stream)

    def close(self) -> None:
        """Let go of connections."""
        if self._pool is not None and self._pool[0] == os.getpid():
            self._pool[1].clear()

    def _give_up(self, stream: int) -> None:
        """Close a stream that nobody wants any more. It is asked for once: no bytes depend on it, and a proxy beside
        its worker may wait for hours for the end of what it read by itself.
        """
        with suppress(DatafluidError):
            self._send(f"{self._api}/streams/{stream}/close", b"", _JSON, timeout=_CLOSE_SECONDS)

    def _send(self, url: str, body: bytes, headers: Mapping[str, str], **options: Any) -> bytes:
        with self._requested("POST", url, body=body, headers=headers, **options) as answer:
            data: bytes = answer.read()
        return data

    @contextmanager
    def _requested(self, method: str, url: str, **options: Any) -> Iterator[BaseHTTPResponse]:
        """One request, answered well; what goes wrong is one of our errors, until the answer has been read."""
        from urllib3.exceptions import HTTPError

        try:
            answer = self._connections().request(method, url, preload_content=False, redirect=False, **options)
            try:
                if answer.status >= 300:
                    raise self._error(answer.status, answer.read(_LONGEST_ERROR))
                yield answer
            finally:
                answer.close()  # one that was read to its end is in the pool already; another would poison it
        except HTTPError as error:
            raise Unavailable(
                f"{self.endpoint} does not answer: {type(error).__name__}.", hint="Is its API gateway reachable?"
            ) from error

    def _error(self, status: int, body: bytes) -> DatafluidError:
        try:
            told = json.loads(body)
        except ValueError:
            told = {}
        code = told.get("statusCode", "NOT_FOUND" if status == 404 else "") if isinstance(told, dict) else ""
        message = told.get("message") if isinstance(told, dict) else None
        kind = _ERRORS.get(code, Unavailable)
        return kind(f"{self.endpoint}: {message or f'HTTP {status}'}", hint="See the log of its proxy.")

    def _connections(self) -> PoolManager:
        if self._pool is None or self._pool[0] != os.getpid():
            from urllib3 import PoolManager, Retry, Timeout

            retries = Retry(
                3,
                redirect=0,
                allowed_methods={"GET"},
                status_forcelist=_PASSING,
                raise_on_status=False,
                respect_retry_after_header=False,
                backoff_factor=0.1,
                backoff_jitter=0.1,
            )
            timeout = Timeout(connect=_CONNECT_SECONDS, read=_SECONDS)
            self._pool = (os.getpid(), PoolManager(maxsize=_CONNECTIONS, retries=retries, timeout=timeout))
        return self._pool[1]


def _part(answer: BaseHTTPResponse, start: int, length: int, piece: int) -> Iterator[bytes]:
    """The part of an answer that is wanted."""
    position, end = 0, start + length
    for data in answer.stream(piece):
        if part := data[max(0, start - position) : max(0, end - position)]:
            yield part
        position += len(data)
        if position >= end:
            return
