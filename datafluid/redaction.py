"""What may be shown: values that could be secrets never reach a log, a message, a status or a repr."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

__all__ = ["HIDDEN", "Secret", "has_password", "redact_options", "redact_url", "scrub"]

HIDDEN = "***"

#: Options whose values say nothing that must be kept; all others are hidden.
_SAFE = frozenset(
    {
        "region", "aws.region", "aws_region", "fs.s3a.endpoint.region", "alluxio.underfs.s3.endpoint.region",
        "allow_http", "path_style", "fs.s3a.path.style.access", "virtual_hosted_style_request",
        "anonymous", "skip_signature", "fs.s3a.connection.ssl.enabled", "timeout", "connect_timeout",
    }
)  # fmt: skip
_ADDRESSES = frozenset({"endpoint", "aws.endpoint", "fs.s3a.endpoint", "alluxio.underfs.s3.endpoint", "proxy_url"})


#: What follows a colon is a password unless it is a port.
_PASSWORD = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?:[^/?#]*:[^/?#]+|[^/?#@:\[]*:(?!\d+(?:[/?#]|$))[^?#]*)@", re.ASCII
)


class Secret:
    """A value that shows itself to nobody: not by ``str``, ``repr`` or pickling, only by `reveal`.

    Example:
        >>> print(Secret("hunter2"), [Secret("hunter2")])
        *** [Secret(***)]
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled; look it up again where it is needed")


def has_password(url: str) -> bool:
    """Whether a URL has a password before its host. Keys of stores often have a slash in them.

    Example:
        >>> [has_password(url) for url in ("s3://AKIA:a/b+c@bucket/x", "s3://me@bucket", "http://host:80/a@b")]
        [True, False, False]
    """
    return bool(_PASSWORD.match(url))


def redact_url(url: str) -> str:
    """A URL without user, password, query and fragment.

    Example:
        >>> redact_url("https://me:pw@host/path?sig=1"), redact_url("local:///data")
        ('https://host/path', 'local:///data')
    """
    if (found := _PASSWORD.match(url)) is not None:
        url = found["scheme"] + url[found.end() :]
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://" + HIDDEN
    if not parts.scheme:
        return url
    host = parts.netloc.rpartition("@")[2]
    slashes = "//" if url[len(parts.scheme) + 1 :].startswith("//") else ""
    return f"{parts.scheme}:{slashes}{host}{parts.path}"


def redact_options(options: Mapping[str, str]) -> dict[str, str]:
    """Options fit to be shown: values off the safe list are hidden.

    Example:
        >>> redact_options({"region": "eu-west-1", "fs.s3a.secret.key": "x"})
        {'region': 'eu-west-1', 'fs.s3a.secret.key': '***'}
    """
    return {name: _shown(name, value) for name, value in options.items()}


def scrub(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every known secret hidden; for messages of others."""
    for secret in sorted((s for s in secrets if len(s) >= 4), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _shown(name: str, value: str) -> str:
    if name.lower() in _SAFE:
        return value
    return redact_url(value) if name.lower() in _ADDRESSES else HIDDEN
