"""Pure data: the 14 kinds, manifests, URIs, quantities, schedules, lint. No clock, no files, no network.

Importing this package is light; the models, and with them pydantic, are loaded when one is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.model.base import ObjectMeta, Resource
    from datafluid.model.dataset import Dataset
    from datafluid.model.kinds import KINDS, Kind, find_kind
    from datafluid.model.operations import DataBackup, DataLoad, DataMigrate, DataProcess
    from datafluid.model.ref import Ref
    from datafluid.model.runtimes.alluxio import AlluxioRuntime
    from datafluid.model.runtimes.cache import CacheRuntime, CacheRuntimeClass
    from datafluid.model.runtimes.efc import EFCRuntime
    from datafluid.model.runtimes.jindo import JindoRuntime
    from datafluid.model.runtimes.juicefs import JuiceFSRuntime
    from datafluid.model.runtimes.thin import ThinRuntime, ThinRuntimeProfile
    from datafluid.model.runtimes.vineyard import VineyardRuntime
    from datafluid.model.schedule import Schedule
    from datafluid.model.status import DatasetStatus, OperationStatus, RuntimeStatus
    from datafluid.model.uri import FluidURI

__all__ = [
    "KINDS",
    "AlluxioRuntime",
    "CacheRuntime",
    "CacheRuntimeClass",
    "DataBackup",
    "DataLoad",
    "DataMigrate",
    "DataProcess",
    "Dataset",
    "DatasetStatus",
    "EFCRuntime",
    "FluidURI",
    "JindoRuntime",
    "JuiceFSRuntime",
    "Kind",
    "ObjectMeta",
    "OperationStatus",
    "Ref",
    "Resource",
    "RuntimeStatus",
    "Schedule",
    "ThinRuntime",
    "ThinRuntimeProfile",
    "VineyardRuntime",
    "find_kind",
]

_HOME_OF = {
    **dict.fromkeys(("KINDS", "Kind", "find_kind"), "kinds"),
    **dict.fromkeys(("ObjectMeta", "Resource"), "base"),
    **dict.fromkeys(("DataBackup", "DataLoad", "DataMigrate", "DataProcess"), "operations"),
    **dict.fromkeys(("DatasetStatus", "OperationStatus", "RuntimeStatus"), "status"),
    **dict.fromkeys(("CacheRuntime", "CacheRuntimeClass"), "runtimes.cache"),
    **dict.fromkeys(("ThinRuntime", "ThinRuntimeProfile"), "runtimes.thin"),
    "AlluxioRuntime": "runtimes.alluxio",
    "Dataset": "dataset",
    "EFCRuntime": "runtimes.efc",
    "FluidURI": "uri",
    "JindoRuntime": "runtimes.jindo",
    "JuiceFSRuntime": "runtimes.juicefs",
    "Ref": "ref",
    "Schedule": "schedule",
    "VineyardRuntime": "runtimes.vineyard",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'datafluid.model' has no attribute {name!r}")
    value = getattr(import_module(f"datafluid.model.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
