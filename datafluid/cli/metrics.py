"""Figures in Prometheus' text format: of the cache, and of a node.

The format is version 0.0.4 of https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.local.cache_status import CacheStatus
    from datafluid.model.node_report import NodeReport

__all__ = ["node_metrics", "prometheus"]

_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


def prometheus(status: CacheStatus) -> str:
    """Gauges by tier and dataset, and a counter for each metric."""
    tiers = [({"medium": tier.medium, "path": tier.path, "dataset": tier.dataset}, tier) for tier in status.tiers]
    datasets = [({"dataset": each.dataset or ""}, each) for each in status.datasets]
    lines: list[str] = []
    lines += _family("datafluid_tier_quota_bytes", "gauge", ((labels, tier.quota) for labels, tier in tiers))
    lines += _family("datafluid_tier_used_bytes", "gauge", ((labels, tier.used) for labels, tier in tiers))
    lines += _family("datafluid_dataset_cached_bytes", "gauge", ((labels, each.used) for labels, each in datasets))
    lines += _family("datafluid_dataset_cached_files", "gauge", ((labels, each.files) for labels, each in datasets))
    lines += _family("datafluid_dataset_pinned_files", "gauge", ((labels, each.pinned) for labels, each in datasets))
    for name, value in status.metrics.items():
        lines += _family(f"datafluid_{_NOT_A_NAME.sub('_', name)}_total", "counter", [({}, value)])
    return "".join(f"{line}\n" for line in lines)


def node_metrics(report: NodeReport) -> str:
    """Gauges of a node's disks, page cache and tiers; what is not known is left out."""
    disks = [({"mount": disk.mounts[0], "medium": disk.medium, "device": disk.device}, disk) for disk in report.disks]
    tiers = [
        ({"path": tier.path, "medium": tier.medium, "dataset": tier.dataset, "device": tier.device}, tier)
        for tier in report.tiers
    ]
    cache = report.page_cache
    lines = _family("datafluid_disk_capacity_bytes", "gauge", ((labels, disk.capacity) for labels, disk in disks))
    lines += _family("datafluid_disk_free_bytes", "gauge", ((labels, disk.free) for labels, disk in disks))
    for name in ("memory", "available", "cached", "dirty") if cache else ():
        lines += _family(f"datafluid_page_cache_{name}_bytes", "gauge", [({}, getattr(cache, name))])
    for name in ("quota", "used", "resident"):
        lines += _family(f"datafluid_tier_{name}_bytes", "gauge", ((labels, getattr(t, name)) for labels, t in tiers))
    files = (({"file": each.name}, each.resident) for each in report.files)
    lines += _family("datafluid_file_resident_bytes", "gauge", files)
    return "".join(f"{line}\n" for line in lines)


def _family(name: str, kind: str, samples: Iterable[tuple[Mapping[str, str], int | None]]) -> list[str]:
    lines = [f"{name}{_labels(labels)} {value}" for labels, value in samples if value is not None]
    return [f"# TYPE {name} {kind}", *lines] if lines else []


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    r"""A label value: backslash, quote and line feed are escaped, as the format asks."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
