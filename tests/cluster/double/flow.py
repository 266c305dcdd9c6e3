"""The dataflow controller: every 5 s it asks whether what an operation runs after is Complete."""

from __future__ import annotations

from collections.abc import Iterable

from datafluid.model.graph import predecessor_of
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from tests.cluster.double.world import NOTHING, Change, Controller, Patch, Step, Tell, World, do

_EVERY = 5.0


def controller() -> Controller:
    """It lives in the fluidapp process, which a DataBackup leaves alone."""
    return Controller("dataflow", _look, _wakes)


def _wakes(world: World, change: Change) -> Iterable[Ref]:
    waits = ((change.object.get("status") or {}).get("waitingFor") or {}).get("operationComplete")
    before = (((change.before or {}).get("status") or {}).get("waitingFor") or {}).get("operationComplete")
    if change.ref.kind in OPERATION_KINDS and waits and not before:
        yield change.ref


def _look(world: World, ref: Ref) -> Step:
    operation = world.get(ref)
    waits = operation is not None and ((operation.get("status") or {}).get("waitingFor") or {}).get("operationComplete")
    predecessor = predecessor_of(operation) if operation is not None else None
    if not waits or predecessor is None:
        return NOTHING
    name = f'{predecessor.kind} "{predecessor.namespace}/{predecessor.name}"'
    found = world.get(predecessor)
    if found is None:
        missing = f"Preceding operation {name} not found"
        return Step((Tell(ref, "Warning", "DataOperationNotFound", missing, "DataFlow"),), again=_EVERY)
    if (found.get("status") or {}).get("phase") == "Complete":
        return do(Patch(ref, {"status": {"waitingFor": {"operationComplete": False}}}))
    waiting = f"Waiting for operation {name} to complete"
    return Step((Tell(ref, "Normal", "DataOperationWaiting", waiting, "DataFlow"),), again=_EVERY)
