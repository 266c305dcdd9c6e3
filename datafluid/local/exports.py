"""Loaded datasets as directories of links, pinned in the cache while they exist."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from datafluid.errors import Unavailable

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.engine.export import Exported
    from datafluid.handles import DatasetHandle

__all__ = ["export", "unexport"]


def export(client: Client, dataset: DatasetHandle, directory: str | Path | None = None) -> Exported:
    """Behind `DatasetHandle.export`."""
    from datafluid.engine.cache import upkeep
    from datafluid.engine.export import export_links

    volume, store = dataset.volume(), client.cache.store
    place = _place(client, dataset, directory)
    targets = {entry.path: volume.local_path(entry.path) for entry in volume.walk("") if entry.type == "file"}
    local = {path: target for path, target in targets.items() if target is not None}
    _need_all(dataset, len(targets), len(local))
    owner = _owner(dataset, place)
    contents = {content for target in local.values() if (content := upkeep.content_of(target)) is not None}
    is_new = owner not in upkeep.pinned(store)
    upkeep.pin(store, owner, contents)
    try:
        _need_all(dataset, len(local), sum(map(os.path.exists, local.values())))  # pinned now: none goes any more
        done = export_links(dataset.uri.bare, local, place)
    except BaseException:
        if is_new:
            upkeep.unpin(store, owner)
        raise
    gone = {upkeep.content_of(target) for target in done.dropped} - contents
    upkeep.unpin(store, owner, [content for content in gone if content is not None])
    return done


def unexport(client: Client, dataset: DatasetHandle, directory: str | Path | None = None) -> None:
    """Behind `DatasetHandle.unexport`."""
    from datafluid.engine.cache import upkeep
    from datafluid.engine.export import remove_links

    place = _place(client, dataset, directory)
    remove_links(dataset.uri.bare, place)
    upkeep.unpin(client.cache.store, _owner(dataset, place))


def _place(client: Client, dataset: DatasetHandle, directory: str | Path | None) -> str:
    if directory is None:
        home = client.cache.store.home.path
        return str(home / "exports" / dataset.namespace / dataset.name)
    return os.path.abspath(directory)


def _owner(dataset: DatasetHandle, place: str) -> str:
    return f"export:{dataset.uri.bare}:{place}"


def _need_all(dataset: DatasetHandle, files: int, cached: int) -> None:
    if cached < files:
        raise Unavailable(
            f"{files - cached} of {files} files of {dataset.uri.bare} are not cached.",
            hint=f"Run `datafluid load {dataset.uri.bare} --wait` first.",
        )
