"""Schemes that obstore does not speak, through fsspec: from an allow-list, and never chained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from datafluid.engine.understore.levels import walk_levels
from datafluid.engine.understore.parallel import in_pieces
from datafluid.engine.understore.port import Fetch, Listing, ObjectInfo
from datafluid.errors import (
    Corrupt,
    DatafluidError,
    Forbidden,
    Invalid,
    NotFound,
    StaleVersion,
    Unavailable,
    Unsupported,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["FSSPEC_SCHEMES", "NATIVE_SCHEMES", "FsspecStore", "open_fsspec"]

#: What is mounted without it.
NATIVE_SCHEMES = frozenset({"local", "pvc", "s3", "s3a", "gs", "az", "abfs", "abfss", "http", "https"})
#: What may be mounted through fsspec. ``memory``, ``file``, ``fluid`` and the like would reach what is not a store.
FSSPEC_SCHEMES = (
    "hdfs",
    "webhdfs",
    "oss",
    "cos",
    "ftp",
    "sftp",
    "ssh",
    "smb",
    "hf",
    "gdrive",
    "dropbox",
    "dbfs",
    "obs",
)


def open_fsspec(url: str, options: Mapping[str, Any]) -> FsspecStore:
    """A store through fsspec.

    Args:
        url: The mount point.
        options: Given to the filesystem as they are.

    Raises:
        Invalid: the URL is chained (``::``).
        Unsupported: the scheme is not on the list, or its package is not installed.
    """
    import fsspec

    scheme = url.partition("://")[0].lower()
    if "::" in url:
        raise Invalid(f"{scheme}: chained URLs are not mounted.", hint="Mount the inner store itself.")
    if scheme not in FSSPEC_SCHEMES:
        known = ", ".join(sorted((*NATIVE_SCHEMES, *FSSPEC_SCHEMES)))
        raise Unsupported(f"nothing here speaks {scheme}://.", hint=f"Known are {known}.")
    try:
        filesystem, root = fsspec.core.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise Unsupported(f"{scheme}:// needs a package that is not installed: {error}.", hint="Install it.") from error
    except (OSError, EOFError) as error:
        raise Unavailable(f"{scheme}:// cannot be reached.", hint="Check the mount point and the network.") from error
    return FsspecStore(filesystem, root, display_url=_without_userinfo(url))


class FsspecStore:
    """An fsspec filesystem as an under-store; reads only.

    Args:
        filesystem: The filesystem.
        root: The mount's path in it.
        display_url: What messages call it.
    """

    real_directories = True
    streams = 4

    def __init__(self, filesystem: Any, root: str, *, display_url: str) -> None:
        self._fs = filesystem
        self._root = root.rstrip("/")
        self.display_url = display_url

    def probe(self) -> None:
        """List the mount."""
        with self._mapped(""):
            self._fs.ls(self._root or "/", detail=True)

    def stat(self, key: str) -> ObjectInfo:
        """See `datafluid.engine.understore.port.UnderStore.stat`."""
        with self._mapped(key):
            found = self._fs.info(self._path(key))
        if found["type"] != "file":
            raise NotFound(f"{self.display_url}: {key!r} is not a file.")
        return _info(key, found)

    def is_directory(self, key: str) -> bool:
        """Whether a directory is there."""
        with self._mapped(key):
            return bool(self._fs.isdir(self._path(key)))

    def list(self, prefix: str) -> Listing:
        """See `datafluid.engine.understore.port.UnderStore.list`."""
        try:
            with self._mapped(prefix):
                found = self._fs.ls(self._path(prefix) or "/", detail=True)
        except NotFound:
            return Listing(objects=(), prefixes=())
        start = f"{prefix}/" if prefix else ""
        named = sorted(
            ((start + each["name"].rstrip("/").rpartition("/")[2], each) for each in found), key=lambda pair: pair[0]
        )
        return Listing(
            objects=tuple(_info(key, each) for key, each in named if each["type"] == "file" and key != prefix),
            prefixes=tuple(key for key, each in named if each["type"] == "directory"),
        )

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """See `datafluid.engine.understore.port.UnderStore.walk`."""
        return walk_levels(self, prefix)

    def read(self, fetch: Fetch) -> Buffer:
        """See `datafluid.engine.understore.port.UnderStore.read`. These stores know no conditional reads: the
        object is looked at before and after.
        """
        path = self._path(fetch.info.key)
        self._same_version(fetch)
        with self._mapped(fetch.info.key):
            data: bytes = self._fs.cat_file(path, start=fetch.start, end=fetch.start + fetch.length)
        self._same_version(fetch)
        if len(data) != fetch.length:
            raise Corrupt(f"{self.display_url}: {fetch.info.key!r} gave {len(data)} of {fetch.length} bytes.")
        return data

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """A read for each MiB."""
        return in_pieces(self.read, fetch)

    def close(self) -> None:
        """Fsspec keeps its own connections."""

    def _same_version(self, fetch: Fetch) -> None:
        self._fs.invalidate_cache(self._path(fetch.info.key).rpartition("/")[0])
        try:
            now = self.stat(fetch.info.key)
        except NotFound:
            now = None
        if now is None or (now.version, now.size) != (fetch.info.version, fetch.info.size):
            raise StaleVersion(f"{self.display_url}: {fetch.info.key!r} has changed.", hint="Open it again.")

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root

    @contextmanager
    def _mapped(self, key: str) -> Iterator[None]:
        where = f"{self.display_url}: {key!r}" if key else self.display_url
        try:
            yield
        except DatafluidError:
            raise
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"{where} does not exist.", hint="Check the mount point and the path.") from None
        except PermissionError:
            raise Forbidden(f"{where}: access denied.", hint="Check the credentials.") from None
        except (OSError, EOFError) as error:  # the text may hold credentials: its kind is enough
            raise Unavailable(f"{where} cannot be read ({type(error).__name__}).", hint="Try again later.") from None


def _info(key: str, found: Mapping[str, Any]) -> ObjectInfo:
    modified = found.get("mtime") or found.get("LastModified") or found.get("modify") or found.get("last_modified")
    mtime = _seconds(modified)
    tag = found.get("ETag") or found.get("etag") or found.get("blob_id")
    size = int(found["size"] or 0)
    return ObjectInfo(key=key, size=size, version=str(tag or f"{size}-{modified}"), mtime=mtime)


def _seconds(modified: Any) -> float | None:
    if isinstance(modified, datetime):
        return modified.timestamp()
    return float(modified) if isinstance(modified, (int, float)) else None


def _without_userinfo(url: str) -> str:
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
