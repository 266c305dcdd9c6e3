"""The cache of this machine, for people and programs that look after it: ``client.cache``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datafluid.errors import Invalid
from datafluid.model.uri import FluidURI

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.engine.cache.store import CacheStore
    from datafluid.engine.cache.upkeep import Removed, Selection, Usage

__all__ = ["CacheAdmin", "CacheStatus", "DatasetUsage", "TierUsage"]

_USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class TierUsage:
    """One directory of the cache.

    Args:
        medium: ``MEM``, ``SSD`` or ``HDD``.
        path: Where it is.
        dataset: Whose it is, ``namespace/name``; "" for the default cache, which all datasets share.
        quota: Bytes it may hold.
        used: Bytes on disk.
        files: Cached files, partial ones included.
    """

    medium: str
    path: str
    dataset: str
    quota: int
    used: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetUsage:
    """What one dataset has in the cache.

    Args:
        dataset: ``namespace/name``; None for files of datasets that are gone.
        files: Cached files, partial ones included.
        partial: Files that are there in part.
        used: Bytes on disk.
        pinned: Files that are never evicted.
    """

    dataset: str | None
    files: int
    partial: int
    used: int
    pinned: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStatus:
    """The whole cache at one moment.

    Args:
        metrics: Counters since the cache was made: hits, misses, bytes by tier and route, evictions.
        pins: How many files each owner holds: ``user``, or an export.
    """

    tiers: tuple[TierUsage, ...]
    datasets: tuple[DatasetUsage, ...]
    metrics: Mapping[str, int] = field(default_factory=dict)
    pins: Mapping[str, int] = field(default_factory=dict)


class CacheAdmin:
    """The cache that a client's plane keeps on this machine. Made by `Client.cache`.

    Example:
        >>> import datafluid
        >>> datafluid.connect().cache.status().datasets
        ()
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def status(self) -> CacheStatus:
        """What is cached, by tier and by dataset, and the counters."""
        from datafluid.engine.cache import upkeep

        rows = upkeep.usage(self.store)
        names = {each.manifest["metadata"]["uid"]: str(each.uri.bare) for each in self._client.datasets()}
        return CacheStatus(
            tiers=_by_tier(rows, names),
            datasets=_by_dataset(rows, names),
            metrics=upkeep.metrics(self.store),
            pins=upkeep.pinned(self.store),
        )

    def evict(self, place: str | FluidURI) -> Removed:
        """Remove the cached files of a dataset, or of what is below a path; what is pinned stays.

        Raises:
            NotFound: there is no such dataset.
        """
        from datafluid.engine.cache import upkeep

        return upkeep.evict(self.store, self._selection(place))

    def clear(self, *, pinned: bool = False) -> Removed:
        """Remove everything, files of datasets that are gone included.

        Args:
            pinned: Also what is pinned.
        """
        from datafluid.engine.cache import upkeep

        return upkeep.evict(self.store, upkeep.Selection(), pinned_too=pinned)

    def pin(self, place: str | FluidURI) -> tuple[int, int]:
        """Keep the complete files of a dataset, or below a path, from being evicted.

        Returns:
            How many files are pinned, and how many are not because they are not cached completely.
        """
        from datafluid.engine.cache import upkeep

        contents, absent = self._contents(place)
        upkeep.pin(self.store, _USER, contents)
        return len(contents), absent

    def unpin(self, place: str | FluidURI) -> None:
        """Undo `pin`; what an export holds stays pinned until the export is removed."""
        from datafluid.engine.cache import upkeep

        selection = self._selection(place)
        upkeep.unpin(self.store, _USER, selection.contents or self._contents(place)[0])

    def verify(
        self,
        place: str | FluidURI | None = None,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[str]:
        """Read complete files again and compare them with their checksums; None means all of them.

        Args:
            progress: Told the bytes read so far, and in all.

        Returns:
            The paths of damaged files; they are removed, and the next read fetches them again.
        """
        from datafluid.engine.cache import upkeep

        selection = upkeep.Selection() if place is None else self._selection(place)
        return upkeep.verify(self.store, selection, progress=progress)

    @property
    def store(self) -> CacheStore:
        """The engine's cache store, for what is not offered here.

        Raises:
            Unsupported: the plane keeps no cache on this machine.
        """
        from datafluid.engine.cache.store import open_cache

        return open_cache(self._client.embedded("keeps no cache on this machine").home)

    def _selection(self, place: str | FluidURI) -> Selection:
        from datafluid.engine.cache.upkeep import Selection

        uri = self._uri(place)
        if uri.path:
            return Selection(contents=self._contents(uri)[0])
        volume = self._client.volume(uri.namespace, uri.dataset)
        return Selection(origins={mount.origin for mount in volume.binding.mounts})

    def _contents(self, place: str | FluidURI) -> tuple[set[bytes], int]:
        """The complete files below a place, and how many more there are that are not complete."""
        from datafluid.engine.cache.upkeep import content_of

        uri = self._uri(place)
        volume = self._client.volume(uri.namespace, uri.dataset)
        contents, absent = set(), 0
        for entry in volume.walk(uri.path):
            if entry.type != "file":
                continue
            content = content_of(volume.local_path(entry.path) or "")
            if content is None:
                absent += 1
            else:
                contents.add(content)
        return contents, absent

    def _uri(self, place: str | FluidURI) -> FluidURI:
        uri = place if isinstance(place, FluidURI) else FluidURI.parse(place)
        if not uri.dataset:
            raise Invalid(f"{place!r} names no dataset.", hint="Write NAMESPACE/DATASET.")
        return uri.in_namespace(self._client.context.namespace)


def _by_tier(rows: list[Usage], names: Mapping[str, str]) -> tuple[TierUsage, ...]:
    keys = dict.fromkeys((row.medium, row.path, row.account, row.quota) for row in rows)
    return tuple(
        TierUsage(
            medium=medium,
            path=path,
            dataset=names.get(account, account),
            quota=quota,
            used=sum(row.allocated for row in rows if (row.path, row.account) == (path, account)),
            files=sum(row.files for row in rows if (row.path, row.account) == (path, account)),
        )
        for medium, path, account, quota in keys
    )


def _by_dataset(rows: list[Usage], names: Mapping[str, str]) -> tuple[DatasetUsage, ...]:
    groups: dict[str | None, list[Usage]] = {}
    for row in rows:
        if row.files:
            groups.setdefault(names.get(row.origin.partition("/")[0]), []).append(row)
    return tuple(
        DatasetUsage(
            dataset=name,
            files=sum(row.files for row in group),
            partial=sum(row.partial for row in group),
            used=sum(row.allocated for row in group),
            pinned=sum(row.pinned for row in group),
        )
        for name, group in sorted(groups.items(), key=lambda item: item[0] or "")
    )
