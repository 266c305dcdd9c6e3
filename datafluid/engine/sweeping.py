"""Asking a store what it holds: one level, or everything below a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from datafluid.engine.understore.keys import can_name
from datafluid.engine.understore.port import Listing, ObjectInfo, UnderStore
from datafluid.errors import Unavailable

__all__ = ["Between", "Levels", "by_directory", "by_page", "is_directory", "level", "nameable"]


def nameable(store: UnderStore, listing: Listing) -> Listing:
    """Without the keys that no path can name. What is a file and a directory is a directory: so less is lost."""
    wanted = can_name(store)
    prefixes = tuple(prefix for prefix in listing.prefixes if wanted(prefix))
    taken = frozenset(prefixes)
    objects = tuple(info for info in listing.objects if info.key not in taken and wanted(info.key))
    return Listing(objects=objects, prefixes=prefixes)


def level(store: UnderStore, key: str) -> Listing:
    """One level below ``key``; where a store that is gone would look like an empty one, it is told."""
    listing = store.list(key)
    is_there = getattr(store, "is_there", None)
    if not listing.objects and not listing.prefixes and is_there is not None and not is_there():
        raise Unavailable(f"{store.display_url} is not there.", hint="Is the disk mounted?")
    return listing


def is_directory(store: UnderStore, key: str) -> bool:
    check = getattr(store, "is_directory", None)
    return bool(check is None or check(key))


Between = Callable[[], None]
Levels = dict[str, tuple[list[ObjectInfo], set[str]]]


def by_directory(store: UnderStore, top: str, levels: Levels, between: Between) -> Iterator[ObjectInfo]:
    """All objects, one directory after the other: only so are empty directories seen."""
    wanted = can_name(store)
    waiting = [top]
    while waiting:
        between()
        path = waiting.pop()
        listing = level(store, path)
        levels[path] = (list(listing.objects), set(listing.prefixes))
        waiting += [prefix for prefix in reversed(listing.prefixes) if wanted(prefix)]
        yield from listing.objects


def by_page(store: UnderStore, top: str, levels: Levels, between: Between) -> Iterator[ObjectInfo]:
    """All objects, in as few requests as the store allows."""
    wanted = can_name(store)
    for info in _without_markers(_paged(store, top, between)):
        if wanted(info.key):
            _place(levels, top, info)
        yield info


def _paged(store: UnderStore, top: str, between: Between) -> Iterator[ObjectInfo]:
    for page in store.walk(top):
        between()
        yield from page


def _without_markers(found: Iterable[ObjectInfo]) -> Iterator[ObjectInfo]:
    """Leave out what stands for a directory: an empty object that is followed by what lies in it."""
    held: ObjectInfo | None = None
    for info in found:
        if held is not None and not info.key.startswith(f"{held.key}/"):
            yield held
        held = info if info.size == 0 else None
        if held is None:
            yield info
    if held is not None:
        yield held


def _place(levels: Levels, top: str, info: ObjectInfo) -> None:
    parent = info.key.rpartition("/")[0]
    if parent not in levels:
        levels[parent] = ([], set())
        path = parent
        while path != top:
            above = path.rpartition("/")[0]
            known = above in levels
            levels.setdefault(above, ([], set()))[1].add(path)
            if known:
                break
            path = above
    levels[parent][0].append(info)
