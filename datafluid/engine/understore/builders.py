"""Mount options into clients: obstore's stores, and our own for the web."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult

from datafluid.errors import Invalid
from datafluid.model.mount_options import StoreOptions

if TYPE_CHECKING:
    from obstore.store import ObjectStore

    from datafluid.engine.understore.http_client import HttpClient

__all__ = ["build", "http_client", "region"]

_STALLED = timedelta(seconds=30)  # without a byte: the connection is given up, and another one tried
_CONNECT = timedelta(seconds=10)
_LONGEST = timedelta(hours=1)  # a request in all: a slow line is no reason to begin again
_RETRY = {
    "max_retries": 5,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
    "retry_timeout": timedelta(seconds=30),
}


def build(scheme: str, parts: SplitResult, options: StoreOptions) -> ObjectStore:
    """The obstore store of a mount. Connects to nothing."""
    store: ObjectStore = _BUILDERS[scheme](parts.netloc, parts.path.strip("/"), options)
    return store


def http_client(options: StoreOptions) -> HttpClient:
    """A client for the web as a mount's options want it."""
    from datafluid.engine.understore.http_client import HttpClient

    silent = _silence(options)
    return HttpClient(
        connect=min(silent, _CONNECT).total_seconds(),
        silent=silent.total_seconds(),
        proxy=options.values.get("proxy"),
        proxy_ca=options.values.get("proxy_ca_certificate"),
        insecure=options.flag("insecure"),
    )


def region(options: StoreOptions) -> str:
    """The region of an S3 store."""
    return (
        options.values.get("region")
        or os.environ.get("AWS_REGION")
        or os.environ.get("AWS_DEFAULT_REGION")
        or "us-east-1"
    )


def _s3(bucket: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import S3Store

    config: dict[str, Any] = {
        name: options.values[name]
        for name in ("access_key_id", "secret_access_key", "session_token", "endpoint", "region")
        if name in options.values
    }
    path_style = options.flag("path_style", default=options.values.get("virtual_hosted") == "false")
    config["virtual_hosted_style_request"] = not path_style and "endpoint" not in config
    config["region"] = region(options)
    if options.flag("anonymous"):
        config["skip_signature"] = True
    # Here and below obstore wants TypedDicts, which would have to be written out key by key.
    return S3Store(bucket, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


def _gcs(bucket: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import GCSStore

    config: dict[str, Any] = {
        name: options.values[name] for name in ("service_account", "service_account_key") if name in options.values
    }
    if "endpoint" in options.values:
        config["base_url"] = options.values["endpoint"]
    if options.flag("anonymous"):
        config["skip_signature"] = True
    return GCSStore(bucket, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


def _azure(container: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import AzureStore

    names = ("account_name", "account_key", "sas_key", "client_id", "client_secret", "tenant_id", "endpoint")
    config: dict[str, Any] = {name: options.values[name] for name in names if name in options.values}
    if options.flag("anonymous"):
        config["skip_signature"] = True
    container = container.partition("@")[0]
    return AzureStore(container, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


_BUILDERS: Mapping[str, Callable[[str, str, StoreOptions], Any]] = {
    **dict.fromkeys(("s3", "s3a"), _s3),
    "gs": _gcs,
    **dict.fromkeys(("az", "abfs", "abfss"), _azure),
}


def _client(options: StoreOptions) -> dict[str, Any]:
    endpoint = options.values.get("endpoint", "")
    stalled = _silence(options)
    client: dict[str, Any] = {"timeout": _LONGEST, "read_timeout": stalled, "connect_timeout": min(stalled, _CONNECT)}
    # A plain-text endpoint that the user wrote is a plain-text endpoint that the user wants.
    client["allow_http"] = options.flag("allow_http", default=endpoint.startswith("http://")) or not options.flag(
        "ssl", default=True
    )
    if options.flag("insecure"):
        client["allow_invalid_certificates"] = True
    if "proxy" in options.values:
        client["proxy_url"] = options.values["proxy"]
    if "proxy_ca_certificate" in options.values:
        client["proxy_ca_certificate"] = options.values["proxy_ca_certificate"]
    return client


def _silence(options: StoreOptions) -> timedelta:
    """How long an answer may be silent."""
    return _seconds(options.values["timeout"]) if "timeout" in options.values else _STALLED


def _seconds(value: str) -> timedelta:
    number = value.strip().removesuffix("s")
    if not number.isascii() or not number.isdigit() or not 0 < int(number) <= _LONGEST.total_seconds():
        raise Invalid("option timeout is no number of seconds up to an hour.", hint='Write "30s".')
    return timedelta(seconds=int(number))
