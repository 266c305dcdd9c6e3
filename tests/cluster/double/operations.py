"""The controllers of DataLoad, DataMigrate, DataProcess and DataBackup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from datafluid.engine.reconcile.values import condition, rfc3339
from datafluid.model.names import OperationNames
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets
from datafluid.plane.port import Manifest
from tests.cluster.double import jobs
from tests.cluster.double.crash import crashed, crashes
from tests.cluster.double.locks import locked, released
from tests.cluster.double.traits import BY_TYPE, physical_of
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Delete,
    Patch,
    Remember,
    Step,
    Tell,
    World,
    Write,
    deleting,
    do,
    finalized,
    first,
    owner_of,
    owners,
    with_finalizer,
    without_finalizer,
)

_RETRY = 20.0
_WATCHES_JOBS = ("DataLoad", "DataMigrate")


def controller(kind: str) -> Controller:
    """The controller of one kind of operation."""
    return Controller(kind.lower(), lambda world, ref: _look(world, ref), lambda w, c: _wakes(kind, c), crashed)


def _wakes(kind: str, change: Change) -> Iterable[Ref]:
    ref, before = change.ref, change.before or {}
    if ref.kind == kind:
        waiting = (change.object.get("status") or {}).get("waitingFor")
        if change.declared or (change.type == "MODIFIED" and waiting != (before.get("status") or {}).get("waitingFor")):
            yield ref
    elif kind in _WATCHES_JOBS and ref.kind == "batch/v1/Job":
        label = change.object["metadata"].get("labels") or {}
        names = [o["name"] for o in owners(change.object) if o["kind"] == kind]
        if label.get("cronjob") and label.get("release", "").endswith(_suffix(kind)):
            names.append(label["release"].removesuffix(_suffix(kind)))
        yield from (Ref(kind, name, ref.namespace) for name in names)


def _suffix(kind: str) -> str:
    return OperationNames.of(kind, "").release


def finalizer(kind: str) -> str:
    """What holds an operation until its helm release is gone."""
    return f"fluid-{kind.lower()}-controller-finalizer"


def tell(operation: Manifest, kind: Literal["Normal", "Warning"], reason: str, message: str) -> Tell:
    """An event of the operation's own controller."""
    return Tell(Ref.of(operation), kind, reason, message, operation["kind"])


def _look(world: World, ref: Ref) -> Step:
    operation = world.get(ref)
    if operation is None:
        return NOTHING
    if deleting(operation):
        return first(_deleted(world, operation)) if finalized(operation, finalizer(ref.kind)) else NOTHING
    return first(_steps(world, operation))


def _dataset_ref(operation: Manifest) -> Ref | None:
    """The dataset as the controller looks it up; a namespace that was left out is none at all."""
    spec = operation["spec"]
    if operation["kind"] in ("DataLoad", "DataProcess") and not (spec.get("dataset") or {}).get("namespace"):
        return None
    found = operation_datasets(operation)
    return Ref("Dataset", found[0][1], found[0][0]) if found else None


def _steps(world: World, operation: Manifest) -> Iterator[Step]:
    kind = operation["kind"]
    ref = _dataset_ref(operation)
    dataset = world.get(ref) if ref is not None else None
    if dataset is None:
        name = operation_datasets(operation)[0][1]
        problem = f'Target dataset not found: Dataset.data.fluid.io "{name}" not found'
        yield Step((tell(operation, "Warning", "TargetDatasetNotFound", problem),), again=_RETRY)
        return
    if not (dataset.get("status") or {}).get("runtimes"):
        waiting = tell(operation, "Normal", "RuntimeNotReady", "Bounded accelerate runtime not ready")
        yield Step((waiting,), again=_RETRY)
        return
    if not finalized(operation, finalizer(kind)):
        yield do(with_finalizer(operation, finalizer(kind)))
    if not owners(operation):
        yield do(Patch(Ref.of(operation), {"metadata": {"ownerReferences": [owner_of(dataset)]}}))
    if physical_of(dataset) is not None:
        problem = "thinEngine for reference dataset does not support data operations"
        said = world.remembered(Ref.of(operation), "said")
        news = (
            tell(operation, "Warning", "DataOperationNotSupport", problem),
            Remember(Ref.of(operation), "said", said + 1),
        )
        yield Step(news, again=0.02) if said < 2 else NOTHING  # twice, and never looks again
        return
    if not operation.get("status"):
        yield _accepted(world, operation, dataset)
    phase = operation["status"]["phase"]
    if phase == "Pending" and not operation["status"].get("waitingFor", {}).get("operationComplete"):
        yield from locked(world, operation, dataset)
        yield do(Patch(Ref.of(operation), {"status": {"phase": "Executing"}}), then=0.03)
    elif phase == "Executing":
        yield from _executing(world, operation, dataset)
    elif phase in ("Complete", "Failed"):
        yield from _ended(world, operation, dataset)


