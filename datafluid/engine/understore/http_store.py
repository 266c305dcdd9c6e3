"""Plain web servers as under-stores: files that are named, read whole or in ranges; nothing can be listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import quote

from datafluid.engine.understore.http_client import Broken, HttpClient
from datafluid.engine.understore.port import Fetch, Listing, ObjectInfo
from datafluid.errors import Corrupt, DatafluidError, Forbidden, NotFound, StaleVersion, Unavailable, Unsupported

if TYPE_CHECKING:
    from typing_extensions import Buffer
    from urllib3 import BaseHTTPResponse

__all__ = ["HttpStore"]

_CHUNK = 256 << 10
_TRIES = 5  # requests in a row that bring nothing
_PLAIN = {"Accept-Encoding": "identity"}


class HttpStore:
    """A directory of a web server; reads only.

    Args:
        url: The directory, without credentials and query.
        client: Sends the requests.
    """

    listable = False
    real_directories = False
    streams = 16

    def __init__(self, url: str, client: HttpClient) -> None:
        self._url = url.rstrip("/")
        self._client = client
        self.display_url = self._url

    def probe(self) -> None:
        """The server must answer, whatever it says; and not lead elsewhere."""
        with self._client.requested("HEAD", f"{self._url}/", _PLAIN, shown=self.display_url):
            pass

    def stat(self, key: str) -> ObjectInfo:
        """HEAD."""
        with self._client.requested("HEAD", self._at(key), _PLAIN, shown=self._shown(key)) as answer:
            self._must_be_good(key, answer)
            return self._info(key, answer.headers, answer.headers.get("Content-Length"))

    def list(self, prefix: str) -> Listing:
        """See `datafluid.engine.understore.port.UnderStore.list`."""
        self._refuse_to_list()

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """See `datafluid.engine.understore.port.UnderStore.walk`: one file is found by its name."""
        if not prefix:
            self._refuse_to_list()
        yield [self.stat(prefix)]

    def read(self, fetch: Fetch) -> Buffer:
        """See `datafluid.engine.understore.port.UnderStore.read`."""
        return b"".join(map(bytes, self.stream(fetch)))

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """A range as it comes; when the line breaks, another request goes on from there."""
        done, tries = 0, 0
        while done < fetch.length:
            rest = Fetch(info=fetch.info, start=fetch.start + done, length=fetch.length - done)
            try:
                for data in self._once(rest):
                    done, tries = done + len(data), 0
                    yield data
            except Broken:
                tries += 1
                if tries >= _TRIES:
                    raise

    def close(self) -> None:
        """Connections go with the store."""

    def _once(self, fetch: Fetch) -> Iterator[bytes]:
        key, info = fetch.info.key, fetch.info
        headers = dict(_PLAIN)
        if fetch.length < info.size:
            headers["Range"] = f"bytes={fetch.start}-{fetch.start + fetch.length - 1}"
        if info.version.startswith('"'):  # a weak tag (W/"…") matches nothing: the answer's own is compared
            headers["If-Match"] = info.version
        with self._client.requested("GET", self._at(key), headers, shown=self._shown(key)) as answer:
            self._must_be_good(key, answer)
            start, size = self._place(key, answer)
            now = self._info(key, answer.headers, size)
            if (now.version, now.size) != (info.version, info.size):
                raise StaleVersion(f"{self._shown(key)} has changed.", hint="Open it again.")
            position, end = start, fetch.start + fetch.length
            for data in answer.stream(_CHUNK):
                if part := data[max(0, fetch.start - position) : max(0, end - position)]:
                    yield part
                position += len(data)
                if position >= end:
                    break
        if position < end or start > fetch.start:
            raise Corrupt(
                f"{self._shown(key)} gave {max(0, position - fetch.start)} of {fetch.length} bytes.",
                hint="Try again; the server cut the answer short.",
            )

    def _place(self, key: str, answer: BaseHTTPResponse) -> tuple[int, str | None]:
        """Where the body begins in the file, and how large the file is. A server may not know ranges."""
        if answer.status != 206:
            return 0, answer.headers.get("Content-Length")
        unit, _, rest = answer.headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        start = span.partition("-")[0]
        if unit != "bytes" or not start.isdigit():
            raise Corrupt(f"{self._shown(key)}: the server does not say what it sends.", hint="Ask who runs it.")
        return int(start), total

    def _info(self, key: str, headers: Mapping[str, str], size: str | None) -> ObjectInfo:
        if size is None or not size.isascii() or not size.isdigit():
            raise Unsupported(
                f"{self._shown(key)}: the server does not say how large it is.", hint="Copy it to a store that does."
            )
        mtime = None
        with suppress(ValueError):
            mtime = parsedate_to_datetime(headers.get("Last-Modified", "")).timestamp()
        return ObjectInfo(key=key, size=int(size), version=headers.get("ETag") or f"{size}-{mtime}", mtime=mtime)

    def _must_be_good(self, key: str, answer: BaseHTTPResponse) -> None:
        if answer.status not in (200, 206):
            raise _error(answer.status, self._shown(key))

    def _refuse_to_list(self) -> NoReturn:
        raise Unsupported(
            f"{self.display_url} is a web server, which cannot list directories.",
            hint="Name the files: in the paths you read, and in the load: `datafluid load NS/DATASET /FILE`.",
        )

    def _at(self, key: str) -> str:
        return f"{self._url}/{quote(key, errors='surrogateescape')}"

    def _shown(self, key: str) -> str:
        return f"{self.display_url}: {key!r}"


def _error(status: int, where: str) -> DatafluidError:
    if status in (401, 403, 407):
        return Forbidden(f"{where}: access denied.", hint="Ask who runs the server.")
    if status in (404, 410):
        return NotFound(f"{where} does not exist.", hint="Check the mount point and the path.")
    if status in (412, 416):
        return StaleVersion(f"{where} has changed.", hint="Open it again.")
    if status in (405, 501):
        return Unsupported(f"{where}: not supported by this server ({status}).", hint="Mount another store.")
    return Unavailable(f"{where} answered {status}.", hint="Try again later.")
