"""Why an operation does not get on, as far as the objects around it tell. Fluid itself says little of it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from datafluid.errors import Forbidden, NotFound
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets
from datafluid.plane.port import Cluster, ControlPlane, Manifest
from datafluid.waiting.telling import diagnosis

if TYPE_CHECKING:
    from datafluid.model.status import OperationStatus

__all__ = ["why_not_begun", "why_stuck"]


def why_stuck(plane: ControlPlane, operation: Manifest, status: OperationStatus) -> str:
    """Why an operation that does not change never will: what only events and its predecessor tell; "" where it may."""
    with suppress(NotFound, Forbidden):  # it went this moment, or one may wait and not look around: no reason to stop
        return _reason_to_stop(plane, operation, status)
    return ""


def why_not_begun(plane: ControlPlane, operation: Manifest) -> str:
    """What keeps a dataset of an operation from being Bound: before, none begins. "" where nothing does."""
    for namespace, name in operation_datasets(operation):
        ref = Ref("Dataset", name, namespace)
        try:
            dataset = plane.get(ref)
        except NotFound:
            return f"there is no {ref}"
        except Forbidden:
            continue
        phase = (dataset.get("status") or {}).get("phase")
        if phase != "Bound":
            return f"{ref} is {diagnosis(plane, dataset, phase or 'not bound yet')}"
    return ""


def _reason_to_stop(plane: ControlPlane, operation: Manifest, status: OperationStatus) -> str:
    if status.phase == "Executing":
        failures = [each for each in plane.events(Ref.of(operation)) if each.reason == "DataOperationExecutionFailed"]
        newest = max(failures, key=lambda event: event.last_seen, default=None)
        return f"{newest.reason}: {newest.message}" if newest else ""
    if not status.phase and not isinstance(plane, Cluster) and (unusable := _unusable(plane, operation)):
        return unusable
    after = operation["spec"].get("runAfter")
    if status.phase == "Pending" and status.waiting and after:
        predecessor = Ref(after["kind"], after["name"], after.get("namespace") or operation["metadata"]["namespace"])
        if (plane.get(predecessor).get("status") or {}).get("phase") == "Failed":
            return f"it runs after {predecessor}, which has failed."
    return ""


def _unusable(plane: ControlPlane, operation: Manifest) -> str:
    """Why a dataset of an operation can never be Bound as it is declared; "" where it may be. Fluid never tells."""
    from datafluid.model.readiness import readiness

    for namespace, name in operation_datasets(operation):
        ref = Ref("Dataset", name, namespace)
        if unusable := readiness(plane.get(ref), claim=None, runtime=None).unusable:
            return f"{ref}: {unusable}"
    return ""
