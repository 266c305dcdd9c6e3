"""Workloads meet datasets: manifest in, manifest out, and the configuration of Hadoop clients. All pure."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.workload.facts import DatasetFacts, Tier
    from datafluid.workload.hcfs import Link, core_site_xml, spark_properties, view_fs_properties
    from datafluid.workload.report import Entry, Report
    from datafluid.workload.topology import Topology
    from datafluid.workload.uses import DatasetUse, Prefetch
    from datafluid.workload.webhook import Preview, preview_webhook
    from datafluid.workload.wrapping import Wrapped, wrap

__all__ = [
    "DatasetFacts",
    "DatasetUse",
    "Entry",
    "Link",
    "Prefetch",
    "Preview",
    "Report",
    "Tier",
    "Topology",
    "Wrapped",
    "core_site_xml",
    "preview_webhook",
    "spark_properties",
    "view_fs_properties",
    "wrap",
]

_HOME_OF = {
    "DatasetFacts": "facts",
    "DatasetUse": "uses",
    "Entry": "report",
    "Link": "hcfs",
    "Prefetch": "uses",
    "Preview": "webhook",
    "Report": "report",
    "Tier": "facts",
    "Topology": "topology",
    "Wrapped": "wrapping",
    "core_site_xml": "hcfs",
    "preview_webhook": "webhook",
    "spark_properties": "hcfs",
    "view_fs_properties": "hcfs",
    "wrap": "wrapping",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"datafluid.workload.{_HOME_OF[name]}"), name)
