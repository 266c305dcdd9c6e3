"""One look at a node."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from datafluid.agent.disks import find_disks, is_elsewhere
from datafluid.agent.mounts import Mount, mount_of, read_mounts
from datafluid.agent.pages import read_page_cache, resident_bytes
from datafluid.model.node_report import FilePages, NodeReport, TierFill

__all__ = ["Host", "Tier", "survey"]

_BLOCK = 512  # what st_blocks counts in
_MOST_FILES = 200_000  # below one tier; a walk of more takes too long to be worth it
_FIRST_PROCESS = "/proc/1/mountinfo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Where a node's directories appear to this process.

    Args:
        root: Its root directory: ``/`` on the machine itself, a mount of it in a container.

    Example:
        >>> Host(root="/host").path("/mnt/ssd")
        '/host/mnt/ssd'
    """

    root: str = "/"

    def path(self, inside: str) -> str:
        """Where a path of the node appears."""
        return self.root.rstrip("/") + inside

    @property
    def mount_table(self) -> str:
        """Its mount table, not that of the container."""
        return "/proc/self/mountinfo" if self.root == "/" else self.path(_FIRST_PROCESS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A directory of a tiered cache that somebody declared.

    Args:
        path: Where it is on the node.
        medium: What its runtime says it is.
        dataset: Whose it is, ``namespace/name``.
        quota: Bytes that it may hold.
        used: Bytes on disk, where somebody keeps count; None: they are counted file by file.

    Example:
        >>> Tier(path="/dev/shm", medium="MEM").quota is None
        True
    """

    path: str
    medium: str = ""
    dataset: str = ""
    quota: int | None = None
    used: int | None = None


def survey(
    node: str,
    *,
    now: datetime,
    tiers: Sequence[Tier] = (),
    files: Mapping[str, str] | None = None,
    host: Host | None = None,
    pages: bool = True,
) -> NodeReport:
    """Look at a node once.

    Args:
        node: Its name.
        now: The time.
        tiers: The directories to look into.
        files: Paths of single files, by the name under which they are told.
        host: Where the node's directories appear; None: this process is not in a container.
        pages: Whether to ask of each file in a tier how much of it is in memory.

    Example:
        >>> import tempfile
        >>> from datetime import UTC, datetime
        >>> directory = tempfile.mkdtemp()
        >>> report = survey("here", now=datetime.now(UTC), tiers=[Tier(path=directory, medium="SSD")])
        >>> report.tiers[0].used, report.disk_under(directory).capacity > 0
        (0, True)
    """
    host = host or Host()
    mounts = read_mounts(host.mount_table)
    under = {tier.path: _under(host, tier.path, mounts) for tier in tiers}
    on = {mount.device for mount in under.values() if mount is not None and not is_elsewhere(mount)}
    disks = find_disks(mounts, root=host.root, sys=host.path("/sys"), wanted=on)
    told = {disk.device for disk in disks}
    unknown = [] if mounts else [f"the mount table {host.mount_table} cannot be read."]
    fills = []
    for tier in tiers:
        mount = under[tier.path]
        fill, problem = _fill(tier, host, mount.device if mount and mount.device in told else "", pages)
        fills.append(fill)
        unknown += [problem] if problem else []
    cache = read_page_cache(host.path("/proc/meminfo"))
    return NodeReport(
        node=node,
        as_of=now.isoformat(timespec="seconds"),
        disks=tuple(disks),
        elsewhere=tuple(sorted(each.point for each in mounts if is_elsewhere(each))),
        page_cache=cache,
        tiers=tuple(fills),
        files=tuple(_pages(files or {})),
        unknown=(*unknown, *(() if cache else ("the page cache: the kernel gives no figures.",))),
    )


def _under(host: Host, path: str, mounts: Sequence[Mount]) -> Mount | None:
    real = os.path.realpath(host.path(path))
    if host.root != "/" and real.startswith(host.path("/")):
        real = real.removeprefix(host.root.rstrip("/"))
    return mount_of(real, mounts)


def _fill(tier: Tier, host: Host, device: str, pages: bool) -> tuple[TierFill, str]:
    """How full a tier is, and what could not be told of it."""
    if tier.used is not None:
        return _told(tier, device, tier.used, None), ""
    used = resident = 0
    tellable = pages
    problem = ""
    try:
        for count, (path, facts) in enumerate(_files(host.path(tier.path))):
            if count >= _MOST_FILES:
                raise OverflowError
            used += facts.st_blocks * _BLOCK
            if tellable:
                known = _resident(path)
                tellable = known is not None
                resident += known or 0
    except PermissionError:
        problem = f"how full {tier.path} is: it cannot be read by this user."
    except OverflowError:
        problem = f"how full {tier.path} is: it holds more than {_MOST_FILES} files."
    except OSError as error:
        problem = f"how full {tier.path} is: {error.strerror}."
    if pages and not tellable and not problem:
        problem = f"what of {tier.path} is in memory: the kernel tells only who may write the files."
        return _told(tier, device, used, None), problem
    return _told(tier, device, *((None, None) if problem else (used, resident if pages else None))), problem


def _told(tier: Tier, device: str, used: int | None, resident: int | None) -> TierFill:
    return TierFill(
        path=tier.path,
        medium=tier.medium,
        dataset=tier.dataset,
        quota=tier.quota,
        used=used,
        resident=resident,
        device=device,
    )


def _resident(path: str) -> int | None:
    try:
        return resident_bytes(path)
    except FileNotFoundError:  # evicted while we looked
        return 0
    except PermissionError:
        return None


def _files(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """The regular files below a directory, on its own filesystem, each once whatever its names.

    Raises:
        OSError: the directory, or one below it, cannot be read.
    """
    device = os.stat(top).st_dev
    seen: set[int] = set()
    directories = [top]
    while directories:
        try:
            entries = list(os.scandir(directories.pop()))
        except FileNotFoundError:
            continue
        for entry in entries:
            try:
                facts = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if facts.st_dev != device:
                continue
            if stat.S_ISDIR(facts.st_mode):
                directories.append(entry.path)
            elif stat.S_ISREG(facts.st_mode) and facts.st_ino not in seen:
                if facts.st_nlink > 1:
                    seen.add(facts.st_ino)
                yield entry.path, facts


def _pages(files: Mapping[str, str]) -> Iterable[FilePages]:
    for name, path in files.items():
        try:
            yield FilePages(name=name, size=os.stat(path).st_size, resident=resident_bytes(path))
        except FileNotFoundError:
            continue
