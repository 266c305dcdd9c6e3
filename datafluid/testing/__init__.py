"""For tests of programs that use datafluid, and of planes and filesystems that plug into it.

InMemoryPlane        a control plane in a dictionary
PlaneContract        what every plane must do, ClusterContract what one must do that holds objects of every kind;
                     AsyncPlaneContract and AsyncClusterContract the same for their async twins (need pytest)
serve_s3             a real S3 server on loopback
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.testing.contract import PlaneContract
    from datafluid.testing.contract_async import AsyncClusterContract, AsyncPlaneContract
    from datafluid.testing.contract_cluster import ClusterContract
    from datafluid.testing.memory import InMemoryPlane
    from datafluid.testing.s3 import S3Server, serve_s3

__all__ = [
    "AsyncClusterContract",
    "AsyncPlaneContract",
    "ClusterContract",
    "InMemoryPlane",
    "PlaneContract",
    "S3Server",
    "serve_s3",
]

_HOME_OF = {
    "AsyncClusterContract": "contract_async",
    "AsyncPlaneContract": "contract_async",
    "ClusterContract": "contract_cluster",
    "InMemoryPlane": "memory",
    "PlaneContract": "contract",
    "S3Server": "s3",
    "serve_s3": "s3",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'datafluid.testing' has no attribute {name!r}")
    value = getattr(import_module(f"datafluid.testing.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
