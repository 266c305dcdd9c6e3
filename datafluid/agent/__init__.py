"""What a node has: disks, page cache, and how full the tiers of its caches are.

`survey` looks once; `publish` keeps a node's ConfigMap up to date; `deployment` runs that on every node of a cluster.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.agent.deploying import deployment
    from datafluid.agent.publishing import publish
    from datafluid.agent.surveying import Host, Tier, survey

__all__ = ["Host", "Tier", "deployment", "publish", "survey"]

_HOME_OF = {
    "Host": "datafluid.agent.surveying",
    "Tier": "datafluid.agent.surveying",
    "deployment": "datafluid.agent.deploying",
    "publish": "datafluid.agent.publishing",
    "survey": "datafluid.agent.surveying",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'datafluid.agent' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
