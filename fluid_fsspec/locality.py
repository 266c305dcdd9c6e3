"""Where the bytes of files are and how many there are, as Hadoop's FileSystem tells it."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.engine.mounted import Block, Entry
    from fluid_fsspec.tree import Tree

__all__ = ["BlockLocation", "ContentSummary", "FileChecksum", "locations", "summarise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockLocation:
    """A range of a file and where its bytes are.

    Args:
        offset: Where it starts.
        length: Bytes.
        hosts: Machines that have it; empty when only the under-store has it.
        tier: The medium it is cached on, here or on a cluster's workers: ``MEM``, ``SSD``, ``HDD``; ``partial`` in a
            file that is not complete, ``under-store`` when the under-store is a directory of this machine; None when
            it is not cached.

    Example:
        >>> BlockLocation(offset=0, length=1024, hosts=("laptop",), tier="SSD").cached
        True
    """

    offset: int
    length: int
    hosts: tuple[str, ...]
    tier: str | None

    @property
    def cached(self) -> bool:
        """Whether reading it needs no under-store."""
        return self.tier is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSummary:
    """What is below a place: numbers of files and directories, bytes, and how many of them are cached here.

    ``cached`` is None where that cannot be known.

    Example:
        >>> summary = ContentSummary(files=2, directories=1, bytes=2048, cached=1024)
        >>> summary.cached / summary.bytes
        0.5
    """

    files: int
    directories: int
    bytes: int
    cached: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChecksum:
    """What identifies the content of a file: ``algorithm`` is ``version``, and ``value`` the store's own tag.

    Example:
        >>> FileChecksum(algorithm="version", value="1") == FileChecksum(algorithm="version", value="2")
        False
    """

    algorithm: str
    value: str


def locations(tree: Tree, below: str, start: int, length: int | None) -> list[BlockLocation]:
    """Where the bytes of a file are."""
    return [
        BlockLocation(offset=block.start, length=block.length, hosts=_hosts(block), tier=block.tier)
        for block in tree.blocks(below, start, length)
    ]


def _hosts(block: Block) -> tuple[str, ...]:
    if block.hosts is not None:
        return block.hosts
    return () if block.tier is None else (socket.gethostname(),)


def summarise(tree: Tree, below: str) -> ContentSummary:
    """Count what is below a place; a file counts itself."""
    entry = tree.info(below)
    files = [entry] if entry.type == "file" else list(tree.walk(below))
    return ContentSummary(
        files=len(files),
        directories=len(_directories(files, below)) if entry.type == "directory" else 0,
        bytes=sum(file.size for file in files),
        cached=tree.cached_bytes(files),
    )


def _directories(files: list[Entry], top: str) -> set[str]:
    """The directories between ``top`` and some files below it, without ``top``."""
    found: set[str] = set()
    for file in files:
        parent = file.path.rpartition("/")[0]
        while parent not in found and parent != top and len(parent) > len(top):
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found
