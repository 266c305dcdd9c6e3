"""Whether a node's disks can hold the tiers of a cache, by what its agent told."""

from __future__ import annotations

from collections.abc import Iterable

from datafluid.model.node_report import NodeReport
from datafluid.model.tiers import TierLevel

__all__ = ["can_hold", "headroom"]

_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # where Fluid puts a MEM level that names no path


def can_hold(report: NodeReport | None, levels: Iterable[TierLevel]) -> bool | None:
    """Whether every level finds its quota free on the disk under it; None when nobody knows.

    Levels on one disk need the sum. A level inside a pod is not looked for: it lies wherever the kubelet keeps pods.

    Example:
        >>> can_hold(None, [TierLevel(medium="SSD", path="/mnt/ssd", quota=1)]) is None
        True
    """
    left = headroom(report, levels)
    return None if left is None else left >= 0


def headroom(report: NodeReport | None, levels: Iterable[TierLevel]) -> float | None:
    """What the fullest disk would have left, as a fraction of it; below 0 it cannot hold them. None: unknown."""
    placed = [(level, level.path or _default(level)) for level in levels]
    placed = [(level, path) for level, path in placed if path]
    if not placed:
        return 1.0
    if report is None:
        return None
    needed: dict[str, int] = {}
    disks = {disk.device: disk for disk in report.disks}
    for level, path in placed:
        disk = report.disk_under(path)
        if disk is None:
            return None
        needed[disk.device] = needed.get(disk.device, 0) + level.quota
    return min((disks[device].free - size) / max(1, disks[device].capacity) for device, size in needed.items())


def _default(level: TierLevel) -> str:
    return _SHARED_MEMORY if level.medium == "MEM" else ""
