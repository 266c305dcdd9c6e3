"""The whole cache at one moment, as ``client.cache.status()`` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.engine.cache.upkeep import Usage

__all__ = ["CacheStatus", "DatasetUsage", "TierUsage", "by_dataset", "by_tier"]


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


def by_tier(rows: list[Usage], names: Mapping[str, str]) -> tuple[TierUsage, ...]:
    """Usage by tier. ``names``: each dataset's ``namespace/name`` by its uid."""
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


def by_dataset(rows: list[Usage], names: Mapping[str, str]) -> tuple[DatasetUsage, ...]:
    """Usage by dataset. ``names``: each dataset's ``namespace/name`` by its uid."""
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
