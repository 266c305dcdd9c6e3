"""Spark reads ``fluid://`` with stock Hadoop jars: the properties that make it so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.client import Client

__all__ = ["spark_conf"]


def spark_conf(datasets: Sequence[str], *, client: Client | None = None) -> dict[str, str]:
    """Spark properties with which ``fluid://<namespace>/<dataset>/…`` works in a SparkSession.

    On the embedded plane each dataset must be loaded: Spark reads the cached files themselves, through a
    directory of links under their real names (what ``datafluid export`` makes), pinned while it exists.

    Args:
        datasets: ``namespace/name``, or names in the context's namespace.
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

    if not datasets:
        raise Invalid("spark_conf needs at least one dataset.", hint="Write spark_conf(['namespace/name']).")
    client = client or connect()
    handles = [client.dataset(name) for name in datasets]
    links = [Link(namespace=handle.namespace, dataset=handle.name, target=str(handle.export())) for handle in handles]
    return spark_properties(view_fs_properties(links))
