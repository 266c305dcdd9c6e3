"""Listing a bucket in which some keys are no paths.

obstore refuses a whole page of a listing when one of its keys has an empty, ``.`` or ``..`` part or a control
character. Then the listing is asked for once more from here, where every key is read as it is: such keys are
counted and told, and the others are used.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

from datafluid.engine.understore.http_client import HttpClient
from datafluid.engine.understore.port import Listing, ObjectInfo
from datafluid.engine.understore.sigv4 import Credentials, encoded, signed_headers
from datafluid.errors import Corrupt, Forbidden, Unavailable

__all__ = ["S3Listing"]

_LARGEST_PAGE = 32 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Listing:
    """Asks for listings of one bucket.

    Args:
        endpoint: ``scheme://host``, with the bucket in the host or not.
        path: What comes before the query: ``/bucket`` or ``/``.
        prefix: The mount's own, ``""`` or ``"a/b"``; keys are told without it.
        credentials: None asks without a signature.
        shown: What messages call the mount.
    """

    client: HttpClient
    endpoint: str
    path: str
    prefix: str
    region: str
    credentials: Callable[[], Credentials | None]
    shown: str

    def level(self, below: str) -> Listing:
        """One level below a key."""
        pages = list(self.pages(below, delimiter="/"))
        return Listing(
            objects=tuple(info for objects, _ in pages for info in objects),
            prefixes=tuple(sorted(prefix.removesuffix("/") for _, prefixes in pages for prefix in prefixes)),
        )

    def pages(self, below: str, *, delimiter: str = "") -> Iterator[tuple[Sequence[ObjectInfo], Sequence[str]]]:
        """Objects and common prefixes below a key, page by page, every key as the store has it.

        Raises:
            Corrupt: the answer is no listing.
            Forbidden, Unavailable: as the store answers.
        """
        start = "".join(f"{part}/" for part in (self.prefix, below) if part)
        query = {"list-type": "2", "encoding-type": "url", "prefix": start, "delimiter": delimiter}
        while True:
            root = self._asked({name: value for name, value in query.items() if value})
            plain = _plain if _text(root, "EncodingType") == "url" else str
            yield (
                [self._info(each, plain) for each in root.iter("Contents")],
                [self._below(plain(_text(each, "Prefix"))) for each in root.iter("CommonPrefixes")],
            )
            token = _text(root, "NextContinuationToken")
            if _text(root, "IsTruncated") != "true" or not token:
                return
            query["continuation-token"] = token

    def _asked(self, query: dict[str, str]) -> ET.Element:
        sent = encoded(query.items())
        headers = {}
        if (credentials := self.credentials()) is not None:
            host = urlsplit(self.endpoint).netloc
            path = quote(self.path, safe="/-_.~")
            headers = signed_headers(
                host, path, sent, region=self.region, credentials=credentials, now=datetime.now(UTC)
            )
        url = f"{self.endpoint}{quote(self.path, safe='/-_.~')}?{sent}"
        with self.client.requested("GET", url, headers, shown=self.shown) as answer:
            if answer.status in (401, 403):
                raise Forbidden(f"{self.shown}: access denied.", hint="Check the credentials and the policy.")
            if answer.status != 200:
                raise Unavailable(f"{self.shown} answered {answer.status}.", hint="Try again later.")
            return self._parsed(answer.read(_LARGEST_PAGE))

    def _parsed(self, body: bytes) -> ET.Element:
        try:
            if b"<!DOCTYPE" in body:  # a listing has none, and entities could be made to grow
                raise ET.ParseError("a document type")
            root = ET.fromstring(body)  # noqa: S314  # without a document type there are no entities
        except ET.ParseError:
            raise Corrupt(f"{self.shown} answered with no listing.", hint="Check the endpoint.") from None
        for each in root.iter():
            each.tag = each.tag.rpartition("}")[2]
        return root

    def _info(self, found: ET.Element, plain: Callable[[str], str]) -> ObjectInfo:
        size, modified = _text(found, "Size"), _text(found, "LastModified")
        try:
            mtime = datetime.fromisoformat(modified).timestamp() if modified else None
            key = self._below(plain(_text(found, "Key")))
            return ObjectInfo(key=key, size=int(size), version=_text(found, "ETag") or f"{size}-{mtime}", mtime=mtime)
        except ValueError:
            raise Corrupt(f"{self.shown} answered with no listing.", hint="Check the endpoint.") from None

    def _below(self, key: str) -> str:
        """A key without the mount's prefix."""
        return key[len(self.prefix) + 1 :] if self.prefix else key


def _plain(key: str) -> str:
    """A key that the store has encoded, so that XML can hold any."""
    return unquote(key.replace("+", " "), errors="surrogateescape")


def _text(found: ET.Element, name: str) -> str:
    child = found.find(name)
    return (child.text or "") if child is not None else ""
