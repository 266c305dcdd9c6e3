"""Workloads meet datasets: manifest in, manifest out, and the configuration of Hadoop clients. All pure."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.workload.hcfs import Link, core_site_xml, spark_properties, view_fs_properties

__all__ = ["Link", "core_site_xml", "spark_properties", "view_fs_properties"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("datafluid.workload.hcfs"), name)
