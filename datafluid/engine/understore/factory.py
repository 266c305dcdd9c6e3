"""From a mount to its under-store."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.home import Home
from datafluid.engine.understore.addresses import refuse_link_local
from datafluid.engine.understore.builders import build, http_client, region
from datafluid.engine.understore.fsspec_store import NATIVE_SCHEMES, open_fsspec
from datafluid.engine.understore.port import UnderStore
from datafluid.errors import Invalid, Unsupported
from datafluid.model.mount_options import StoreOptions, understand
from datafluid.model.mount_points import meant_url, scheme_of

if TYPE_CHECKING:
    from datafluid.engine.understore.s3_listing import S3Listing
    from datafluid.engine.understore.sigv4 import Credentials

__all__ = ["open_store"]

# Schemes of our own, for the ways to a dataset on a cluster.
ALLUXIO_REST = "alluxio+http"
HCFS = "hcfs+"
_PVC_ROOT = "DATAFLUID_PVC_ROOT"
#: The process that has used obstore: its runtime hangs in children forked from it.
_obstore_pid: int | None = None


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
    if not scheme:
        raise Invalid(f"the mount point {mount.url} is no URL.", hint=f"Write {meant_url(mount.url)}.")
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
    from datafluid.engine.understore.http_store import HttpStore

    refuse_link_local(_plain(mount.url).hostname)
    return HttpStore(mount.url, http_client(options))


def _plain(url: str) -> SplitResult:
    """The parts of a URL that holds nothing secret."""
    from datafluid.redaction import has_password, redact_url

    parts = urlsplit(url)
    if parts.username or has_password(url) or parts.query or parts.fragment:
        raise Invalid(
            f"{redact_url(url)} holds credentials or a query.", hint="Use encryptOptions and options instead."
        )
    return parts


def _obstore(mount: MountBinding, scheme: str, options: StoreOptions) -> UnderStore:
    global _obstore_pid
    from datafluid.engine.understore.obstore_store import ObstoreStore
    from datafluid.redaction import redact_url

    parts = _plain(mount.url)
    endpoint = options.values.get("endpoint", "")
    refuse_link_local(urlsplit(endpoint).hostname)
    store = build(scheme, parts, options)
    _obstore_pid = os.getpid()
    display = redact_url(mount.url)
    strange = partial(_s3_listing, parts, options, display) if scheme in ("s3", "s3a") else None
    return ObstoreStore(store, display_url=display, endpoint=redact_url(endpoint), strange=strange)


def _s3_listing(parts: SplitResult, options: StoreOptions, display: str) -> S3Listing:
    from datafluid.engine.understore.s3_listing import S3Listing

    place, endpoint = region(options), options.values.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL")
    return S3Listing(
        client=http_client(options),
        endpoint=endpoint.rstrip("/") if endpoint else f"https://{parts.netloc}.s3.{place}.amazonaws.com",
        path=f"/{parts.netloc}" if endpoint else "/",
        prefix=parts.path.strip("/"),
        region=place,
        credentials=lambda: _credentials(options, display),
        shown=display,
    )


def _credentials(options: StoreOptions, display: str) -> Credentials | None:
    """What signs a listing of ours; the provider's chain is obstore's own."""
    from datafluid.engine.understore.sigv4 import Credentials

    if options.flag("anonymous"):
        return None
    own = "access_key_id" in options.values

    def value(name: str) -> str | None:
        return options.values.get(name) if own else os.environ.get(f"AWS_{name.upper()}")

    key, secret = value("access_key_id"), value("secret_access_key")
    if not key or not secret:
        raise Unsupported(
            f"{display} holds keys that are no paths, and listing those takes credentials that are written down.",
            hint="Name them in encryptOptions or in the environment, or mount another prefix.",
        )
    return Credentials(access_key_id=key, secret_access_key=secret, session_token=value("session_token"))
