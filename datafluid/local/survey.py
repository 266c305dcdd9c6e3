"""What this machine has, for the client: its disks, its page cache, the tiers of its datasets. ``datafluid agent``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from datafluid.agent import Host, Tier, survey
from datafluid.model.node_report import NodeReport
from datafluid.model.uri import FluidURI

if TYPE_CHECKING:
    from datafluid.client import Client

__all__ = ["NODE_VARIABLE", "node_name", "survey_machine"]

#: What this node is called on its cluster.
NODE_VARIABLE = "DATAFLUID_NODE"


def node_name() -> str:
    """The name of this node: ``DATAFLUID_NODE``, else the host's."""
    return os.environ.get(NODE_VARIABLE) or platform.node() or "localhost"


def survey_machine(
    client: Client,
    *,
    tiers: Sequence[Tier] = (),
    files: Sequence[FluidURI] = (),
    host: Host | None = None,
    pages: bool = False,
) -> NodeReport:
    """Look at this machine once; with the embedded plane its own tiers are told as well.

    Args:
        tiers: More directories to look into.
        files: Datasets, or places in them, whose cached files are told one by one.
        host: Where the node's directories appear.
        pages: Whether to ask of each file in ``tiers`` how much of it is in memory.

    Raises:
        Unsupported: ``files`` with a plane that has no bytes of its own.
    """
    return survey(
        node_name(),
        now=datetime.now(UTC),
        tiers=[*_own_tiers(client), *tiers],
        files=dict(path for uri in files for path in _cached_files(client, uri)),
        host=host,
        pages=pages,
    )


def _own_tiers(client: Client) -> Iterator[Tier]:
    if client.context.plane != "embedded":
        return
    for tier in client.cache.status().tiers:
        yield Tier(path=tier.path, medium=tier.medium, dataset=tier.dataset, quota=tier.quota, used=tier.used)


def _cached_files(client: Client, uri: FluidURI) -> Iterator[tuple[str, str]]:
    volume = client.volume(uri.namespace, uri.dataset)
    for entry in volume.walk(uri.path):
        if entry.type == "file" and (path := volume.local_path(entry.path)):
            yield str(FluidURI(uri.namespace, uri.dataset, entry.path)), path
