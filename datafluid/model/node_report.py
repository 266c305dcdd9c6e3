"""What a node has: disks, page cache, tiers. Values, as the agent reports them and planners read them.

What is not known is None or missing, never 0, and `NodeReport.unknown` says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.exact import made, text, texts

__all__ = [
    "AGENT_NAMESPACE",
    "NAME_PREFIX",
    "REPORT_LABELS",
    "Disk",
    "FilePages",
    "NodeReport",
    "PageCache",
    "TierFill",
]

#: Where agents write and planners read; others may not write there, so nobody can lie about a node's disks.
AGENT_NAMESPACE = "datafluid-system"
#: What marks the ConfigMap that holds a report.
REPORT_LABELS = {"datafluid.io/agent": "node-report"}
#: What the ConfigMap of a node is called, before the node's name.
NAME_PREFIX = "datafluid-node-"
_REPORT_KEY = "report.json"
_WORTH_TELLING = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A filesystem of this node's own, whatever it is mounted on.

    Args:
        device: As the kernel numbers it, ``259:1``.
        medium: ``MEM``, ``SSD`` or ``HDD``; "" where the kernel does not say.
        filesystem: ``ext4``, ``xfs``, ``tmpfs``, ...
        capacity: Bytes.
        free: Bytes that an ordinary user can still write.
        mounts: Where it is mounted, the shortest path first.
    """

    device: str
    medium: str
    filesystem: str
    capacity: int
    free: int
    mounts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierFill:
    """One directory of a tiered cache, and how full it is.

    Args:
        path: Where it is.
        medium: What its runtime says it is; "" when nobody said.
        dataset: Whose it is, ``namespace/name``; "" when it is shared or nobody said.
        quota: Bytes that it may hold.
        used: Bytes on disk.
        resident: Bytes of those that the page cache holds.
        device: The disk under it, see `Disk.device`; "" when it is on none.
    """

    path: str
    medium: str = ""
    dataset: str = ""
    quota: int | None = None
    used: int | None = None
    resident: int | None = None
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePages:
    """How much of one file the page cache holds.

    Args:
        name: What it is: the ``fluid://`` URL, or its path.
        size: Bytes.
        resident: Bytes in the page cache; None where the kernel does not tell this user.
    """

    name: str
    size: int
    resident: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCache:
    """The page cache as a whole, in bytes.

    Args:
        memory: The node's memory.
        available: What programs could still get.
        cached: Files that are in memory, without shared memory.
        dirty: Of those, what is still to be written.
    """

    memory: int
    available: int
    cached: int
    dirty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReport:
    """What one node had when its agent looked.

    Args:
        node: Its name.
        as_of: When, RFC 3339.
        elsewhere: Mount points of what is no disk of this node, such as NFS.
        unknown: What could not be found out and why, one sentence each.

    Example:
        >>> disk = Disk(device="8:1", medium="SSD", filesystem="ext4", capacity=100, free=60, mounts=("/",))
        >>> report = NodeReport(node="n0", as_of="2026-01-01T00:00:00Z", disks=(disk,))
        >>> report.disk_under("/mnt/cache").medium, NodeReport.parse(report.to_json()) == report
        ('SSD', True)
    """

    node: str
    as_of: str
    disks: tuple[Disk, ...] = ()
    elsewhere: tuple[str, ...] = ()
    page_cache: PageCache | None = None
    tiers: tuple[TierFill, ...] = ()
    files: tuple[FilePages, ...] = ()
    unknown: tuple[str, ...] = ()

    def disk_under(self, path: str) -> Disk | None:
        """The disk that holds a path; None when it is on something else."""
        points: dict[str, Disk | None] = dict.fromkeys(self.elsewhere)
        points.update({point: disk for disk in self.disks for point in disk.mounts})
        found = max((point for point in points if _is_below(path, point)), key=len, default=None)
        return points[found] if found is not None else None

    def differs(self, other: NodeReport, *, share: float = _WORTH_TELLING) -> bool:
        """Whether something moved by ``share`` of what it can be, or came, or went."""
        mine, before = self._figures(), other._figures()
        if mine.keys() != before.keys():
            return True
        return any(
            (value is None) != (before[key][0] is None)
            or whole != before[key][1]
            or abs((value or 0) - (before[key][0] or 0)) >= share * (whole or 1)
            for key, (value, whole) in mine.items()
        )

    def to_json(self) -> str:
        """The report as text; `parse` reads it back to an equal value."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def config_map_name(self) -> str:
        """The ConfigMap that holds it; with the node's name in it, so that one rule can tie the two."""
        return NAME_PREFIX + self.node

    def config_map(self) -> dict[str, Any]:
        """The report as its agent writes it, without single files: those may be very many."""
        whole = {**asdict(self), "files": ()}
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": self.config_map_name, "namespace": AGENT_NAMESPACE, "labels": dict(REPORT_LABELS)},
            "data": {_REPORT_KEY: json.dumps(whole, separators=(",", ":"))},
        }

    @classmethod
    def of_config_map(cls, manifest: Mapping[str, Any]) -> NodeReport:
        """Read what `config_map` wrote.

        Raises:
            Invalid: it is no report, or one of another node than its name says.
        """
        report = cls.parse((manifest.get("data") or {}).get(_REPORT_KEY) or "")
        if report.config_map_name != manifest["metadata"]["name"]:
            raise _refusal(f"ConfigMap {manifest['metadata']['name']!r} holds a report of another node")
        return report

    @classmethod
    def parse(cls, written: str) -> NodeReport:
        """Read a report that may have come from anywhere.

        Raises:
            Invalid: it is none.
        """
        try:
            data = json.loads(written)
            return cls(
                node=text(data["node"]),
                as_of=text(data["as_of"]),
                disks=tuple(Disk(**made(Disk, each)) for each in data.get("disks") or ()),
                elsewhere=texts(data.get("elsewhere") or ()),
                page_cache=PageCache(**made(PageCache, data["page_cache"])) if data.get("page_cache") else None,
                tiers=tuple(TierFill(**made(TierFill, each)) for each in data.get("tiers") or ()),
                files=tuple(FilePages(**made(FilePages, each)) for each in data.get("files") or ()),
                unknown=texts(data.get("unknown") or ()),
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise _refusal("this is no report of an agent") from None

    def _figures(self) -> dict[str, tuple[int | None, int | None]]:
        """Everything that moves, with what it is a part of."""
        found: dict[str, tuple[int | None, int | None]] = {}
        for disk in self.disks:
            found[f"disk {disk.device} {disk.medium} {disk.mounts}"] = (disk.free, disk.capacity)
        memory = self.page_cache.memory if self.page_cache else None
        for tier in self.tiers:
            whole = tier.quota or next((disk.capacity for disk in self.disks if disk.device == tier.device), None)
            found[f"tier {tier.path} {tier.dataset} {tier.device}"] = (tier.used, whole)
            found[f"pages {tier.path} {tier.dataset}"] = (tier.resident, memory)
        if self.page_cache:
            found["cached"] = (self.page_cache.cached, memory)
            found["available"] = (self.page_cache.available, memory)
        return found


def _is_below(path: str, point: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _refusal(what: str) -> Invalid:
    return Invalid(f"{what}.", hint="Only the agent writes reports; see `datafluid agent --manifest`.")
