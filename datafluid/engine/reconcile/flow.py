"""What happens to any data operation before it runs and when it is deleted; `step_operation` is the way in."""

from __future__ import annotations

from datafluid.engine.reconcile.cron import step_cron
from datafluid.engine.reconcile.operation import OperationSeen, is_cancelled, step_once
from datafluid.engine.reconcile.values import Decision, Note, condition, status_of, with_condition
from datafluid.plane.port import Manifest

__all__ = ["step_operation"]


def step_operation(seen: OperationSeen) -> Decision:
    """What happens to an operation now."""
    if seen.operation["metadata"].get("deletionTimestamp"):
        return _deletion(seen)
    phase = (seen.operation.get("status") or {}).get("phase") or ""
    if phase == "":
        return _admit(seen)
    if phase == "Pending" and not seen.runs and (waiting := _wait_for_predecessor(seen)) is not None:
        return waiting
    return step_cron(seen) if seen.is_cron else step_once(seen)


def _deletion(seen: OperationSeen) -> Decision:
    running = [run for run in seen.active if run.alive]
    if not running:
        return Decision(remove=True)
    return Decision(cancel=tuple(run.scheduled for run in running if not run.cancelled))


def _admit(seen: OperationSeen) -> Decision:
    """From no phase to Pending, as soon as the datasets are Bound."""
    own = seen.operation["metadata"]["namespace"]
    for (namespace, name), dataset in seen.datasets.items():
        if seen.operation["kind"] != "DataMigrate" and namespace != own:
            message = f"{seen.label} is in namespace {own}, its dataset in {namespace}: they must be in one."
            return _refused(seen, "TargetDatasetNamespaceNotSame", message)
        if dataset is None:
            message = f'Target dataset not found: Dataset.data.fluid.io "{name}" not found'
            return Decision(events=(_warning("TargetDatasetNotFound", message),))
        if (dataset.get("status") or {}).get("phase") not in ("Bound", "Updating"):
            note = Note(type="Normal", reason="RuntimeNotReady", message="Bounded accelerate runtime not ready")
            return Decision(events=(note,))
    spec = seen.operation["spec"]
    if spec.get("policy") == "OnEvent":
        return _refused(seen, "DataOperationNotSupport", "policy OnEvent never runs: use Once or Cron.")
    if seen.is_cron and not spec.get("schedule"):
        return _refused(seen, "ScheduleNotSpecified", "Schedule not set for a cron policy", duration="")
    waiting: Manifest = {"operationComplete": True} if spec.get("runAfter") else {}
    status: Manifest = {"conditions": [], "duration": "Unfinished", "phase": "Pending", "waitingFor": waiting}
    kind = seen.operation["kind"].lower()
    owner = next((dataset for dataset in seen.datasets.values() if dataset is not None), None)
    return Decision(status=status, finalizers=(f"fluid-{kind}-controller-finalizer",), owner=owner)


def _wait_for_predecessor(seen: OperationSeen) -> Decision | None:
    status = status_of(seen.operation)
    if is_cancelled(seen.operation):
        return _refused(seen, "Cancelled", "It was cancelled before it began.")
    if not status.get("waitingFor", {}).get("operationComplete"):
        return None
    wanted = seen.operation["spec"]["runAfter"]
    namespace = wanted.get("namespace") or seen.operation["metadata"]["namespace"]
    name = f'{wanted["kind"]} "{namespace}/{wanted["name"]}"'
    if seen.predecessor is None:
        return Decision(events=(_warning("DataOperationNotFound", f"Preceding operation {name} not found"),))
    phase = (seen.predecessor.get("status") or {}).get("phase")
    if phase == "Complete":
        status["waitingFor"] = {"operationComplete": False}
        return Decision(status=status)
    if phase == "Failed":
        message = f"Waiting for operation {name} to complete, but it has failed: delete it and run it again"
        return Decision(events=(_warning("DataOperationWaiting", message),))
    waiting = Note(type="Normal", reason="DataOperationWaiting", message=f"Waiting for operation {name} to complete")
    return Decision(events=(waiting,))


def _refused(seen: OperationSeen, reason: str, message: str, *, duration: str = "Unfinished") -> Decision:
    status: Manifest = {"conditions": [], "duration": duration, "phase": "Failed", "waitingFor": {}}
    with_condition(status, condition("Failed", True, reason, message), seen.now, stamp="lastProbeTime")
    return Decision(
        status=status, events=(_warning(reason, message), _warning("DataOperationFailed", f"{seen.label} failed"))
    )


def _warning(reason: str, message: str) -> Note:
    return Note(type="Warning", reason=reason, message=message)
