"""Spark reads ``fluid://`` with stock Hadoop jars: the properties that make it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.workload.uses import DatasetUse

__all__ = ["spark_conf"]


def spark_conf(datasets: Sequence[str | DatasetUse], *, client: Client | None = None) -> dict[str, str]:
    """Spark properties with which ``fluid://<namespace>/<dataset>/…`` works in a SparkSession.

    On the embedded plane each dataset must be loaded: Spark reads the cached files themselves, through a
    directory of links under their real names (what ``datafluid export`` makes), pinned while it exists. On a
    cluster it reads from the engine where that serves Hadoop clients, else from the mount, which must then be
    there for the driver and every executor (`datafluid.spark_submit` and `datafluid.wrap` see to that).

    Args:
        datasets: ``namespace/name``, or names in the context's namespace; uses where more is to be said.
        client: The client to use; None connects to the default context.

    Returns:
        Properties for ``SparkSession.builder.config`` or a properties file; no secrets are among them.

    Raises:
        NotFound: a dataset does not exist.
        Unavailable: a dataset is not Bound, or not completely cached; the message says which files.
        Invalid: no dataset is given.

    Example:
        >>> import pathlib, tempfile
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (directory / "a.txt").write_text("hello")
        >>> manifest = {
        ...     "apiVersion": "data.fluid.io/v1alpha1",
        ...     "kind": "Dataset",
        ...     "metadata": {"name": "example"},
        ...     "spec": {"mounts": [{"mountPoint": f"local://{directory}", "name": "example", "path": "/"}]},
        ... }
        >>> import datafluid
        >>> _ = datafluid.connect().apply(manifest).wait(timeout=60)
        >>> conf = spark_conf(["default/example"])
        >>> any(key.endswith("default.link./example") for key in conf)
        True
    """
    from datafluid.client import connect
    from datafluid.errors import Invalid
    from datafluid.workload.hcfs import Link, spark_properties, view_fs_properties
    from datafluid.workload.uses import DatasetUse

    if not datasets:
        raise Invalid("spark_conf needs at least one dataset.", hint="Write spark_conf(['namespace/name']).")
    client = client or connect()
    uses = [DatasetUse(each, api="hcfs") if isinstance(each, str) else each for each in datasets]
    if client.context.plane != "embedded":
        return spark_properties(_of_cluster(client, uses))
    handles = [client.dataset(use.dataset) for use in uses]
    links = [Link(namespace=handle.namespace, dataset=handle.name, target=str(handle.export())) for handle in handles]
    return spark_properties(view_fs_properties(links))


def _of_cluster(client: Client, uses: Sequence[DatasetUse]) -> dict[str, str]:
    from dataclasses import replace

    from datafluid.topology import read_topology
    from datafluid.workload.draft import Draft
    from datafluid.workload.hadoop import hadoop_properties
    from datafluid.workload.resolve import resolve_uses

    home = client.context.namespace
    for use in uses:
        client.get("Dataset", use.name, namespace=use.namespace(home))
    topology = read_topology(client.plane, uses, namespace=home)
    here = [
        replace(use, api="hcfs", mount_path=use.mount_path or client.context.mount_of(use.namespace(home), use.name))
        for use in uses
    ]
    used = resolve_uses(here, topology, home)
    return hadoop_properties(Draft({}), used, topology)
