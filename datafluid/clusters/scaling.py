"""More or fewer cache workers for a dataset."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.errors import NotFound, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane

__all__ = ["scale_runtime"]


def scale_runtime(plane: ControlPlane, dataset: Ref, replicas: int) -> Ref:
    """Set the workers of a dataset's runtime; see `datafluid.handles.DatasetHandle.scale`."""
    runtime = next(_runtimes(plane, dataset), None)
    if runtime is None:
        raise Unsupported(f"{dataset} has no runtime to scale.", hint="Declare one of the same name.")
    plane.scale(runtime, replicas=replicas)
    return runtime


def _runtimes(plane: ControlPlane, dataset: Ref) -> Iterator[Ref]:
    """The runtime that it is bound to; else those of its name, one of which it will be bound to."""
    from datafluid.model.status import DatasetStatus

    for bound in DatasetStatus.parse(plane.get(dataset)).runtimes:
        yield Ref(bound.kind, bound.name, bound.namespace or dataset.namespace)
    for kind in KINDS.values():
        if kind.is_runtime:
            try:
                yield Ref.of(plane.get(Ref(kind.kind, dataset.name, dataset.namespace)))
            except (NotFound, Unsupported):
                continue
