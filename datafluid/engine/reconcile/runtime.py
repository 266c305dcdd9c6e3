"""The status of a runtime: on one machine it is the description of a cache, ready when its dataset is Bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.limits import limits_of_runtime
from datafluid.engine.reconcile.values import Decision, Note, condition, drop_condition, status_of, with_condition
from datafluid.model.names import dataset_id
from datafluid.plane.port import Manifest

__all__ = ["step_runtime"]

_READY = (
    ("MasterReady", "Master is ready", "The master is ready."),
    ("WorkersReady", "Workers are ready", "The workers are ready."),
    ("FusesReady", "Fuses are ready", "The fuses are ready."),
)


def step_runtime(runtime: Mapping[str, Any], dataset: Manifest | None, binding: Binding | None, now: float) -> Decision:
    """What happens to a runtime now."""
    kind = runtime["kind"].removesuffix("Runtime").lower()
    if runtime["metadata"].get("deletionTimestamp"):
        return Decision(remove=True)
    if dataset is None:
        message = "No dataset can be bound to the runtime, waiting."
        return Decision(events=(Note(type="Warning", reason="ErrorProcessRuntime", message=message),))
    status = status_of(runtime)
    bound = (dataset.get("status") or {}).get("runtimes") or ()
    if binding is not None and any(each["type"] == kind for each in bound):
        _ready(status, now)
    else:
        _not_ready(status)
    if limits := "; ".join(limits_of_runtime(runtime)):
        with_condition(status, condition("OneMachine", True, "NoMeaningHere", limits), now, stamp="lastProbeTime")
    else:
        drop_condition(status, "OneMachine")
    metadata = runtime["metadata"]
    label = {"fluid.io/dataset-id": dataset_id(metadata["namespace"], metadata["name"], uid=dataset["metadata"]["uid"])}
    owned = any(each["uid"] == dataset["metadata"]["uid"] for each in metadata.get("ownerReferences") or ())
    return Decision(
        status=status if status != runtime.get("status") else None,
        labels={} if label.items() <= (metadata.get("labels") or {}).items() else label,
        finalizers=None if metadata.get("finalizers") else (f"{kind}-runtime-controller-finalizer",),
        owner=None if owned else dataset,
    )


def _ready(status: Manifest, now: float) -> None:
    for name in ("master", "worker", "fuse"):
        status[f"{name}Phase"] = "Ready"
        status[f"{name}NumberReady"] = 1
        for count in ("desired", "current"):
            status[f"{count}{name.capitalize()}NumberScheduled"] = 1
    status.setdefault("valueFile", "")
    for kind, reason, message in _READY:
        with_condition(status, condition(kind, True, reason, message), now, stamp="lastProbeTime")


def _not_ready(status: Manifest) -> None:
    for name in ("master", "worker", "fuse"):
        status[f"{name}Phase"] = "NotReady"
        status[f"{name}NumberReady"] = 0
        status[f"desired{name.capitalize()}NumberScheduled"] = 1
        status[f"current{name.capitalize()}NumberScheduled"] = 0
    status.setdefault("valueFile", "")
    status.setdefault("conditions", [])
