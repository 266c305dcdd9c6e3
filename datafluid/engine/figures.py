"""How much of a dataset is cached, in Fluid's words."""

from __future__ import annotations

from datafluid.engine.binding import Binding
from datafluid.engine.home import Home
from datafluid.plane.port import Manifest

__all__ = ["cache_states"]


def cache_states(home: Home, binding: Binding, total: str | None) -> Manifest:
    """``status.cacheStates`` of a dataset; an unknown figure is "", never 0.

    Args:
        total: ``status.ufsTotal``, for the percentage.
    """
    from datafluid.engine.cache.store import open_cache
    from datafluid.engine.cache.upkeep import usage
    from datafluid.model.quantity import format_size, parse_size

    origins = {mount.origin for mount in binding.mounts}
    cached = sum(each.allocated for each in usage(open_cache(home)) if each.origin in origins)
    whole = parse_size(total) if total else None
    share = "" if whole is None else f"{min(1.0, cached / whole) if whole else 1.0:.1%}"
    return {
        "cached": format_size(cached),
        "cacheCapacity": format_size(sum(tier.quota for tier in binding.tiers)),
        "cachedPercentage": share,
        "cacheHitRatio": "",
        "localHitRatio": "",
        "remoteHitRatio": "",
        "cacheThroughputRatio": "",
        "localThroughputRatio": "",
        "remoteThroughputRatio": "",
    }
