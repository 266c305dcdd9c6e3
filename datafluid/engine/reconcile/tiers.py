"""From a runtime's tieredstore to directories with quotas on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datafluid.engine.binding import TierBinding
from datafluid.model.tiers import TierLevel, tier_levels

__all__ = ["DEFAULT_FLOOR", "Machine", "Tiers", "bind_tiers", "wanted_paths"]

_ORDER = {"MEM": 0, "SSD": 1, "HDD": 2}
_DEFAULT_SHARE = 0.2  # of the free disk
_DEFAULT_CAP = 100 << 30
DEFAULT_FLOOR = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What was observed of this machine.

    Args:
        cache: The directory of the default tier.
        memory: A directory in memory, for levels that name none.
        free: Bytes free for the default tier.
        unusable: Paths of tiers that cannot be used here, with the reason.
    """

    cache: str
    memory: str
    free: int
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


def bind_tiers(
    runtime: Mapping[str, Any] | None, machine: Machine, stored: Sequence[TierBinding] = (), *, account: str = ""
) -> Tiers:
    """The tiers of a runtime, or the default one where it has none.

    The default is a share of the free disk, found once: it does not move with the free space afterwards.

    Args:
        stored: The tiers that the dataset has now.
        account: Whose quota the runtime's levels are; the default cache is shared by all who have no runtime.
    """
    levels = sorted(tier_levels(runtime), key=lambda level: _ORDER.get(level.medium, 2))
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
    return [level.path for level in tier_levels(runtime) if level.path]


def _bound(levels: Sequence[TierLevel], machine: Machine, account: str) -> Iterator[TierBinding]:
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


def _place(level: TierLevel, machine: Machine) -> str:
    if level.path and level.path not in machine.unusable:
        return level.path
    return machine.memory if level.medium == "MEM" and not level.path else machine.cache


def _default(machine: Machine) -> TierBinding:
    quota = max(DEFAULT_FLOOR, min(_DEFAULT_CAP, int(machine.free * _DEFAULT_SHARE)))
    return TierBinding(medium="SSD", path=machine.cache, quota=quota)
