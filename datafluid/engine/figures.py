"""How much of a dataset is cached, in Fluid's words."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from datafluid.engine.binding import Binding
from datafluid.engine.home import Home
from datafluid.engine.reconcile.values import rfc3339
from datafluid.errors import CacheFull
from datafluid.plane.port import Manifest

__all__ = ["cache_states", "tier_states"]

#: Fluid's figures that have no meaning for one dataset here: reads are counted for the whole cache.
_NOT_COUNTED = (
    "cacheHitRatio",
    "localHitRatio",
    "remoteHitRatio",
    "cacheThroughputRatio",
    "localThroughputRatio",
    "remoteThroughputRatio",
)


def cache_states(home: Home, binding: Binding, total: str | None) -> Manifest:
    """``status.cacheStates`` of a dataset; a figure that is not known is "", never 0.

    A reference to a sub directory shares its physical dataset's files, and what is cached of them is only known
    for all of them: there the figures are unknown.

    Args:
        total: ``status.ufsTotal``, for the percentage.
    """
    from datafluid.engine.cache.store import open_cache
    from datafluid.engine.cache.upkeep import cached_bytes
    from datafluid.model.quantity import format_percent, format_size, parse_size

    whole = parse_size(total) if total else None
    states = {
        "cached": "",
        "cacheCapacity": format_size(sum(tier.quota for tier in binding.tiers)),
        "cachedPercentage": "",
        **dict.fromkeys(_NOT_COUNTED, ""),
        "asOf": rfc3339(time.time()),
    }
    if not any(mount.prefix for mount in binding.mounts):
        with suppress(CacheFull):  # a full disk keeps the index shut: not known is not 0
            cached = cached_bytes(open_cache(home), {mount.origin for mount in binding.mounts})
            states["cached"] = format_size(cached)
            if whole is not None:
                states["cachedPercentage"] = format_percent(_fraction(cached, whole))
    return states


def tier_states(binding: Binding) -> list[Manifest]:
    """``status.tiers`` of a dataset: each directory of its cache, and the disk under it; what is not known is ""."""
    from datafluid.agent import Tier, survey
    from datafluid.model.quantity import format_size

    tiers = [Tier(path=tier.path, medium=tier.medium, quota=tier.quota, used=0) for tier in binding.tiers]
    report = survey("", now=datetime.now(UTC), tiers=tiers)
    disks = {disk.device: disk for disk in report.disks}
    return [
        {
            "mediumtype": tier.medium,
            "path": tier.path,
            "quota": format_size(tier.quota or 0),
            "disk": disk.mounts[0] if disk else "",
            "diskMedium": disk.medium if disk else "",
            "diskCapacity": format_size(disk.capacity) if disk else "",
            "diskFree": format_size(disk.free) if disk else "",
        }
        for tier in report.tiers
        for disk in [disks.get(tier.device)]
    ]


def _fraction(cached: int, whole: int) -> float:
    """Rounded down: 100.0% means all of it. ``whole`` comes from a text of two decimals, so it is rounded itself."""
    if cached >= whole * 0.9999:
        return 1.0
    return int(cached / whole * 1000) / 1000
