"""Mount options: the spellings that under-stores here understand, and what each means. One table.

Users bring the options of the engine they know. A spelling that is not in the table is not guessed at: it is
reported, and becomes a condition of the dataset.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import takewhile

from datafluid.errors import Invalid

__all__ = ["StoreOptions", "misspelt", "understand"]

# What each spelling means, by scheme. Left: lower-case spelling; right: our own name.
_S3 = {
    **dict.fromkeys(
        ("access_key_id", "aws_access_key_id", "aws.access_key_id", "aws.accesskeyid", "fs.s3a.access.key",
         "fs.s3.awsaccesskeyid", "fs.s3.accesskeyid", "s3a.accesskeyid",
         "alluxio.underfs.s3.access.key", "access-key", "access_key"),
        "access_key_id",
    ),
    **dict.fromkeys(
        ("secret_access_key", "aws_secret_access_key", "aws.secret_access_key", "aws.secretkey", "fs.s3a.secret.key",
         "fs.s3.awssecretaccesskey", "fs.s3.accesskeysecret", "aws.secretaccesskey", "secret-key", "secret_key"),
        "secret_access_key",
    ),
    **dict.fromkeys(
        ("session_token", "aws_session_token", "aws.sessiontoken", "fs.s3a.session.token", "session-token"),
        "session_token",
    ),
    **dict.fromkeys(
        ("endpoint", "endpoint_url", "aws_endpoint", "aws_endpoint_url", "aws.endpoint", "fs.s3a.endpoint",
         "fs.s3.endpoint", "alluxio.underfs.s3.endpoint", "url"),
        "endpoint",
    ),
    **dict.fromkeys(
        ("region", "aws_region", "aws.region", "fs.s3a.endpoint.region", "fs.s3.region",
         "alluxio.underfs.s3.endpoint.region", "alluxio.underfs.s3.region", "aws_default_region"),
        "region",
    ),
    **dict.fromkeys(
        ("virtual_hosted_style_request", "aws_virtual_hosted_style_request", "aws.virtual_hosted_style_request"),
        "virtual_hosted",
    ),
    **dict.fromkeys(
        ("path_style", "fs.s3a.path.style.access", "alluxio.underfs.s3.disable.dns.buckets", "force_path_style"),
        "path_style",
    ),
    **dict.fromkeys(("skip_signature", "anonymous", "anon", "aws_skip_signature"), "anonymous"),
}  # fmt: skip
_GCS = {
    **dict.fromkeys(
        ("service_account", "google_service_account", "fs.gs.auth.service.account.json.keyfile"), "service_account"
    ),
    **dict.fromkeys(("service_account_key", "google_service_account_key"), "service_account_key"),
    **dict.fromkeys(("anonymous", "skip_signature", "google_skip_signature"), "anonymous"),
    **dict.fromkeys(("endpoint", "base_url", "google_base_url"), "endpoint"),
}
_AZURE = {
    **dict.fromkeys(("account_name", "azure_storage_account_name", "fs.azure.account.name"), "account_name"),
    **dict.fromkeys(("account_key", "access_key", "azure_storage_account_key", "fs.azure.account.key"), "account_key"),
    **dict.fromkeys(("sas_key", "sas_token", "azure_storage_sas_key"), "sas_key"),
    **dict.fromkeys(("client_id", "azure_client_id"), "client_id"),
    **dict.fromkeys(("client_secret", "azure_client_secret"), "client_secret"),
    **dict.fromkeys(("tenant_id", "azure_tenant_id"), "tenant_id"),
    **dict.fromkeys(("endpoint", "azure_storage_endpoint"), "endpoint"),
    **dict.fromkeys(("anonymous", "skip_signature"), "anonymous"),
}
_ANY = {
    **dict.fromkeys(("allow_http", "aws_allow_http", "aws.allow_http"), "allow_http"),
    **dict.fromkeys(("fs.s3a.connection.ssl.enabled",), "ssl"),
    **dict.fromkeys(("proxy_url", "http_proxy", "https_proxy"), "proxy"),
    **dict.fromkeys(("proxy_ca_certificate", "ca_certificate", "ca_bundle"), "proxy_ca_certificate"),
    **dict.fromkeys(("allow_invalid_certificates", "insecure"), "insecure"),
    **dict.fromkeys(("timeout", "connect_timeout"), "timeout"),
}
_BY_SCHEME: dict[str, dict[str, str]] = {
    "s3": _S3 | _ANY,
    "s3a": _S3 | _ANY,
    "gs": _GCS | _ANY,
    "az": _AZURE | _ANY,
    "abfs": _AZURE | _ANY,
    "abfss": _AZURE | _ANY,
    "http": _ANY,
    "https": _ANY,
    "local": {},
    "pvc": {},
}
_FLAGS = frozenset({"allow_http", "ssl", "anonymous", "virtual_hosted", "path_style", "insecure"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOptions:
    """Options by our own names. Flags are ``true`` or ``false``.

    Args:
        values: Name and value; never shown.
        ignored: The spellings that were not understood.
    """

    values: Mapping[str, str] = field(repr=False)
    ignored: tuple[str, ...] = ()

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A flag's value."""
        return self.values.get(name, "true" if default else "false") == "true"


def understand(scheme: str, options: Iterable[tuple[str, str]]) -> StoreOptions:
    """Read options of a mount.

    Args:
        scheme: Of the mount point; options of a scheme that is not in the table are all passed as they are.
        options: Spelling and value.

    Raises:
        Invalid: a flag is neither true nor false.

    Example:
        >>> understand("s3", [("fs.s3a.endpoint", "http://127.0.0.1:9000"), ("sparkle", "1")]).ignored
        ('sparkle',)
    """
    table = _BY_SCHEME.get(scheme)
    values: dict[str, str] = {}
    ignored = []
    for spelling, value in options:
        name = spelling if table is None else table.get(spelling.lower())
        if name is None:
            ignored.append(spelling)
            continue
        values[name] = _flag(spelling, value) if name in _FLAGS else value
    return StoreOptions(values=values, ignored=tuple(ignored))


def _flag(spelling: str, value: str) -> str:
    lowered = value.strip().lower()
    if lowered in ("true", "1", "yes", "on"):
        return "true"
    if lowered in ("false", "0", "no", "off", ""):
        return "false"
    raise Invalid(f"option {spelling} is neither true nor false.", hint='Write "true" or "false".')


def misspelt(scheme: str, option: str) -> str | None:
    """The spelling that an option of a mount is a slip of: one letter, or other separators; None where it is none.

    Example:
        >>> [misspelt("s3", option) for option in ("endpoynt", "access-key-id", "sparkle", "url")]
        ['endpoint', 'access_key_id', None, None]
    """
    known = _BY_SCHEME.get(scheme, {})
    given = option.lower()
    return None if given in known else next((each for each in known if _is_slip(given, each)), None)


def _is_slip(given: str, known: str) -> bool:
    """Whether one letter is missing, too many or another, or two stand the wrong way round."""
    one, other = (re.sub(r"[-._]", "_", each) for each in (given, known))
    start = _shared(one, other)
    end = _shared(one[start:][::-1], other[start:][::-1])
    rest, wanted = one[start : len(one) - end], other[start : len(other) - end]
    return max(len(rest), len(wanted)) <= 1 or (len(rest) == 2 and rest == wanted[::-1])


def _shared(one: str, other: str) -> int:
    """How many letters they begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
