"""What a route gives for one dataset: a tree of files. The embedded engine's `Volume` is one, a mount another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import io

    from datafluid.engine.editing import Writer
    from datafluid.engine.mounted import Block, Entry, Local
    from datafluid.engine.reader import Reader

__all__ = ["Tree"]


class Tree(Protocol):
    """The files of one dataset. Paths are relative to it; every error is one of `datafluid.errors`."""

    def local(self, path: str) -> Local | None:
        """The complete local file, or None when it must be fetched. Raises NotFound and IsADirectory."""

    def open_local(self, path: str) -> io.FileIO | None:
        """Open the complete local file, checked to be the one; None when it must be fetched."""

    def open(self, path: str) -> Reader:
        """Read a file that is not complete on this machine."""

    def info(self, path: str) -> Entry:
        """What is at ``path``; raises NotFound."""

    def ls(self, path: str) -> list[Entry]:
        """One level; raises NotFound and NotADirectory."""

    def walk(self, path: str) -> Iterator[Entry]:
        """All files below, in as few requests as the store allows."""

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several ``(start, end)`` ranges, in parallel where they must be fetched."""

    def blocks(self, path: str, start: int = 0, length: int | None = None) -> list[Block]:
        """Where the bytes of a file are."""

    def cached_bytes(self, entries: Iterable[Entry]) -> int | None:
        """How many bytes of some files are cached; None where that cannot be known."""

    def refresh(self, path: str = "") -> None:
        """Ask the store again about everything below ``path``."""

    def as_of(self, path: str) -> float | None:
        """When what is known of ``path`` was true."""

    def can(self, path: str) -> dict[str, bool]:
        """What the store below ``path`` can do."""

    def check_writable(self, path: str) -> None:
        """Raise unless ``path`` may be written."""

    def create(self, path: str, *, exclusive: bool = False) -> Writer:
        """Write a file that appears when it is closed."""

    def put(self, path: str, source: Any, *, exclusive: bool = False) -> None:
        """Store what a binary file holds."""

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files."""

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> None:
        """Copy a file."""

    def move(self, source: str, target: str, *, overwrite: bool = True) -> None:
        """Rename a file."""

    def mkdir(self, path: str) -> None:
        """Make a directory, where there are such things."""

    def rmdir(self, path: str) -> None:
        """Remove an empty directory, where there are such things."""
