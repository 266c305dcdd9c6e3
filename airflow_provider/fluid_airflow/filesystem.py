"""``fluid://`` for Airflow's ObjectStoragePath (provider key ``filesystems``).

Airflow calls `get_fs` while it parses DAGs, so nothing here touches the network, and it passes no storage
options (measured on 3.3): everything comes from the connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluid_fsspec import FluidFileSystem

__all__ = ["get_fs", "schemes"]

schemes = ["fluid"]


def get_fs(conn_id: str | None, storage_options: dict[str, Any] | None = None) -> FluidFileSystem:
    """The filesystem behind ``ObjectStoragePath("fluid://…", conn_id=…)``.

    Args:
        conn_id: A connection whose extra may name a datafluid ``context``; None uses the default context.
        storage_options: Passed through to the filesystem; they win over the connection.

    Returns:
        A filesystem; building it touches no network.

    Example:
        >>> get_fs(None).protocol
        'fluid'
    """
    from fluid_fsspec import FluidFileSystem

    options = dict(storage_options or {})
    if conn_id:
        options = _options_of(conn_id) | options
    return FluidFileSystem(**options)


def _options_of(conn_id: str) -> dict[str, Any]:
    from airflow.sdk import BaseHook

    extra = BaseHook.get_connection(conn_id).extra_dejson
    return {key: extra[key] for key in ("context", "namespace") if extra.get(key)}
