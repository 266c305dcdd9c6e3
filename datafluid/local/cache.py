"""The cache of this machine, for people and programs that look after it: ``client.cache``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from datafluid.errors import Invalid
from datafluid.local.cache_status import CacheStatus, by_dataset, by_tier
from datafluid.model.ref import Ref
from datafluid.model.uri import FluidURI

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.engine.archive.packing import Packed
    from datafluid.engine.archive.unpacking import Unpacked
    from datafluid.engine.cache.store import CacheStore
    from datafluid.engine.cache.upkeep import Removed, Selection

__all__ = ["CacheAdmin"]

_USER = "user"


def _silent(done: int, total: int) -> None:
    """Nobody wants to know."""


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
            tiers=by_tier(rows, names),
            datasets=by_dataset(rows, names),
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
        progress: Callable[[int, int], None] = _silent,
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

    def pack(
        self,
        file: str | Path,
        datasets: Sequence[str | FluidURI] = (),
        *,
        progress: Callable[[int, int], None] = _silent,
    ) -> Packed:
        """Write what is declared and cached into one file, for a home without a link to the stores.

        Values of secrets are not in it; what is cached in part, and operations that run once, stay behind. No
        under-store is asked, so it works without a link, too.

        Args:
            file: Where; one that exists is replaced when the new one is whole.
            datasets: These, with what belongs to them; none means everything.
            progress: Told the bytes packed so far, and in all.

        Raises:
            NotFound: there is no such dataset.
            CacheFull: the disk is full.
        """
        from datafluid.engine.archive.packing import pack

        refs = [Ref("Dataset", uri.dataset, uri.namespace) for uri in map(self._uri, datasets)]
        registry = self._client.embedded("keeps no cache on this machine").registry
        return pack(registry, self.store, refs, Path(file), progress)

    def unpack(self, file: str | Path, *, progress: Callable[[int, int], None] = _silent) -> Unpacked:
        """Declare and cache what is in a file that `pack` wrote; every byte is checked before it is written.

        A file is cached whole or not at all, and what is cached already is passed over: one that was interrupted
        is unpacked again. Read it where ``offline: serve-stale`` holds when the stores are out of reach.

        Args:
            progress: Told the bytes that are behind, and in all.

        Raises:
            Corrupt: the file is damaged, or not ours; cached files that were sound stay.
            Conflict: something is declared otherwise here; nothing was changed.
            CacheFull: there is no room.
        """
        from datafluid.engine.archive.unpacking import unpack

        return unpack(self._client.embedded("keeps no cache on this machine").home, Path(file), progress)

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
