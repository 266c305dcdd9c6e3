"""Manifests for the tests of this directory, and what Fluid's controllers would make of them."""

from __future__ import annotations

from typing import Any

from datafluid.plane.port import Manifest
from tests.cluster.controlplane import Cluster

__all__ = ["DATASETS", "LOADS", "bound", "dataset", "load"]

DATASETS = "/apis/data.fluid.io/v1alpha1/namespaces/{}/datasets"
LOADS = "/apis/data.fluid.io/v1alpha1/namespaces/{}/dataloads"


def dataset(name: str, namespace: str, *, url: str = "local:///usr/share", **metadata: Any) -> Manifest:
    """A Dataset with one mount."""
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"mounts": [{"mountPoint": url, "name": name}]},
    }


def load(name: str, namespace: str, dataset: str = "demo", **spec: Any) -> Manifest:
    """A DataLoad of a dataset."""
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataLoad",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"dataset": {"name": dataset, "namespace": namespace}, **spec},
    }


def bound(cluster: Cluster, name: str, namespace: str, *, phase: str = "Bound", **status: Any) -> None:
    """Give a Dataset a status, as its controller would."""
    body = {"status": {"phase": phase, "conditions": [], "mounts": [], **status}}
    cluster.api.patch(f"{DATASETS.format(namespace)}/{name}/status", body)
