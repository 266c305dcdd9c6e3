"""The disks under the mount table: medium, capacity, free space."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from datafluid.agent.mounts import Mount
from datafluid.model.node_report import Disk

__all__ = ["find_disks", "is_elsewhere", "medium_of"]

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_IMAGES = frozenset({"squashfs", "iso9660", "erofs", "udf"})  # full by nature, and never a cache
_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gpfs", "glusterfs", "9p", "beegfs", "afs"})
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # looked at, not used
_PODS = "/var/lib/kubelet/pods/"
_MOST_MOUNTS = 8


def find_disks(mounts: Sequence[Mount], *, root: str, sys: str, wanted: Collection[str] = ()) -> list[Disk]:
    """Every filesystem of this node's own, once each.

    Args:
        root: Where the node's own root directory appears.
        sys: Where its ``/sys`` appears.
        wanted: Devices that are told even where they are in memory: a tier is on them.
    """
    by_device: dict[str, list[Mount]] = {}
    for mount in mounts:
        if _is_disk(mount, wanted):
            by_device.setdefault(mount.device, []).append(mount)
    found = []
    for device, same in by_device.items():
        points = sorted((each.point for each in _whole(same)), key=lambda point: (len(point), point))
        with suppress(OSError):  # not ours to look at, or gone by now
            room = os.statvfs(root.rstrip("/") + points[0])
            found.append(
                Disk(
                    device=device,
                    medium=medium_of(same[0], sys),
                    filesystem=same[0].filesystem,
                    capacity=room.f_blocks * room.f_frsize,
                    free=room.f_bavail * room.f_frsize,
                    mounts=tuple(points[:_MOST_MOUNTS]),
                )
            )
    return sorted(found, key=lambda disk: disk.mounts)


def is_elsewhere(mount: Mount) -> bool:
    """Whether what is mounted is no disk of this node, but could hold a path of a tier."""
    return (mount.filesystem in _NETWORK or mount.filesystem.startswith("fuse.")) and not mount.point.startswith(_PODS)


def medium_of(mount: Mount, sys: str = "/sys") -> str:
    """``MEM``, ``SSD`` or ``HDD``, as the kernel says; "" when it does not."""
    if mount.filesystem in _IN_MEMORY:
        return "MEM"
    block = _block_device(mount, sys)
    for queue in (f"{block}/queue", f"{os.path.dirname(block)}/queue"):  # a partition has its disk's
        with suppress(OSError):
            return "HDD" if Path(f"{queue}/rotational").read_text(encoding="ascii").strip() == "1" else "SSD"
    return ""


def _block_device(mount: Mount, sys: str) -> str:
    """Its directory below ``/sys``; btrfs and overlays have numbers of their own, and only their source tells."""
    if not mount.device.startswith("0:"):
        return os.path.realpath(f"{sys}/dev/block/{mount.device}")
    return os.path.realpath(f"{sys}/class/block/{os.path.basename(mount.source) or '-'}")


def _is_disk(mount: Mount, wanted: Collection[str]) -> bool:
    if mount.device in wanted:
        return not is_elsewhere(mount)
    if mount.filesystem in _IN_MEMORY:
        return mount.point == _SHARED_MEMORY
    on_device = not mount.device.startswith("0:") or mount.source.startswith("/dev/")
    return on_device and mount.filesystem not in _IMAGES | _NETWORK and not mount.filesystem.startswith("fuse")


def _whole(mounts: list[Mount]) -> list[Mount]:
    """Those that show all of the filesystem and belong to no pod, if there are any."""
    whole = [each for each in mounts if each.root == "/" and not each.point.startswith(_PODS)]
    return whole or mounts
