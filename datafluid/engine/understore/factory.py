"""From a mount to its under-store."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.home import Home
from datafluid.engine.understore.addresses import refuse_link_local
from datafluid.engine.understore.options import StoreOptions, understand
from datafluid.engine.understore.port import UnderStore
from datafluid.errors import Invalid, Unsupported

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["NATIVE_SCHEMES", "open_store", "scheme_of"]

NATIVE_SCHEMES = frozenset({"local", "pvc", "s3", "s3a", "gs", "az", "abfs", "abfss", "http", "https"})
# Schemes of our own, for the ways to a dataset on a cluster.
ALLUXIO_REST = "alluxio+http"
HCFS = "hcfs+"
_PVC_ROOT = "DATAFLUID_PVC_ROOT"
_STALLED = timedelta(seconds=30)  # without a byte: the connection is given up, and another one tried
_CONNECT = timedelta(seconds=10)
_LONGEST = timedelta(hours=1)  # a request in all: a slow line is no reason to begin again
_RETRY = {
    "max_retries": 5,
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
    "retry_timeout": timedelta(seconds=30),
}

#: The process that has used obstore: its runtime hangs in children forked from it.
_obstore_pid: int | None = None


def scheme_of(url: str) -> str:
    """The scheme of a mount point, in lower case.

    Example:
        >>> scheme_of("S3://bucket/x")
        's3'
    """
    return url.partition("://")[0].lower()


def open_store(home: Home, binding: Binding, mount: MountBinding) -> UnderStore:
    """Open the under-store of a mount. Connects to nothing yet.

    Args:
        home: Where secrets are looked up.
        binding: The dataset of the mount.
        mount: The mount.

    Raises:
        Unsupported: nothing here speaks the mount's scheme.
        NotFound: a secret is missing; the message says where it is looked for.
        Forbidden: the address is one that datasets may not reach.
        Invalid: an option or the URL is wrong.
    """
    scheme = scheme_of(mount.url)
    if scheme in ("local", "pvc"):
        return _local(mount, scheme)
    if scheme in ("http", "https"):
        return _web(mount, _resolved(home, mount, scheme))
    if _forked_after_use():
        from datafluid.engine.forked import HelperStore

        return HelperStore(home, binding, mount)
    if scheme == ALLUXIO_REST:
        from datafluid.engine.understore.alluxio_store import AlluxioStore

        parts = urlsplit(mount.url)
        refuse_link_local(parts.hostname)
        return AlluxioStore(f"http://{parts.netloc}", parts.path)
    if scheme.startswith(HCFS):
        from datafluid.engine.understore.hcfs_store import open_hcfs

        return open_hcfs(mount.url.removeprefix(HCFS))
    options = _resolved(home, mount, scheme)
    if scheme not in NATIVE_SCHEMES:
        from datafluid.engine.understore.fsspec_store import open_fsspec

        return open_fsspec(mount.url, options.values)
    return _obstore(mount, scheme, options)


def _forked_after_use() -> bool:
    return _obstore_pid is not None and _obstore_pid != os.getpid()


def _local(mount: MountBinding, scheme: str) -> UnderStore:
    from datafluid.engine.understore.local_store import LocalStore

    path = mount.url.partition("://")[2]
    if scheme == "pvc":
        root = os.environ.get(_PVC_ROOT)
        if not root:
            raise Unsupported(
                f"{mount.url} names a volume claim, and this machine has none.",
                hint=f"Set {_PVC_ROOT} to a directory whose sub-directories stand for claims, or mount local://.",
            )
        path = os.path.join(root, path.strip("/"))
    elif not path.startswith("/"):
        raise Invalid(f"{mount.url} is not an absolute path.", hint="Write local:///absolute/path.")
    if ".." in path.split("/"):
        raise Invalid(f"{mount.url} has a '..' segment.", hint="Write the path that it stands for.")
    return LocalStore(path, display_url=mount.url)


def _resolved(home: Home, mount: MountBinding, scheme: str) -> StoreOptions:
    from datafluid.engine.secrets import resolve_secret

    secret = [(each.option, resolve_secret(home, mount.namespace, each)) for each in mount.secrets]
    return understand(scheme, [*mount.options, *secret])


def _web(mount: MountBinding, options: StoreOptions) -> UnderStore:
    from datafluid.engine.understore.http_client import HttpClient
    from datafluid.engine.understore.http_store import HttpStore

    refuse_link_local(_plain(mount.url).hostname)
    silent = _silence(options)
    client = HttpClient(
        connect=min(silent, _CONNECT).total_seconds(),
        silent=silent.total_seconds(),
        proxy=options.values.get("proxy"),
        proxy_ca=options.values.get("proxy_ca_certificate"),
        insecure=options.flag("insecure"),
    )
    return HttpStore(mount.url, client)


def _plain(url: str) -> SplitResult:
    """The parts of a URL that holds nothing secret."""
    from datafluid.redaction import redact_url

    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Invalid(
            f"{redact_url(url)} holds credentials or a query.", hint="Use encryptOptions and options instead."
        )
    return parts


def _obstore(mount: MountBinding, scheme: str, options: StoreOptions) -> UnderStore:
    global _obstore_pid
    from datafluid.engine.understore.obstore_store import ObstoreStore
    from datafluid.redaction import redact_url

    parts = _plain(mount.url)
    refuse_link_local(_host(options.values.get("endpoint")))
    store = _BUILDERS[scheme](mount.url, parts.netloc, parts.path.strip("/"), options)
    _obstore_pid = os.getpid()
    return ObstoreStore(store, display_url=redact_url(mount.url))


def _s3(url: str, bucket: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import S3Store

    config: dict[str, Any] = {
        name: options.values[name]
        for name in ("access_key_id", "secret_access_key", "session_token", "endpoint", "region")
        if name in options.values
    }
    path_style = options.flag("path_style", default=options.values.get("virtual_hosted") == "false")
    config["virtual_hosted_style_request"] = not path_style and "endpoint" not in config
    config.setdefault("region", os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1")
    if options.flag("anonymous"):
        config["skip_signature"] = True
    return S3Store(bucket, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


def _gcs(url: str, bucket: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import GCSStore

    config: dict[str, Any] = {
        name: options.values[name] for name in ("service_account", "service_account_key") if name in options.values
    }
    if "endpoint" in options.values:
        config["base_url"] = options.values["endpoint"]
    if options.flag("anonymous"):
        config["skip_signature"] = True
    return GCSStore(bucket, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


def _azure(url: str, container: str, prefix: str, options: StoreOptions) -> ObjectStore:
    from obstore.store import AzureStore

    names = ("account_name", "account_key", "sas_key", "client_id", "client_secret", "tenant_id", "endpoint")
    config: dict[str, Any] = {name: options.values[name] for name in names if name in options.values}
    if options.flag("anonymous"):
        config["skip_signature"] = True
    container = container.partition("@")[0]
    return AzureStore(container, prefix=prefix or None, client_options=_client(options), retry_config=_RETRY, **config)  # type: ignore[arg-type]


_BUILDERS: Mapping[str, Callable[[str, str, str, StoreOptions], Any]] = {
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
        raise Invalid(f"option timeout: {value!r} is no number of seconds.", hint='Write "30s".')
    return timedelta(seconds=int(number))


def _host(endpoint: str | None) -> str | None:
    return urlsplit(endpoint).hostname if endpoint else None
