"""Opening files and reading whole ones, slices and ranges."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal, TypeVar

from datafluid.errors import AlreadyExists, StaleVersion, Unsupported
from fluid_fsspec import paths
from fluid_fsspec.base import Rooted

__all__ = ["Opening"]

_CHANGES = 3  # an object may change again while it is read anew, but hardly so often
_T = TypeVar("_T")


class Opening(Rooted):
    """Mixed into `fluid_fsspec.FluidFileSystem`."""

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
            from fluid_fsspec.writing import TextFile

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
        from fluid_fsspec.reading import open_to_read
        from fluid_fsspec.writing import WriteFile

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

        from fluid_fsspec.writing import CompressedFile

        codec = get_compression(path, compression)
        target = self.open(path, mode)
        return target if codec is None else CompressedFile(compr[codec](target, mode=mode[0]), target)

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """The bytes of a file, or of the slice ``[start:end]``, with Python's rules for slices."""
        (data,) = self._slices(self._strip_protocol(path), [(start, end)])
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
        def read() -> list[bytes]:
            with self._open(path) as file:
                ranges = [slice(start, end).indices(file.size)[:2] for start, end in slices]
                file.prefetch(ranges)
                return [file.pread(first, last) for first, last in ranges]

        return _of_one_version(path, read)

    def get_file(self, rpath: str, lpath: Any = None, *arguments: Any, **kwargs: Any) -> Any:
        """Copy a file to this machine; begun anew when it changes meanwhile, unless it goes into an open file."""

        def copy() -> Any:
            return super(Opening, self).get_file(rpath, lpath, *arguments, **kwargs)

        restartable = isinstance(lpath, str | os.PathLike) and not kwargs.get("outfile")
        return _of_one_version(rpath, copy) if restartable else copy()

    def to_arrow(self) -> Any:
        """A `pyarrow.fs.FileSystem` whose files on a cache hit are Arrow's own: Python is not on their way.

        Raises:
            ImportError: pyarrow is not installed.
        """
        from fluid_fsspec.arrow import arrow_filesystem

        return arrow_filesystem(self)


def _of_one_version(path: str, read: Callable[[], _T]) -> _T:
    """Read a file, anew when it turns out that it has changed."""
    for _ in range(_CHANGES):
        with suppress(StaleVersion):
            return read()
    raise StaleVersion(f"{paths.url(path)} changes again and again.", hint="Read it when it has come to rest.")


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
