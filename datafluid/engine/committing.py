"""A decision of the reconciler, written to the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.engine.reconcile.values import Decision
from datafluid.engine.records import Records
from datafluid.errors import Conflict
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = ["commit"]


def commit(records: Records, seen: Manifest, decision: Decision, now: float) -> None:
    """Write down what was decided about an object.

    Args:
        records: An open transaction.
        seen: The object that the decision is about, as it was looked at.

    Raises:
        Conflict: it has changed, or somebody has begun the same run meanwhile.
    """
    ref = Ref.of(seen)
    current = records.find(ref)
    if current is None or current["metadata"]["resourceVersion"] != seen["metadata"]["resourceVersion"]:
        raise Conflict(f"{ref} changed meanwhile.")
    uid = seen["metadata"]["uid"]
    for note in decision.events:
        records.record(uid, note, now)
    _commit_runs(records, uid, decision, now)
    if decision.unbind:
        records.unbind(uid)
    if decision.binding is not None:
        records.bind(decision.binding)
    if decision.remove:
        records.remove(ref)
    elif (new := _changed(current, decision)) != current:
        records.put(new)


def _commit_runs(records: Records, uid: str, decision: Decision, now: float) -> None:
    for tick in decision.begin:
        records.begin_run(uid, tick, now)
    for tick, message in decision.miss:
        records.miss_run(uid, tick, "MissSchedule", message, now)
    for tick in decision.cancel:
        records.cancel_run(uid, tick)
    for tick, reason, message in decision.end:
        records.end_run(uid, tick, phase="Failed", reason=reason, message=message, now=now)
    if decision.keep_runs is not None:
        records.forget_runs(uid, complete=decision.keep_runs[0], others=decision.keep_runs[1])


def _changed(manifest: Manifest, decision: Decision) -> Manifest:
    metadata = dict(manifest["metadata"])
    if decision.labels:
        metadata["labels"] = {**(metadata.get("labels") or {}), **decision.labels}
    if decision.finalizers is not None:
        metadata["finalizers"] = list(decision.finalizers)
    if decision.owner is not None:
        metadata["ownerReferences"] = [_owner_reference(decision.owner)]
    if decision.drop_annotations:
        kept = metadata.get("annotations") or {}
        metadata["annotations"] = {key: kept[key] for key in kept if key not in decision.drop_annotations}
    changed = {**manifest, "metadata": metadata}
    return changed if decision.status is None else {**changed, "status": decision.status}


def _owner_reference(owner: Mapping[str, Any]) -> Manifest:
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
