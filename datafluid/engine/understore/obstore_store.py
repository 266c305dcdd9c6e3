"""Object stores through obstore: ``s3://``, ``gs://``, ``az://``.

obstore runs one global Tokio runtime that a forked child must not use (it hangs); `factory` sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from datafluid.engine.understore.keys import without_controls
from datafluid.engine.understore.obstore_errors import StrangeKey, mapped, strange_keys
from datafluid.engine.understore.port import Fetch, Listing, ObjectInfo
from datafluid.errors import (
    AlreadyExists,
    Corrupt,
    NotFound,
    StaleVersion,
    Unsupported,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from typing_extensions import Buffer

    from datafluid.engine.understore.s3_listing import S3Listing

__all__ = ["ObstoreStore"]

_CHUNK = 256 << 10
_PAGE = 1000


class ObstoreStore:
    """An object store as an under-store.

    Args:
        store: The obstore store, its prefix set to the mount.
        display_url: What messages call it; holds no credentials.
        endpoint: Who is asked, likewise; empty: the provider's own.
        strange: Makes what lists what obstore cannot: keys that are no paths.
    """

    atomic_move = False
    real_directories = False
    streams = 64

    can_name = staticmethod(without_controls)

    def __init__(
        self,
        store: ObjectStore,
        *,
        display_url: str,
        endpoint: str = "",
        strange: Callable[[], S3Listing] | None = None,
    ) -> None:
        self._store = store
        self._strange = strange
        self.display_url = display_url
        self._endpoint = endpoint

    def probe(self) -> None:
        """List one object: the mount must be reachable, and allowed."""
        import obstore

        with self._mapped(""), suppress(StrangeKey):
            self._first(iter(obstore.list(self._store, chunk_size=1)))

    def stat(self, key: str) -> ObjectInfo:
        """HEAD."""
        import obstore

        with self._mapped(key):
            return _info(obstore.head(self._store, key), key)

    def list(self, prefix: str) -> Listing:
        """One level, with a delimiter."""
        import obstore

        try:
            with self._mapped(prefix), strange_keys():
                found = obstore.list_with_delimiter(self._store, prefix + "/" if prefix else None)
        except StrangeKey as error:
            listing = self._otherwise(error).level(prefix)
        else:
            prefixes = sorted(str(each).rstrip("/") for each in found["common_prefixes"])
            listing = Listing(objects=tuple(_info(meta) for meta in found["objects"]), prefixes=tuple(prefixes))
        return replace(listing, objects=tuple(info for info in listing.objects if not _is_marker(info, prefix)))

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """All objects below, in pages of 1,000."""
        if prefix:
            try:
                yield [self.stat(prefix)]
                return
            except NotFound:
                pass
        for page in self._pages(prefix):
            yield [info for info in page if not _is_marker(info, prefix)]

    def _pages(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        import obstore

        told = 0
        with self._mapped(prefix):
            pages = iter(obstore.list(self._store, prefix + "/" if prefix else None, chunk_size=_PAGE))
        try:
            while True:
                with self._mapped(prefix):
                    page = self._first(pages)
                if page is None:
                    return
                told += len(page)
                yield [_info(meta) for meta in page]
        except StrangeKey as error:
            strange = self._otherwise(error)
        for objects, _ in strange.pages(prefix):
            if fresh := objects[max(0, told) :]:
                yield fresh
            told -= len(objects)

    @staticmethod
    def _first(pages: Iterator[Any]) -> Any:
        with strange_keys():
            return next(pages, None)

    def _otherwise(self, error: StrangeKey) -> S3Listing:
        if self._strange is None:
            raise Unsupported(
                f"{self.display_url} holds a key that is no path: {error}.", hint="Rename it, or mount another prefix."
            )
        return self._strange()

    def read(self, fetch: Fetch) -> Buffer:
        """One conditional range request."""
        import obstore
        from obstore.exceptions import NotSupportedError

        if fetch.length == 0:
            return b""
        with self._mapped(fetch.info.key):
            try:
                result = obstore.get(self._store, fetch.info.key, options=_options(fetch))
            except NotSupportedError:
                return self._cut_out(fetch)
            self._check(fetch, result)
            data = result.buffer()
        self._must_be_whole(fetch, len(memoryview(data)))
        return data

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """A range as it comes. Chunks are small enough for their memory to be used again and again."""
        import obstore
        from obstore.exceptions import NotSupportedError

        if fetch.length <= _CHUNK:
            yield self.read(fetch)
            return
        got = 0
        with self._mapped(fetch.info.key):
            try:
                result = obstore.get(self._store, fetch.info.key, options=_options(fetch))
            except NotSupportedError:
                yield self._cut_out(fetch)
                return
            self._check(fetch, result)
            for data in result.stream(min_chunk_size=_CHUNK):
                got += len(memoryview(data))
                if got > fetch.length:
                    break
                yield data
        self._must_be_whole(fetch, got)

    def close(self) -> None:
        """Obstore keeps its connections until the store is collected."""

    # -- writing ------------------------------------------------------------------------------------------------

    def put(self, key: str, source: BinaryIO, *, create: bool = False) -> ObjectInfo:
        """Upload; in parts when it is large. The object appears when all of it has arrived."""
        import obstore

        with self._mapped(key):
            if create:  # conditional writes are single requests
                obstore.put(self._store, key, source.read(), mode="create", use_multipart=False)
            else:
                obstore.put(self._store, key, source)
            return _info(obstore.head(self._store, key), key)

    def delete(self, keys: Sequence[str]) -> None:
        """Delete in batches; objects that are gone are no error."""
        import obstore

        with self._mapped(keys[0] if keys else ""):
            for start in range(0, len(keys), _PAGE):
                obstore.delete(self._store, list(keys[start : start + _PAGE]))

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Copy on the server."""
        import obstore

        if not overwrite and self._exists(target):
            raise AlreadyExists(f"{self.display_url}: {target!r} exists already.")
        with self._mapped(source):
            obstore.copy(self._store, source, target)
            return _info(obstore.head(self._store, target), target)

    def move(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Copy, then delete: not atomic."""
        info = self.copy(source, target, overwrite=overwrite)
        self.delete([source])
        return info

    def make_directory(self, key: str) -> None:
        """Directories exist where objects are."""

    # -- internals ----------------------------------------------------------------------------------------------

    def _must_be_whole(self, fetch: Fetch, got: int) -> None:
        if got != fetch.length:
            raise Corrupt(
                f"{self.display_url}: {fetch.info.key!r} gave {got} of {fetch.length} bytes.",
                hint="Try again; the store cut the answer short.",
            )

    def _cut_out(self, fetch: Fetch) -> Buffer:
        """A range from a server that knows none: the whole object is fetched."""
        whole = Fetch(info=fetch.info, start=0, length=fetch.info.size)
        if fetch == whole:
            raise Unsupported(f"{self.display_url} refuses to send {fetch.info.key!r}.")
        return memoryview(self.read(whole))[fetch.start : fetch.start + fetch.length]

    def _check(self, fetch: Fetch, result: Any) -> None:
        """A server that ignores If-Match must not make us mix versions."""
        meta = _info(result.meta, fetch.info.key)
        if (meta.version, meta.size) != (fetch.info.version, fetch.info.size):
            raise StaleVersion(f"{self.display_url}: {fetch.info.key!r} has changed.", hint="Open it again.")

    def _exists(self, key: str) -> bool:
        try:
            self.stat(key)
        except NotFound:
            return False
        return True

    def _mapped(self, key: str) -> AbstractContextManager[None]:
        return mapped(f"{self.display_url}: {key!r}" if key else self.display_url, endpoint=self._endpoint)


def _options(fetch: Fetch) -> Any:
    """The conditions of a GET. A whole object is asked for as such: not every server knows ranges."""
    options: dict[str, Any] = {}
    if fetch.length < fetch.info.size:
        options["range"] = (fetch.start, fetch.start + fetch.length)
    if _is_etag(fetch.info.version):
        options["if_match"] = fetch.info.version
    return options


def _info(meta: Any, key: str | None = None) -> ObjectInfo:
    modified = meta["last_modified"]
    etag = meta.get("e_tag")
    mtime = modified.timestamp() if modified is not None else None
    version = etag or f"{meta['size']}-{mtime}"
    return ObjectInfo(key=meta["path"] if key is None else key, size=meta["size"], version=version, mtime=mtime)


def _is_etag(version: str) -> bool:
    return version.endswith('"') or version.startswith('"')


def _is_marker(info: ObjectInfo, prefix: str) -> bool:
    """A zero-byte object that stands for a directory."""
    return info.key.endswith("/") or (info.size == 0 and info.key == prefix)
