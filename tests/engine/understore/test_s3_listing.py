"""Our own listing of a bucket says what obstore's says, signed as a real server wants it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from datafluid.engine.understore.http_client import HttpClient
from datafluid.engine.understore.s3_listing import S3Listing
from datafluid.engine.understore.sigv4 import Credentials, signed_headers
from datafluid.errors import Corrupt, Forbidden
from tests.conftest import Bucket
from tests.web import serve_web

_KEYS = ["a.txt", "dir/b c+d.bin", "dir/deep/ü&<>.csv", "other/x"]


def _listing(bucket: Bucket, prefix: str = "", secret: str | None = None) -> S3Listing:
    credentials = Credentials(
        access_key_id=bucket.server.access_key, secret_access_key=secret or bucket.server.secret_key
    )
    return S3Listing(
        client=HttpClient(connect=5, silent=5),
        endpoint=bucket.server.endpoint,
        path=f"/{bucket.name}",
        prefix=prefix,
        region=bucket.server.region,
        credentials=lambda: credentials,
        shown=bucket.url,
    )


def test_a_real_server_is_listed(bucket: Bucket) -> None:
    """Keys, sizes and versions; below a prefix, and one level only."""
    for key in _KEYS:
        bucket.put(key, key.encode())
    found = {info.key: info for objects, _ in _listing(bucket).pages("") for info in objects}
    assert sorted(found) == sorted(_KEYS)
    assert found["a.txt"].size == 5
    assert found["a.txt"].version.startswith('"')
    assert [info.key for objects, _ in _listing(bucket, "dir").pages("") for info in objects] == [
        "b c+d.bin",
        "deep/ü&<>.csv",
    ]
    top = _listing(bucket).level("")
    assert ([info.key for info in top.objects], top.prefixes) == (["a.txt"], ("dir", "other"))


def test_a_wrong_key_is_refused(bucket: Bucket) -> None:
    """By the server; and told without the key."""
    with pytest.raises(Forbidden, match="access denied") as caught:
        list(_listing(bucket, secret="wrong").pages(""))
    assert "wrong" not in str(caught.value)


def test_the_signature_is_the_documented_one() -> None:
    """The example of AWS's own documentation for listing a bucket."""
    credentials = Credentials(
        access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )
    headers = signed_headers(
        "examplebucket.s3.amazonaws.com",
        "/",
        "max-keys=2&prefix=J",
        region="us-east-1",
        credentials=credentials,
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )
    assert headers["Authorization"].endswith(
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    )
    assert "wJalr" not in repr(credentials)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>not found</html",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><ListBucketResult>&a;</ListBucketResult>',
        b"<ListBucketResult><Contents><Key>a</Key><Size>many</Size></Contents></ListBucketResult>",
        b"<ListBucketResult><Contents><Key>a</Key><LastModified>soon</LastModified></Contents></ListBucketResult>",
        b"\xff\xfe",
    ],
)
def test_answers_that_are_no_listing(bucket: Bucket, body: bytes) -> None:
    """Corrupt, and nothing is expanded."""
    with serve_web() as web:
        query = "/bucket?encoding-type=url&list-type=2"
        web.files[query] = body
        listing = S3Listing(
            client=HttpClient(connect=5, silent=5),
            endpoint=web.url,
            path="/bucket",
            prefix="",
            region="us-east-1",
            credentials=lambda: None,
            shown="s3://bucket",
        )
        with pytest.raises(Corrupt, match="no listing"):
            list(listing.pages(""))
