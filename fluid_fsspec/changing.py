"""Changing datasets whose accessModes allow it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, Literal

from fsspec.callbacks import DEFAULT_CALLBACK

from datafluid.errors import AlreadyExists, IsADirectory, NotADirectory, Unsupported
from fluid_fsspec import paths
from fluid_fsspec.base import Rooted

if TYPE_CHECKING:
    from fluid_fsspec.tree import Tree

__all__ = ["Changing"]


class Changing(Rooted):
    """Mixed into `fluid_fsspec.FluidFileSystem`."""

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
