"""Fluid datasets where Python people work: one YAML, one URL, one API.

    import datafluid

    client = datafluid.connect()                 # this machine, unless a context says otherwise
    client.apply("imagenet.yaml")                # Fluid's own YAML: Dataset, runtime, DataLoad
    ds = client.dataset("imagenet")
    ds.load("/train").wait()                     # warm it
    pd.read_parquet("fluid://default/imagenet/train")

Importing this package is light: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid import errors, placement
    from datafluid.applied import Applied
    from datafluid.client import Client, connect
    from datafluid.context import Context
    from datafluid.errors import DatafluidError
    from datafluid.handles import DatasetHandle
    from datafluid.loads import LoadHandle
    from datafluid.model.lint import lint
    from datafluid.model.uri import FluidURI
    from datafluid.spark import spark_conf
    from datafluid.submission.client import Submitted
    from datafluid.topology import read_topology
    from datafluid.workload.sparksubmit import SparkSubmit, spark_submit
    from datafluid.workload.topology import Topology
    from datafluid.workload.uses import DatasetUse, Prefetch
    from datafluid.workload.webhook import preview_webhook
    from datafluid.workload.wrapping import Wrapped, wrap

__all__ = [
    "Applied",
    "Client",
    "Context",
    "DatafluidError",
    "DatasetHandle",
    "DatasetUse",
    "FluidURI",
    "LoadHandle",
    "Prefetch",
    "SparkSubmit",
    "Submitted",
    "Topology",
    "Wrapped",
    "connect",
    "errors",
    "lint",
    "placement",
    "preview_webhook",
    "read_topology",
    "spark_conf",
    "spark_submit",
    "wrap",
]

__version__ = "0.1.0"

_HOME_OF = {
    "Applied": "datafluid.applied",
    "Client": "datafluid.client",
    "Context": "datafluid.context",
    "DatafluidError": "datafluid.errors",
    "DatasetHandle": "datafluid.handles",
    "DatasetUse": "datafluid.workload.uses",
    "FluidURI": "datafluid.model.uri",
    "LoadHandle": "datafluid.loads",
    "Prefetch": "datafluid.workload.uses",
    "SparkSubmit": "datafluid.workload.sparksubmit",
    "Submitted": "datafluid.submission.client",
    "Topology": "datafluid.workload.topology",
    "Wrapped": "datafluid.workload.wrapping",
    "connect": "datafluid.client",
    "lint": "datafluid.model.lint",
    "preview_webhook": "datafluid.workload.webhook",
    "read_topology": "datafluid.topology",
    "spark_conf": "datafluid.spark",
    "spark_submit": "datafluid.workload.sparksubmit",
    "wrap": "datafluid.workload.wrapping",
}


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value = getattr(import_module(_HOME_OF[name]), name)
    elif name in ("errors", "placement"):
        value = import_module(f"datafluid.{name}")
    else:
        raise AttributeError(f"module 'datafluid' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
