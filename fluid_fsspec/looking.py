"""Looking: what is where, and when it was written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from datafluid.errors import NotADirectory, NotFound, Unsupported
from fluid_fsspec import paths, routes
from fluid_fsspec.base import Rooted

if TYPE_CHECKING:
    from datafluid.engine.mounted import Entry

__all__ = ["Looking"]

_Detail = dict[str, Any]


class Looking(Rooted):
    """Mixed into `fluid_fsspec.FluidFileSystem`."""

    def info(self, path: str, **kwargs: Any) -> _Detail:
        """What is at ``path``: name, size, type, mtime (seconds since the epoch), ETag (the store's version).

        Raises:
            NotFound: nothing is.
            Unavailable: the dataset is not Bound, or its under-store is away and nothing fresh is known.
        """
        path = self._strip_protocol(path)
        namespace, dataset, below = paths.split(path)
        if not dataset:
            self._names(namespace)
            return _directory(path)
        return _detail(routes.tree_of(self.context, namespace, dataset).info(below), path)

    def ls(self, path: str, detail: bool = True, refresh: bool = False, **kwargs: Any) -> list[Any]:
        """One level below a directory, in name order; a file lists itself.

        Above the datasets: the namespaces, and the datasets of a namespace.

        Args:
            detail: Whole entries, as of `info`; else names.
            refresh: Ask the under-store, however fresh the listing is.

        Raises:
            NotFound: nothing is at ``path``.
        """
        path = self._strip_protocol(path)
        namespace, dataset, below = paths.split(path)
        if not dataset:
            start = f"{namespace}/" if namespace else ""
            found = [_directory(start + name) for name in self._names(namespace)]
        else:
            tree = routes.tree_of(self.context, namespace, dataset)
            if refresh:
                tree.refresh(below)
            root = f"{namespace}/{dataset}"
            try:
                found = [_detail(entry, f"{root}/{entry.path}") for entry in tree.ls(below)]
            except NotADirectory:
                found = [_detail(tree.info(below), path)]
        return found if detail else [entry["name"] for entry in found]

    def _names(self, namespace: str) -> list[str]:
        """The namespaces, or the datasets of one."""
        datasets = routes.client_of(self.context).datasets(namespace=namespace or None)
        if namespace and not datasets:
            raise NotFound(f"there is no dataset in namespace {namespace!r}.", hint="See `datafluid get datasets -A`.")
        return sorted({dataset.name if namespace else dataset.namespace for dataset in datasets})

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether something is at ``path``. That the under-store cannot be asked is an error, not a no."""
        try:
            self.info(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def isfile(self, path: str) -> bool:
        """Whether a file is at ``path``."""
        return self._is(path, "file")

    def isdir(self, path: str) -> bool:
        """Whether a directory is at ``path``."""
        return self._is(path, "directory")

    def _is(self, path: str, kind: str) -> bool:
        try:
            return bool(self.info(path)["type"] == kind)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """All files below ``path``, in one sweep of the under-store where nothing fresh is known."""
        path = self._strip_protocol(path)
        namespace, dataset, below = paths.split(path)
        if maxdepth is not None or not dataset:
            return super().find(path, maxdepth=maxdepth, withdirs=withdirs, detail=detail, **kwargs)
        try:
            tree = routes.tree_of(self.context, namespace, dataset)
            root = f"{namespace}/{dataset}"
            swept = {f"{root}/{entry.path}".rstrip("/"): entry for entry in tree.walk(below)}
        except (FileNotFoundError, NotADirectoryError):
            return {} if detail else []
        if withdirs:  # every directory is known now, empty ones of real directories too
            return super().find(path, withdirs=True, detail=detail, **kwargs)
        names = sorted(swept)
        return {name: _detail(swept[name], name) for name in names} if detail else names

    def created(self, path: str) -> datetime:
        """When a file was written; objects appear whole, so this is also when they were created."""
        return self.modified(path)

    def modified(self, path: str) -> datetime:
        """When a file was last written, as an aware datetime.

        Raises:
            NotFound: nothing is at ``path``.
            Unsupported: the store does not tell.
        """
        mtime = self.info(path).get("mtime")
        if mtime is None:
            raise Unsupported(f"{paths.url(path)} has no time.", hint="Directories of object stores have none.")
        try:
            return datetime.fromtimestamp(mtime, UTC)
        except (ValueError, OverflowError, OSError) as error:
            hint = "See `info` for the number."
            raise Unsupported(f"the time of {paths.url(path)} is in no calendar.", hint=hint) from error

    def checksum(self, path: str) -> int:
        """A number that changes with the content."""
        return int(self.ukey(path)[:15], 16)

    def ukey(self, path: str) -> str:
        """A digest of name and version: it changes when the file changes."""
        from hashlib import blake2b

        info = self.info(path)
        text = f"{info['name']}\0{info.get('ETag')}\0{info['size']}"
        return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

    def invalidate_cache(self, path: str | None = None) -> None:
        """Ask the under-store at the next question; cached bytes of unchanged versions stay."""
        if path is not None:
            namespace, dataset, below = paths.split(self._strip_protocol(path))
            if dataset:
                routes.tree_of(self.context, namespace, dataset).refresh(below)
                return
        for each in routes.client_of(self.context).datasets():
            if each.status.phase == "Bound":
                each.refresh()


def _detail(entry: Entry, path: str) -> _Detail:
    path = path.rstrip("/")
    if entry.type == "directory":
        return _directory(path)
    return {"name": path, "size": entry.size, "type": "file", "mtime": entry.mtime, "ETag": entry.version}


def _directory(path: str) -> _Detail:
    return {"name": path, "size": 0, "type": "directory"}
