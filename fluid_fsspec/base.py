"""What every part of the filesystem stands on: its arguments, its paths, and the tree that a path lies in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from fsspec.spec import AbstractFileSystem
from fsspec.utils import stringify_path

from datafluid.errors import IsADirectory
from fluid_fsspec import paths, routes

if TYPE_CHECKING:
    from fluid_fsspec.tree import Tree

__all__ = ["Rooted"]


class Rooted(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Arguments and paths; see `fluid_fsspec.FluidFileSystem`."""

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

    def _copy_into(self, path: str, target: Any) -> None:
        from shutil import copyfileobj

        with self.open(path, "rb") as source:
            copyfileobj(source, target, 1 << 20)
