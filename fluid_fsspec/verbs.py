"""The verbs beyond fsspec's contract, after Hadoop's FileSystem: where bytes are, and what a path can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fluid_fsspec import paths, routes
from fluid_fsspec.base import Rooted

if TYPE_CHECKING:
    from fluid_fsspec.explaining import Explanation
    from fluid_fsspec.locality import BlockLocation, ContentSummary, FileChecksum

__all__ = ["Verbs"]


class Verbs(Rooted):
    """Mixed into `fluid_fsspec.FluidFileSystem`."""

    def explain(self, path: str) -> Explanation:
        """Say which way a read of ``path`` goes, why not the ways before it, and what that costs.

        Returns:
            An explanation; print it, or let a notebook show it.

        Raises:
            NotFound: nothing is there.
        """
        from fluid_fsspec.explaining import explain

        path = self._strip_protocol(path)
        tree, below = self._locate(path)
        place = routes.mount_point(self.context, *paths.split(path)[:2])
        return explain(tree, below, url=paths.url(path), mount_point=place)

    def local_path(self, path: str) -> str | None:
        """Where the complete file is on this machine; None when it is not: then read it, or load it first.

        The file must not be changed. It may be evicted: open it at once, or pin it (``datafluid cache pin``).

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        tree, below = self._locate(path)
        local = tree.local(below)
        return None if local is None else local.path

    def block_locations(self, path: str, start: int = 0, length: int | None = None) -> list[BlockLocation]:
        """Where the bytes of a file are (Hadoop's ``getFileBlockLocations``).

        Args:
            start: The first byte that matters.
            length: How many matter; None: all of the rest.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        from fluid_fsspec.locality import locations

        return locations(*self._locate(path), start, length)

    def content_summary(self, path: str) -> ContentSummary:
        """Count files, directories, bytes and cached bytes below ``path`` (Hadoop's ``getContentSummary``).

        Raises:
            NotFound: nothing is there.
        """
        from fluid_fsspec.locality import summarise

        return summarise(*self._locate(path))

    def file_checksum(self, path: str) -> FileChecksum:
        """What identifies the content of a file (Hadoop's ``getFileChecksum``): the under-store's own version tag.

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        from datafluid.errors import IsADirectory
        from fluid_fsspec.locality import FileChecksum

        tree, below = self._locate(path)
        entry = tree.info(below)
        if entry.type == "directory":
            raise IsADirectory(f"{paths.url(path)} is a directory.", hint="Name a file in it.")
        return FileChecksum(algorithm="version", value=entry.version)

    def glob_status(self, pattern: str) -> list[dict[str, Any]]:
        """Entries, as of `info`, of everything that matches a pattern, in name order; empty when nothing does."""
        found: dict[str, dict[str, Any]] = self.glob(pattern, detail=True)
        return [found[name] for name in sorted(found)]

    def path_capabilities(self, path: str) -> dict[str, bool]:
        """What can be done at a path; true only where it is.

        Returns:
            ``read``; ``write``; ``append`` (by writing the file anew); ``create_exclusive``; ``atomic_rename``;
            ``real_directories`` (empty ones can exist).
        """
        tree, below = self._locate(path)
        can = tree.can(below)
        write = can["write"]
        return {
            "read": True,
            "write": write,
            "append": write,
            "create_exclusive": write,
            "atomic_rename": write and can["atomic_move"],
            "real_directories": can["real_directories"],
        }

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several ``(start, end)`` ranges of one file; what is missing is fetched in parallel (Hadoop's vectored read).

        Raises:
            NotFound, IsADirectory: there is no such file.
        """
        tree, below = self._locate(path)
        return tree.read_ranges(below, ranges)
