"""Walking a store that lists one directory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from datafluid.engine.understore.port import Listing, ObjectInfo

__all__ = ["walk_levels"]


class _Directories(Protocol):
    def stat(self, key: str) -> ObjectInfo: ...
    def list(self, prefix: str) -> Listing: ...
    def is_directory(self, key: str) -> bool: ...


def walk_levels(store: _Directories, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
    """All files below ``prefix``, a page a directory; a file is a page of its own."""
    if prefix and not store.is_directory(prefix):
        yield [store.stat(prefix)]
        return
    waiting = [prefix]
    while waiting:
        listing = store.list(waiting.pop())
        waiting += reversed(listing.prefixes)
        if listing.objects:
            yield listing.objects
