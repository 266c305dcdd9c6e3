"""Datasets of a cluster of which only the objects are there."""

from __future__ import annotations

from typing import Any

from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane

__all__ = ["declare"]


def declare(
    plane: InMemoryPlane, name: str, kind: str, mount: dict[str, Any], *, hcfs: str = "", **annotations: str
) -> None:
    """A dataset and its runtime, Bound."""
    api = "data.fluid.io/v1alpha1"
    metadata = {"name": name, "namespace": "team"}
    tiers = {"levels": [{"mediumtype": "MEM", "path": "/dev/shm", "quota": "1Gi"}]}
    spec = {"replicas": 1, **({} if kind == "ThinRuntime" else {"tieredstore": tiers})}
    plane.apply({"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec})
    plane.apply(
        {
            "apiVersion": api,
            "kind": "Dataset",
            "metadata": {**metadata, "annotations": annotations},
            "spec": {"mounts": [mount]},
        }
    )
    runtime = {"name": name, "namespace": "team", "type": kind.removesuffix("Runtime").lower()}
    status: dict[str, Any] = {"phase": "Bound", "conditions": [], "runtimes": [runtime]}
    plane.set_status(Ref("Dataset", name, "team"), {**status, **({"hcfs": {"endpoint": hcfs}} if hcfs else {})})
