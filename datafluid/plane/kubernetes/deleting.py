"""Deletion in the order that Fluid needs: operations first, then the dataset, then what only names it."""

from __future__ import annotations

from contextlib import suppress

from datafluid.errors import Conflict, NotFound, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of, references_to
from datafluid.plane.kubernetes.catalogue import Catalogue
from datafluid.plane.kubernetes.reading import all_pages
from datafluid.plane.kubernetes.steps import Flow, call
from datafluid.plane.port import Manifest

__all__ = ["delete"]


def delete(catalogue: Catalogue, ref: Ref, *, cascade: bool) -> Flow[None]:
    """Delete one object; see `datafluid.plane.port.ControlPlane.delete`."""
    resource = yield from catalogue.find(ref.kind)
    if ref.kind != "Dataset":
        yield from call(resource.delete(ref, cascade=cascade))
        return
    dataset = yield from call(resource.get(ref))
    yield from _refuse_if_referenced(catalogue, ref, dataset)
    if cascade:
        for operation in (yield from _operations(catalogue, ref)):
            yield from _delete_if_there(catalogue, operation)
    answer = yield from call(resource.delete(ref, uid=dataset["metadata"]["uid"], cascade=cascade))
    # One that Fluid still holds back takes its runtime along when it goes; pods may need it until then.
    if cascade and answer.get("kind") == "Status":
        for kind in KINDS.values():
            if kind.is_runtime:
                yield from _delete_if_there(catalogue, Ref(kind.kind, ref.name, ref.namespace))


def _refuse_if_referenced(catalogue: Catalogue, ref: Ref, dataset: Manifest) -> Flow[None]:
    """Fluid would keep it terminating for ever. It records references; new ones near it are seen too."""
    resource = yield from catalogue.find("Dataset")
    neighbours = yield from all_pages(resource, ref.namespace)
    recorded = (dataset.get("status") or {}).get("datasetRef") or ()
    if names := sorted({*recorded, *references_to(ref, neighbours)}):
        raise Conflict(f"{ref} is mounted by {', '.join(names)}.", hint="Delete those first.")


def _operations(catalogue: Catalogue, dataset: Ref) -> Flow[list[Ref]]:
    found: list[Ref] = []
    for kind in OPERATION_KINDS:
        resource = yield from catalogue.find(kind)
        try:
            listed = yield from all_pages(resource, dataset.namespace)
        except Unsupported:
            continue
        found += [Ref.of(each) for each in operations_of(dataset, listed)]
    return found


def _delete_if_there(catalogue: Catalogue, ref: Ref) -> Flow[None]:
    resource = yield from catalogue.find(ref.kind)
    with suppress(NotFound, Unsupported):
        yield from call(resource.delete(ref))
