"""How far a load is on a cluster. Its own status does not say; the cache of its dataset does."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from datafluid.errors import Forbidden, NotFound
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets
from datafluid.plane.port import ControlPlane, Manifest

if TYPE_CHECKING:
    from datafluid.model.growth import Growth
    from datafluid.model.status import OperationStatus

__all__ = ["LoadFigures"]


class LoadFigures:
    """The progress of one load, read off the cache of its dataset.

    Args:
        plane: Whom to ask for the dataset.
    """

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._growth: Growth | None = None

    def onto(self, status: OperationStatus, operation: Manifest) -> OperationStatus:
        """The status with what the dataset's cache tells as its progress."""
        from datafluid.model.growth import Growth
        from datafluid.model.status import DatasetStatus, Progress

        if status.phase != "Executing" or status.progress is not None:
            return status
        namespace, name = operation_datasets(operation)[0]
        try:
            dataset = DatasetStatus.parse(self._plane.get(Ref("Dataset", name, namespace)))
        except (NotFound, Forbidden):
            return status
        if dataset.cached is None:
            return status
        now = time.monotonic()
        self._growth = (self._growth or Growth()).seen(now, dataset.cached)
        estimate = self._growth.estimate(now, goal=dataset.total)
        rate = None if estimate.rate is None else sum(estimate.rate) / 2
        eta = None if estimate.eta is None else estimate.eta[1]
        moved = Progress(bytes_total=dataset.total, bytes_done=dataset.cached, rate=rate, eta=eta)
        return replace(status, progress=moved)
