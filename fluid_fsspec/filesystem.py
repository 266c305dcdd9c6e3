"""The filesystem: fsspec's contract on top of a `fluid_fsspec.tree.Tree`."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.spec import AbstractFileSystem
from fsspec.utils import stringify_path

from datafluid.errors import AlreadyExists, IsADirectory, NotADirectory, NotFound, Unsupported
from fluid_fsspec import paths, routes
from fluid_fsspec.verbs import Verbs

if TYPE_CHECKING:
    from datafluid.engine.mounted import Entry
    from fluid_fsspec.tree import Tree

__all__ = ["FluidFileSystem"]

_Detail = dict[str, Any]


class FluidFileSystem(Verbs, AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Fluid datasets as files: ``fluid://<namespace>/<dataset>/<path>``.

    Building one touches nothing: datasets are looked up at the first call, in each process anew. Instances are
    small, may be pickled, and hold no secrets. Every error is an OSError with the right errno, of
    `datafluid.errors`; only a path that no file can have raises Invalid (a ValueError).

    Args:
        context: The context to use; None follows ``DATAFLUID_CONTEXT`` and the config file.
        namespace: What ``fluid:///dataset`` means; None takes the context's namespace.
        **options: Ignored, as readers pass options meant for other filesystems.

    Example:
        >>> FluidFileSystem().unstrip_protocol("team/flights/2013")
        'fluid://team/flights/2013'
    """

    protocol: ClassVar[str] = "fluid"
    root_marker: ClassVar[str] = ""

    def __init__(self, *, context: str | None = None, namespace: str | None = None, **options: Any) -> None:
        if self._cached:  # fsspec runs this again on an instance that it remembers
            return
        super().__init__(**options)
        self.context = context
        self.namespace = namespace
        if namespace is not None or context is not None:
            self._strip_protocol = self._strip_in_context  # type: ignore[method-assign]

    # -- paths --------------------------------------------------------------------------------------------------

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        return paths.strip(stringify_path(path), None)

    def _strip_in_context(self, path: Any) -> Any:
        if isinstance(path, list):
            return [self._strip_in_context(each) for each in path]
        return paths.strip(stringify_path(path), self.namespace or routes.client_of(self.context).context.namespace)

    def unstrip_protocol(self, name: str) -> str:
        """The URL of a path."""
        return paths.url(self._strip_protocol(name))

    @classmethod
    def _parent(cls, path: str) -> str:
        return str(cls._strip_protocol(path)).rpartition("/")[0]

    def _locate(self, path: str) -> tuple[Tree, str]:
        """The dataset's tree, and the path below it."""
        namespace, dataset, below = paths.split(self._strip_protocol(path))
        if not dataset:
            raise IsADirectory(f"{paths.url(path)} names no dataset.", hint="Write fluid://<namespace>/<dataset>/…")
        return routes.tree_of(self.context, namespace, dataset), below

    # -- looking ------------------------------------------------------------------------------------------------

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
        return datetime.fromtimestamp(mtime, UTC)

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

    # -- reading ------------------------------------------------------------------------------------------------

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Open a file.

        Args:
            mode: ``r``, ``w``, ``x``, ``a``, with ``b`` or as text. What is written appears whole when the file is
                closed, and not at all when its ``with`` block is left by an exception.
            block_size: Ignored: what is missing is fetched in sizes that suit the store.
            cache_options: Ignored, likewise.
            compression: A codec of fsspec, or ``infer``.
            **kwargs: ``encoding``, ``errors``, ``newline`` for text.

        Returns:
            A binary or text file of the `io` module.

        Raises:
            NotFound, IsADirectory: there is no such file to read.
            ReadOnly: the dataset, or its mount, may not be written.
            AlreadyExists: ``x``, and something is there.
            Unsupported: a mode that changes files in place.
        """
        path = self._strip_protocol(path)
        if mode == "rb" and compression is None:
            return self._open(path)
        if "b" not in mode:
            from fluid_fsspec.files import TextFile

            text = {key: kwargs.pop(key) for key in ("encoding", "errors", "newline") if key in kwargs}
            return TextFile(self.open(path, mode.replace("t", "") + "b", compression=compression, **kwargs), **text)
        if compression is not None and "r" not in mode:
            return self._open_compressed(path, mode, compression)
        return super().open(path, mode, compression=compression, **kwargs)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        from fluid_fsspec.files import WriteFile, open_to_read

        tree, below = self._locate(path)
        kind = mode.replace("b", "")
        if kind == "r":
            return open_to_read(self, tree, below, path)
        if kind not in ("w", "x", "a"):
            raise Unsupported(f"mode {mode!r} would change a file in place.", hint="Use r, w, x or a.")
        tree.check_writable(below)
        if kind == "x" and self.exists(path):
            raise AlreadyExists(f"{paths.url(path)} exists already.", hint="Open it with w to replace it.")
        file = WriteFile(tree.create(below, exclusive=kind == "x"), path, autocommit=autocommit)
        if kind == "a" and self.exists(path):
            self._copy_into(path, file)
        return file

    def _open_compressed(self, path: str, mode: str, compression: str) -> Any:
        from fsspec.compression import compr
        from fsspec.core import get_compression

        from fluid_fsspec.files import CompressedFile

        codec = get_compression(path, compression)
        target = self.open(path, mode)
        return target if codec is None else CompressedFile(compr[codec](target, mode=mode[0]), target)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """The bytes of a file, or of the slice ``[start:end]``, with Python's rules for slices."""
        with self._open(self._strip_protocol(path)) as file:
            first, last, _ = slice(start, end).indices(file.size)
            file.prefetch([(first, last)])
            file.seek(first)
            data: bytes = file.read(max(0, last - first))
            return data

    def cat(
        self, path: Any, recursive: bool = False, on_error: Literal["raise", "omit", "return"] = "raise", **kwargs: Any
    ) -> Any:
        """The bytes of a file, or of several, in parallel, by name."""
        names = self.expand_path(path, recursive=recursive)
        if len(names) == 1 and not isinstance(path, list) and names[0] == self._strip_protocol(path):
            return self.cat_file(names[0])
        files = [name for name in names if not recursive or self.isfile(name)]
        results = _in_parallel(self.cat_file, [(name,) for name in files], raises=on_error == "raise")
        return {
            name: result
            for name, result in zip(files, results, strict=True)
            if on_error != "omit" or not isinstance(result, Exception)
        }

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: Literal["raise", "return"] = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files, in parallel, each file opened once.

        Args:
            paths: Files; one may come several times.
            starts: A number for all, or one each; None and negative numbers as in slices.
            ends: Likewise.
            max_gap: Ignored: neighbouring ranges are always fetched together.
            on_error: ``return`` puts an exception in the place of the bytes.

        Raises:
            ValueError: the lists differ in length.
        """
        count = len(paths)
        starts = starts if isinstance(starts, list) else [starts] * count
        ends = ends if isinstance(ends, list) else [ends] * count
        if len(starts) != count or len(ends) != count:
            raise ValueError("paths, starts and ends must have the same length")
        wanted: dict[str, list[int]] = {}
        for number, path in enumerate(paths):
            wanted.setdefault(self._strip_protocol(path), []).append(number)
        tasks = [(path, [(starts[n], ends[n]) for n in numbers]) for path, numbers in wanted.items()]
        found: list[Any] = [b""] * count
        for numbers, result in zip(
            wanted.values(), _in_parallel(self._slices, tasks, raises=on_error == "raise"), strict=True
        ):
            for place, number in enumerate(numbers):
                found[number] = result if isinstance(result, Exception) else result[place]
        return found

    def _slices(self, path: str, slices: Sequence[tuple[int | None, int | None]]) -> list[bytes]:
        with self._open(path) as file:
            ranges = [slice(start, end).indices(file.size)[:2] for start, end in slices]
            file.prefetch(ranges)
            found = []
            for first, last in ranges:
                file.seek(first)
                found.append(file.read(max(0, last - first)))
            return found

    def to_arrow(self) -> Any:
        """A `pyarrow.fs.FileSystem` whose files on a cache hit are Arrow's own: Python is not on their way.

        Raises:
            ImportError: pyarrow is not installed.
        """
        from fluid_fsspec.arrow import arrow_filesystem

        return arrow_filesystem(self)

    # -- writing ------------------------------------------------------------------------------------------------

    def pipe_file(
        self, path: str, value: Any, mode: Literal["overwrite", "create"] = "overwrite", **kwargs: Any
    ) -> None:
        """Write a whole file; with ``mode="create"`` only where nothing is."""
        with self.open(path, "xb" if mode == "create" else "wb") as file:
            file.write(value)

    def put_file(
        self,
        lpath: str,
        rpath: str,
        callback: Any = DEFAULT_CALLBACK,
        mode: Literal["overwrite", "create"] = "overwrite",
        **kwargs: Any,
    ) -> None:
        """Upload a file; with ``mode="create"`` only where nothing is."""
        if os.path.isdir(lpath):
            self.makedirs(rpath, exist_ok=True)
            return
        with open(lpath, "rb") as source, self.open(rpath, "xb" if mode == "create" else "wb") as target:
            callback.set_size(os.fstat(source.fileno()).st_size)
            while data := source.read(1 << 20):
                target.write(data)
                callback.relative_update(len(data))

    def touch(self, path: str, truncate: bool = True, **kwargs: Any) -> None:
        """Make an empty file.

        Raises:
            Unsupported: without ``truncate``, when the file exists: no store can only change a time.
        """
        if not truncate and self.exists(path):
            raise Unsupported(f"{paths.url(path)} exists; its time cannot be set.", hint="Write it again.")
        self.pipe_file(path, b"")

    def mkdir(self, path: str, create_parents: bool = True, **kwargs: Any) -> None:
        """Make a directory, where the store has such things; elsewhere nothing happens.

        Raises:
            AlreadyExists: something is there.
        """
        if self.exists(path):
            raise AlreadyExists(f"{paths.url(path)} exists already.")
        tree, below = self._declared(path)
        tree.mkdir(below)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; see `mkdir`."""
        if exist_ok and self.isdir(path):
            return
        self.mkdir(path)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory.

        Raises:
            NotFound, NotADirectory: there is no such directory.
            OSError: it is not empty (ENOTEMPTY).
        """
        tree, below = self._declared(path)
        if tree.info(below).type == "file":
            raise NotADirectory(f"{paths.url(path)} is a file.", hint="Use rm.")
        if tree.ls(below):
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), paths.url(path))
        tree.rmdir(below)

    def rm_file(self, path: str) -> None:
        """Delete one file."""
        self.rm(path)

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Delete files, and with ``recursive`` directories; the dataset itself stays.

        Raises:
            NotFound: nothing is there.
            IsADirectory: a directory, without ``recursive``.
            ReadOnly: the dataset may not be written.
        """
        files: dict[str, list[str]] = {}
        directories: list[str] = []
        for name in self.expand_path(path, recursive=recursive, maxdepth=maxdepth):
            tree, below = self._declared(name)
            tree.check_writable(below or ".datafluid")
            if tree.info(below).type == "file":
                files.setdefault("/".join(paths.split(name)[:2]), []).append(below)
            elif recursive:
                directories.append(name)
            else:
                raise IsADirectory(f"{paths.url(name)} is a directory.", hint="Delete it with recursive=True.")
        for dataset, below_dataset in files.items():
            self._locate(dataset)[0].delete(below_dataset)
        for name in sorted(directories, reverse=True):
            tree, below = self._locate(name)
            if below and maxdepth is None:
                tree.rmdir(below)

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        """Copy a file; within one mount the store does it."""
        source, below1 = self._locate(path1)
        if source.info(below1).type == "directory":
            self.makedirs(path2, exist_ok=True)
            return
        target, below2 = self._declared(path2)
        if source is target:
            target.copy(below1, below2)
        else:
            with self.open(path2, "wb") as file:
                self._copy_into(path1, file)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, maxdepth: int | None = None, **kwargs: Any) -> None:
        """Move; a single file within a dataset is renamed, everything else is copied and then deleted."""
        if isinstance(path1, str) and isinstance(path2, str) and not path2.endswith("/"):
            single = not recursive and self.isfile(path1) and not self.isdir(path2)
            if single and paths.split(self._strip_protocol(path1))[:2] == paths.split(self._strip_protocol(path2))[:2]:
                self.rename(path1, path2)
                return
        super().mv(path1, path2, recursive=recursive, maxdepth=maxdepth, **kwargs)

    def rename(self, path1: str, path2: str, *, overwrite: bool = True, atomic: bool = False, **kwargs: Any) -> None:
        """Rename a file within a dataset.

        Args:
            overwrite: Replace what is at ``path2``.
            atomic: Refuse unless nobody can see both names, or none.

        Raises:
            AlreadyExists: without ``overwrite``, when something is at ``path2``.
            Unsupported: with ``atomic``, when the store copies and deletes; or ``path2`` is in another dataset.
        """
        tree, below1 = self._locate(path1)
        other, below2 = self._declared(path2)
        if other is not tree:
            raise Unsupported("a rename stays within one dataset.", hint="Use mv, which copies and deletes.")
        if atomic and not (tree.can(below1)["atomic_move"] and tree.can(below2)["atomic_move"]):
            raise Unsupported(
                f"{paths.url(path1)} is in a store that renames by copying and deleting.",
                hint="Leave out atomic=True to accept that.",
            )
        if tree.info(below1).type == "directory":
            raise IsADirectory(f"{paths.url(path1)} is a directory.", hint="Use mv with recursive=True.")
        tree.move(below1, below2, overwrite=overwrite)

    def _declared(self, path: str) -> tuple[Tree, str]:
        """As `_locate`, for changes: datasets are declared, not made by writing."""
        try:
            return self._locate(path)
        except IsADirectory as error:
            raise Unsupported(
                f"{paths.url(path)} cannot be changed.", hint="Datasets are made with `datafluid apply`."
            ) from error

    def _copy_into(self, path: str, target: Any) -> None:
        from shutil import copyfileobj

        with self._open(self._strip_protocol(path)) as source:
            copyfileobj(source, target, 1 << 20)


def _detail(entry: Entry, path: str) -> _Detail:
    path = path.rstrip("/")
    if entry.type == "directory":
        return _directory(path)
    return {"name": path, "size": entry.size, "type": "file", "mtime": entry.mtime, "ETag": entry.version}


def _directory(path: str) -> _Detail:
    return {"name": path, "size": 0, "type": "directory"}


def _in_parallel(function: Callable[..., Any], tasks: Iterable[tuple[Any, ...]], *, raises: bool) -> list[Any]:
    """Call a function with each task's arguments, in threads; without ``raises`` errors are results."""
    tasks = list(tasks)
    if len(tasks) == 1 and raises:
        return [function(*tasks[0])]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(16, len(tasks)) or 1, thread_name_prefix="fluid-cat") as pool:
        futures = [pool.submit(function, *task) for task in tasks]
        results: list[Any] = []
        for future in futures:
            error = future.exception()
            if error is not None and (raises or not isinstance(error, Exception)):
                pool.shutdown(cancel_futures=True)
                raise error
            results.append(error if error is not None else future.result())
    return results
