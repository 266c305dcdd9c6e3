"""The levels of a runtime's tiered cache, whatever its kind writes them like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import as_list, as_map
from datafluid.model.quantity import parse_quantity

__all__ = ["TierLevel", "tier_levels"]

_HIGH, _LOW = 0.95, 0.7


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLevel:
    """One directory of a runtime's cache on each of its nodes.

    Args:
        medium: ``MEM``, ``SSD`` or ``HDD``.
        path: On the node; "" where the manifest leaves the place to the platform, such as an emptyDir.
        quota: Bytes.
        high: Fraction of the quota at which eviction starts.
        low: Fraction of the quota at which it stops.
    """

    medium: str
    path: str
    quota: int
    high: float = _HIGH
    low: float = _LOW


def tier_levels(runtime: Mapping[str, Any] | None) -> list[TierLevel]:
    """The directories of a runtime's cache, with a quota each, in the manifest's order.

    Raises:
        Invalid: a level has no quota, or one that is no quantity.

    Example:
        >>> level = {"mediumtype": "SSD", "path": "/a,/b", "quota": "2Gi"}
        >>> [each.quota for each in tier_levels({"spec": {"tieredstore": {"levels": [level]}}})]
        [1073741824, 1073741824]
    """
    spec = as_map(as_map(runtime).get("spec"))
    if as_map(runtime).get("kind") != "CacheRuntime":
        return [each for level in _levels(spec, "tieredstore") for each in _level(level)]
    parts = (_levels(as_map(spec.get(part)), "tieredStore") for part in ("worker", "client"))
    return [each for level in next(filter(None, parts), ()) for each in _cache_runtime_level(level)]


def _levels(holder: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    return [as_map(level) for level in as_list(as_map(holder.get(field)).get("levels"))]


def _level(level: Mapping[str, Any]) -> Iterator[TierLevel]:
    """`path` and `quotaList` are lists with commas; one `quota` is divided among the paths, as Fluid does it."""
    in_pod = level.get("volumeType") == "emptyDir"
    paths = [""] if in_pod else _split(level.get("path")) or [""]
    listed = _split(level.get("quotaList"))
    if listed:
        quotas = [parse_quantity(text) for text in listed]
    elif level.get("quota"):
        quotas = [parse_quantity(level["quota"]) // len(paths)] * len(paths)
    else:
        raise Invalid("either quota or quotaList must be set", hint="Give the level of the cache a quota.")
    for path, quota in zip(paths, quotas, strict=False):
        yield _made(level, str(level.get("mediumtype")), path, quota)


def _cache_runtime_level(level: Mapping[str, Any]) -> Iterator[TierLevel]:
    if host := level.get("hostPath"):
        for path, quota in zip(as_list(host.get("paths")), as_list(host.get("quotas")), strict=False):
            yield _made(level, "SSD", str(path), parse_quantity(quota))
    elif empty := level.get("emptyDir"):
        medium = "MEM" if empty.get("medium") == "Memory" else "SSD"
        yield _made(level, medium, "", parse_quantity(empty["quota"]))
    elif memory := level.get("processMemory"):
        yield _made(level, "MEM", "", parse_quantity(memory["quota"]))


def _made(level: Mapping[str, Any], medium: str, path: str, quota: int) -> TierLevel:
    high, low = _fraction(level.get("high") or _HIGH), _fraction(level.get("low") or _LOW)
    return TierLevel(medium=medium, path=path.rstrip("/") or path, quota=quota, high=high, low=low)


def _fraction(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise Invalid(f"{str(value)[:50]!r} is no fraction of a quota.", hint='Write for example "0.95".') from None


def _split(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part.strip()]
