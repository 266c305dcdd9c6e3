"""Datasets that several tests declare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datafluid.client import Client
from datafluid.handles import DatasetHandle
from tests.conftest import Bucket

__all__ = ["apply_bucket_dataset", "apply_local_dataset", "dataset_manifest", "runtime_manifest"]


def dataset_manifest(name: str, mount_point: str, *, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A Dataset with one mount at its root."""
    options = spec.pop("options", None)
    annotations = spec.pop("annotations", None)
    mount: dict[str, Any] = {"mountPoint": mount_point, "name": name, "path": "/"}
    if options:
        mount["options"] = options
    metadata: dict[str, Any] = {"name": name, "namespace": namespace}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": metadata,
        "spec": {"mounts": [mount], **spec},
    }


def runtime_manifest(name: str, path: Path, *, quota: str = "1Gi", namespace: str = "default") -> dict[str, Any]:
    """An AlluxioRuntime with one tier."""
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "AlluxioRuntime",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "tieredstore": {"levels": [{"mediumtype": "SSD", "path": str(path), "quota": quota}]}},
    }


def apply_bucket_dataset(client: Client, bucket: Bucket, name: str, **spec: Any) -> DatasetHandle:
    """Declare a dataset over a bucket and wait until it is Bound."""
    client.apply(dataset_manifest(name, bucket.url, options=bucket.options, **spec))
    handle = client.dataset(name)
    handle.wait(timeout=60)
    return handle


def apply_local_dataset(client: Client, directory: Path, name: str, **spec: Any) -> DatasetHandle:
    """Declare a dataset over a directory and wait until it is Bound."""
    client.apply(dataset_manifest(name, f"local://{directory}", **spec))
    handle = client.dataset(name)
    handle.wait(timeout=60)
    return handle
