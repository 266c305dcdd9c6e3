"""From two ends to a DataMigrate manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.names import generated_name
from datafluid.model.uri import SCHEME, FluidURI
from datafluid.plane.port import Manifest

__all__ = ["migrate_manifest"]


def migrate_manifest(
    source: str | Mapping[str, Any], target: str | Mapping[str, Any], *, name: str | None, namespace: str
) -> Manifest:
    """A DataMigrate from one end to the other.

    Args:
        source: As `datafluid.client.Client.migrate` takes it.
        target: Likewise.
        name: None makes one up.
        namespace: The DataMigrate's, and that of datasets named without one.

    Raises:
        Invalid: neither end is a dataset.

    Example:
        >>> manifest = migrate_manifest("s3://bucket/a", "fluid:///flights/raw", name="copy", namespace="team")
        >>> manifest["spec"]["from"], manifest["spec"]["to"]["dataset"]["namespace"]
        ({'externalStorage': {'uri': 's3://bucket/a'}}, 'team')
    """
    ends = {"from": _end(source, namespace), "to": _end(target, namespace)}
    datasets = [end["dataset"]["name"] for end in ends.values() if "dataset" in end]
    if not datasets:
        raise Invalid("a migration needs a dataset at one end at least.", hint="Name it as fluid://namespace/dataset.")
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "DataMigrate",
        "metadata": {"name": name or generated_name(datasets[-1], "migrate"), "namespace": namespace},
        "spec": ends,
    }


def _end(end: str | Mapping[str, Any], namespace: str) -> Manifest:
    if not isinstance(end, str):
        return dict(end)
    scheme, separator, _ = end.partition("://")
    if separator and scheme != SCHEME:
        return {"externalStorage": {"uri": end}}
    uri = FluidURI.parse(end).in_namespace(namespace)
    dataset: Manifest = {"name": uri.dataset, "namespace": uri.namespace}
    return {"dataset": dataset | ({"path": f"/{uri.path}"} if uri.path else {})}
