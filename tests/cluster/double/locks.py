"""``status.operationRef`` of a Dataset: who works on it. It excludes nobody."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.world import Patch, Step, World, do


def _names(dataset: Manifest, kind: str) -> list[str]:
    reference = (dataset.get("status") or {}).get("operationRef") or {}
    return [name for name in reference.get(kind, "").split(",") if name]


def locked(world: World, operation: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Put an operation on the list; a DataMigrate shows in the phase too."""
    kind, name = operation["kind"], operation["metadata"]["name"]
    present = _names(dataset, kind)
    if name not in present:
        status: Manifest = {"operationRef": {kind: ",".join([*present, name])}}
        if kind == "DataMigrate":
            status["phase"] = "DataMigrating"
        yield do(Patch(Ref.of(dataset), {"status": status}))


def released(world: World, operation: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Take it off the list again."""
    kind, name = operation["kind"], operation["metadata"]["name"]
    present = _names(dataset, kind)
    if name not in present:
        return
    rest = [each for each in present if each != name]
    others = [key for key in dataset["status"]["operationRef"] if key != kind]
    empty: Manifest = {"operationRef": {kind: None}} if others else {"operationRef": None}
    status: Manifest = {"operationRef": {kind: ",".join(rest)}} if rest else empty
    if kind == "DataMigrate" and not rest:
        status["phase"] = "Bound"
    yield do(Patch(Ref.of(dataset), {"status": status}))
