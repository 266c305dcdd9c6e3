"""Byte ranges as sorted, disjoint, half-open pairs ``(start, end)``. Pure."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Ranges", "add", "aligned", "coalesce", "covers", "missing", "total"]

Ranges = tuple[tuple[int, int], ...]


def coalesce(ranges: Iterable[tuple[int, int]], *, gap: int = 0) -> Ranges:
    """Sort and merge ranges that overlap, touch, or are at most ``gap`` bytes apart.

    Example:
        >>> coalesce([(5, 9), (0, 5), (20, 30)])
        ((0, 9), (20, 30))
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(r for r in ranges if r[0] < r[1]):
        if merged and start <= merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def add(have: Ranges, start: int, end: int) -> Ranges:
    """``have`` with one more range."""
    if have and have[-1][1] == start:  # the sequential case, which is nearly every case
        return (*have[:-1], (have[-1][0], end))
    return coalesce((*have, (start, end)))


def missing(have: Ranges, start: int, end: int) -> Ranges:
    """The parts of ``[start, end)`` that ``have`` does not cover.

    Example:
        >>> missing(((0, 4), (6, 8)), 2, 10)
        ((4, 6), (8, 10))
    """
    holes = []
    position = start
    for left, right in have:
        if right <= position:
            continue
        if left >= end:
            break
        if left > position:
            holes.append((position, left))
        position = right
    if position < end:
        holes.append((position, end))
    return tuple(holes)


def covers(have: Ranges, start: int, end: int) -> bool:
    """Whether ``have`` holds all of ``[start, end)``."""
    return not missing(have, start, end)


def aligned(start: int, end: int, *, unit: int, size: int) -> tuple[int, int]:
    """``[start, end)`` widened to multiples of ``unit``, within an object of ``size`` bytes.

    Example:
        >>> aligned(5, 12, unit=4, size=14)
        (4, 12)
        >>> aligned(5, 13, unit=4, size=14)
        (4, 14)
    """
    return start // unit * unit, min(-(-end // unit) * unit, size)


def total(ranges: Ranges) -> int:
    """How many bytes the ranges hold."""
    return sum(end - start for start, end in ranges)
