"""From a runtime's tieredstore to directories with quotas on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datafluid.engine.binding import TierBinding
from datafluid.errors import Invalid

__all__ = ["Machine", "Tiers", "bind_tiers", "wanted_paths"]

_ORDER = {"MEM": 0, "SSD": 1, "HDD": 2}
_DEFAULT_SHARE = 0.2  # of the free disk
_DEFAULT_CAP = 100 << 30
_DEFAULT_FLOOR = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was observed of this machine.

    Args:
        cache: The directory of the default tier.
        memory: A directory in memory, for levels that name none.
        free: Bytes free for the default tier.
        unusable: Paths of tiers that cannot be used here, with the reason.
        quantity: Reads a Kubernetes quantity as bytes.
    """

    cache: str
    memory: str
    free: int
    quantity: Callable[[str | int], int]
    unusable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The directories of a dataset's cache.

    Args:
        moved: What could not be placed where the runtime wants it, one sentence each.
        is_default: No runtime says how the cache shall be.
    """

    bindings: tuple[TierBinding, ...]
    moved: tuple[str, ...] = ()
    is_default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    medium: str
    path: str  # "" where the manifest leaves the place to the platform
    quota: int
    high: float
    low: float


def bind_tiers(
    runtime: Mapping[str, Any] | None, machine: Machine, stored: Sequence[TierBinding] = (), *, account: str = ""
) -> Tiers:
    """The tiers of a runtime, or the default one where it has none.

    The default is a share of the free disk, found once: it does not move with the free space afterwards.

    Args:
        stored: The tiers that the dataset has now.
        account: Whose quota the runtime's levels are; the default cache is shared by all who have no runtime.
    """
    levels = sorted(_levels(runtime, machine.quantity), key=lambda level: _ORDER.get(level.medium, 2))
    if not levels:
        kept = tuple(tier for tier in stored if tier.path == machine.cache and not tier.account)[:1]
        return Tiers(bindings=kept or (_default(machine),), is_default=True)
    moved = tuple(
        f"the cache is in {_place(level, machine)} rather than in {level.path}: {machine.unusable[level.path]}"
        for level in levels
        if level.path in machine.unusable
    )
    return Tiers(bindings=tuple(_bound(levels, machine, account)), moved=moved)


def wanted_paths(runtime: Mapping[str, Any] | None) -> list[str]:
    """The directories that a runtime names, whether or not they can be used here."""
    return [level.path for level in _levels(runtime, lambda text: 0) if level.path]


def _bound(levels: Sequence[_Level], machine: Machine, account: str) -> Iterator[TierBinding]:
    """One binding a directory: levels that end up in the same place are one, with the sum of their quotas."""
    places: dict[str, TierBinding] = {}
    for level in levels:
        path = _place(level, machine)
        before = places.get(path)
        quota = level.quota + (before.quota if before else 0)
        medium = before.medium if before else level.medium
        places[path] = TierBinding(
            medium=medium, path=path, quota=quota, high=level.high, low=level.low, account=account
        )
    yield from places.values()


def _place(level: _Level, machine: Machine) -> str:
    if level.path and level.path not in machine.unusable:
        return level.path
    return machine.memory if level.medium == "MEM" and not level.path else machine.cache


def _default(machine: Machine) -> TierBinding:
    quota = max(_DEFAULT_FLOOR, min(_DEFAULT_CAP, int(machine.free * _DEFAULT_SHARE)))
    return TierBinding(medium="SSD", path=machine.cache, quota=quota)


def _levels(runtime: Mapping[str, Any] | None, quantity: Callable[[str | int], int]) -> Iterator[_Level]:
    spec = (runtime or {}).get("spec") or {}
    if (runtime or {}).get("kind") == "CacheRuntime":
        for part in ("worker", "client"):
            levels = ((spec.get(part) or {}).get("tieredStore") or {}).get("levels") or ()
            if levels:
                for level in levels:
                    yield from _cache_runtime_level(level, quantity)
                return
        return
    for level in (spec.get("tieredstore") or {}).get("levels") or ():
        yield from _level(level, quantity)


def _level(level: Mapping[str, Any], quantity: Callable[[str | int], int]) -> Iterator[_Level]:
    """`path` and `quotaList` are lists with commas; one `quota` is divided among the paths, as Fluid does it."""
    in_pod = level.get("volumeType") == "emptyDir"
    paths = [""] if in_pod else _split(level.get("path")) or [""]
    listed = _split(level.get("quotaList"))
    if listed:
        quotas = [quantity(text) for text in listed]
    elif level.get("quota"):
        quotas = [quantity(level["quota"]) // len(paths)] * len(paths)
    else:
        raise Invalid("either quota or quotaList must be set", hint="Give the level of the cache a quota.")
    for path, quota in zip(paths, quotas, strict=False):
        yield _made(level, level["mediumtype"], path, quota)


def _cache_runtime_level(level: Mapping[str, Any], quantity: Callable[[str | int], int]) -> Iterator[_Level]:
    if host := level.get("hostPath"):
        for path, quota in zip(host["paths"], host["quotas"], strict=False):
            yield _made(level, "SSD", path, quantity(quota))
    elif empty := level.get("emptyDir"):
        medium = "MEM" if empty.get("medium") == "Memory" else "SSD"
        yield _made(level, medium, "", quantity(empty["quota"]))
    elif memory := level.get("processMemory"):
        yield _made(level, "MEM", "", quantity(memory["quota"]))


def _made(level: Mapping[str, Any], medium: str, path: str, quota: int) -> _Level:
    high, low = float(level.get("high") or 0.95), float(level.get("low") or 0.7)
    return _Level(medium=medium, path=path.rstrip("/") or path, quota=quota, high=high, low=low)


def _split(text: Any) -> list[str]:
    return [part.strip() for part in str(text or "").split(",") if part.strip()]