def _accepted(world: World, operation: Manifest, dataset: Manifest) -> Step:
    """Valid: Pending, and waiting where it runs after another. Not valid: Failed."""
    base: Manifest = {"conditions": [], "duration": "Unfinished", "phase": "Pending", "waitingFor": {}}
    spec = operation["spec"]
    if problem := _invalid(operation, dataset):
        reason, message, duration = problem
        stamp = dict.fromkeys(("lastProbeTime", "lastTransitionTime"), rfc3339(world.now))
        failed = condition("Failed", True, reason, message) | stamp
        status = base | {"conditions": [failed], "duration": duration, "phase": "Failed"}
        if operation["kind"] == "DataBackup":
            reason, message = "DataOperationNotValid", f"don't support path in this form, path: {spec['backupPath']}"
        return do(tell(operation, "Warning", reason, message), Patch(Ref.of(operation), {"status": status}))
    if spec.get("runAfter"):
        base["waitingFor"] = {"operationComplete": True}
    return do(Patch(Ref.of(operation), {"status": base}))


def _invalid(operation: Manifest, dataset: Manifest) -> tuple[str, str, str] | None:
    kind, spec = operation["kind"], operation["spec"]
    if dataset["metadata"]["namespace"] != operation["metadata"]["namespace"]:
        return "TargetDatasetNamespaceNotSame", f"{kind} and its dataset are not in the same namespace", "Unfinished"
    if kind == "DataBackup" and not spec.get("backupPath", "").startswith(("local://", "pvc://")):
        return "PathNotSupported", "Only support pvc and local path now", ""
    if spec.get("policy") == "Cron" and not spec.get("schedule"):
        return "ScheduleNotSpecified", "Schedule not set for a cron policy", ""
    return None


def _executing(world: World, operation: Manifest, dataset: Manifest) -> Iterator[Step]:
    kind = operation["kind"]
    trait = BY_TYPE[dataset["status"]["runtimes"][0]["type"]]
    if kind not in trait.operations:
        problem = f"RuntimeType {trait.type} not support {kind}"
        not_supported = tell(operation, "Warning", "DataOperationNotSupport", problem)
        yield do(not_supported, Patch(Ref.of(operation), {"status": {"phase": "Failed"}}), then=0.05)
        return
    if kind == "DataBackup":
        yield from crashes(world, operation)
        return
    if operation["spec"].get("policy") == "OnEvent":
        yield jobs.in_circles(world, operation, dataset)
        return
    installed = yield from jobs.installed(world, operation, dataset, trait)
    if not installed:
        return
    status = jobs.observed(world, operation)
    if status != operation["status"]:
        changes = dict.fromkeys(set(operation["status"]) - set(status)) | status
        yield do(Patch(Ref.of(operation), {"status": changes}))
    yield Step(again=_RETRY)


def _ended(world: World, operation: Manifest, dataset: Manifest) -> Iterator[Step]:
    """Unlock, tell, and go when the time to live is over; one on a schedule begins again with the next run."""
    yield from released(world, operation, dataset)
    if operation["kind"] == "DataBackup":
        yield from crashes(world, operation)
        return
    kind, name, spec = operation["kind"], operation["metadata"]["name"], operation["spec"]
    failed = operation["status"]["phase"] == "Failed"
    verb, reason = ("failed", "DataOperationFailed") if failed else ("succeeded", "DataOperationSucceed")
    if (jobs.ttl_is_over(world, operation) and spec.get("policy") != "Cron") or name in world.faults.losing:
        yield do(Delete(Ref.of(operation)))
        return
    if spec.get("policy") == "Cron":
        status = jobs.observed(world, operation)
        if status != operation["status"]:
            yield do(Patch(Ref.of(operation), {"status": status}))
    key, said = Ref.of(operation), world.remembered(Ref.of(operation), "said")
    if said < 2:  # it says so once more at its next look
        remember = Remember(key, "said", said + 1)
        news = tell(operation, "Warning" if failed else "Normal", reason, f"{kind} {name} {verb}")
        yield Step((news, remember), again=jobs.ttl_left(world, operation, otherwise=_RETRY))
        return
    yield Step(again=jobs.ttl_left(world, operation, otherwise=None))


def _deleted(world: World, operation: Manifest) -> Iterator[Step]:
    made = jobs.made_by(world, operation)
    if made:
        writes: list[Write] = [Delete(Ref.of(each)) for each in made]
        yield do(*writes, then=0.04)
    ref = _dataset_ref(operation)
    dataset = world.get(ref) if ref is not None else None
    if dataset is not None:
        yield from released(world, operation, dataset)
    yield do(without_finalizer(operation, finalizer(operation["kind"])))
