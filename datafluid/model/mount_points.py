"""Mount points: the URL of an under-store, and what was meant by what is none."""

from __future__ import annotations

import re

__all__ = ["meant_url", "scheme_of"]

_HALF_A_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/*(?=[^/])", re.ASCII)


def scheme_of(url: str) -> str:
    """The scheme of a mount point, in lower case; empty when it has none.

    Example:
        >>> scheme_of("S3://bucket/x"), scheme_of("/data")
        ('s3', '')
    """
    scheme, separator, _ = url.partition("://")
    return scheme.lower() if separator else ""


def meant_url(text: str) -> str:
    """The URL that was probably meant by a mount point that is none, or by a ``file://``; else an example.

    Example:
        >>> meant_url("/data"), meant_url("file:///data"), meant_url("s3:/bucket/x"), meant_url("bucket")
        ('local:///data', 'local:///data', 's3://bucket/x', 's3://bucket/prefix or local:///data')
    """
    path = text.removeprefix("file://")
    if path.startswith("/"):
        return f"local://{path}"
    half = _HALF_A_URL.match(text)
    return f"{half[1]}://{text[half.end() :]}" if half else "s3://bucket/prefix or local:///data"
