"""Keeping a node's report on a cluster up to date."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from threading import Event

from datafluid.errors import AlreadyExists, Conflict, Forbidden, NotFound, Timeout, Unavailable
from datafluid.model.node_report import NodeReport
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster

__all__ = ["publish"]

_LOG = logging.getLogger(__name__)
_TRIES = 5


def publish(
    plane: Cluster,
    look: Callable[[], NodeReport],
    *,
    stop: Event,
    interval: float = 60.0,
    tell: Callable[[NodeReport], None] = lambda report: None,
) -> None:
    """Write a node's ConfigMap now, and again whenever a figure has moved by 5 % or more, until ``stop`` is set.

    A server that cannot be reached is asked again at the next look, for ever. One that refuses is asked again soon, a
    few times: rights and namespaces may be on their way. Each failure is logged, with what is done about it.

    Args:
        look: Takes a report.
        interval: Seconds between two looks.
        tell: Gets every report, written or not.

    Raises:
        Forbidden: the agent may not write its ConfigMap, and has tried five times.
        NotFound: its namespace is not there, likewise.
        Conflict: others keep the ConfigMap from being written, likewise.

    Example:
        >>> from datafluid.testing import InMemoryPlane
        >>> plane, stop = InMemoryPlane(), Event()
        >>> stop.set()
        >>> publish(plane, lambda: NodeReport(node="n0", as_of="2026-01-01T00:00:00+00:00"), stop=stop)
        >>> [each["metadata"]["name"] for each in plane.list("v1/ConfigMap")]
        ['datafluid-node-n0']
    """
    written: NodeReport | None = None
    refused = 0
    while True:
        report = look()
        tell(report)
        if written is None or report.differs(written):
            try:
                _write(plane, report)
            except (Unavailable, Timeout) as error:
                _LOG.warning("the report was not written: %s It is written at the next look.", error)
            except (Forbidden, NotFound, Conflict) as error:
                refused += 1
                if refused == _TRIES:
                    raise
                _LOG.warning("the report was not written, try %d of %d: %s", refused, _TRIES, error)
            else:
                written, refused = report, 0
        if stop.wait(min(interval, _soon(refused)) if refused else interval):
            return


def _soon(refused: int) -> float:
    """Seconds to the next try; agents of many nodes do not come at once."""
    return random.uniform(0.5, 1.0) * 2.0**refused  # noqa: S311  # jitter


def _write(plane: Cluster, report: NodeReport) -> None:
    """Change the ConfigMap, or make it: without reading anything, because the agent may not."""
    manifest = report.config_map()
    ref = Ref.of(manifest)
    changes = {"metadata": {"labels": manifest["metadata"]["labels"]}, "data": manifest["data"]}
    try:
        plane.patch(ref, changes)
    except NotFound:
        try:
            plane.create(manifest)
        except AlreadyExists:
            plane.patch(ref, changes)
