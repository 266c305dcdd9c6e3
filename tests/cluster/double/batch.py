"""Kubernetes' controllers of Jobs and CronJobs, and its garbage collector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from datafluid.engine.reconcile.values import condition, parse_time, rfc3339
from datafluid.model.ref import Ref
from datafluid.model.schedule import Schedule
from datafluid.plane.port import Manifest
from tests.cluster.double.world import (
    NOTHING,
    Change,
    Controller,
    Create,
    Delete,
    Patch,
    Remember,
    Step,
    World,
    deleting,
    do,
    first,
    owner_of,
    owners,
)

_NOTICES = 1.0  # seconds until a Job's status follows its pods
_BACKOFF = 10.0
_REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")
_EXCEEDED = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")


def controllers() -> list[Controller]:
    """Jobs, CronJobs, and what goes when its owner has gone."""
    return [
        Controller("jobs", _look_at_job, _wakes_job),
        Controller("cronjobs", _look_at_cron, _wakes_cron),
        Controller("garbage", _look_at_garbage, _wakes_garbage),
    ]


def _wakes_job(world: World, change: Change) -> Iterable[Ref]:
    ref = change.ref
    if ref.kind == "batch/v1/Job" and change.declared:
        yield ref
    elif ref.kind == "v1/Pod":
        yield from (Ref("batch/v1/Job", o["name"], ref.namespace) for o in owners(change.object) if o["kind"] == "Job")


def _look_at_job(world: World, ref: Ref) -> Step:
    job = world.get(ref)
    return NOTHING if job is None or deleting(job) else first(_job(world, job))


def _job(world: World, job: Manifest) -> Iterator[Step]:
    ref, status = Ref.of(job), job.get("status") or {}
    if any(each["type"] in ("Complete", "Failed") for each in status.get("conditions") or ()):
        return
    pods = world.owned(job, "v1/Pod")
    phases = [(pod.get("status") or {}).get("phase", "Pending") for pod in pods]
    failures = phases.count("Failed")
    if "Succeeded" in phases:
        yield from _ends(world, ref, status, ("SuccessCriteriaMet", "Complete"), _REACHED)
    if failures > job["spec"]["backoffLimit"]:
        yield from _ends(world, ref, status, ("FailureTarget", "Failed"), _EXCEEDED)
    if failures == len(pods):
        pause = _BACKOFF * 2 ** (failures - 1) if failures else 0.0
        due = world.remembered(ref, f"retry{failures}")
        if pause and not due:
            yield do(Remember(ref, f"retry{failures}", world.now + pause * world.faults.slow), then=pause)
        if world.now < due - 0.001:
            yield Step(again=(due - world.now) / world.faults.slow)
        yield do(Create(_job_pod(job)), then=0.02)
    started = status.get("startTime") or rfc3339(world.now)
    wanted = {"active": phases.count("Pending") + phases.count("Running"), "failed": failures, "startTime": started}
    if wanted != {key: status.get(key) for key in wanted}:
        yield do(Patch(ref, {"status": wanted}))


def _ends(world: World, ref: Ref, status: Manifest, kinds: tuple[str, str], why: tuple[str, str]) -> Iterator[Step]:
    """First that it will end this way, a moment later that it has: two conditions, in this order."""
    if not world.remembered(ref, "noticed"):
        yield do(Remember(ref, "noticed", 1), then=_NOTICES)
    stamp = dict.fromkeys(("lastProbeTime", "lastTransitionTime"), rfc3339(world.now))
    both = [condition(kind, True, *why) | stamp for kind in kinds]
    if not status.get("conditions"):
        yield do(Patch(ref, {"status": {"conditions": both[:1], "active": None}}))
    ended = {"conditions": [status["conditions"][0], both[1]]} if status.get("conditions") else {}
    if kinds[1] == "Complete":
        ended |= {"succeeded": 1, "completionTime": rfc3339(world.now)}
    yield do(Patch(ref, {"status": ended}))


def _job_pod(job: Manifest) -> Manifest:
    template = job["spec"]["template"]
    name = job["metadata"]["name"]
    metadata = {
        "generateName": f"{name}-",
        "namespace": job["metadata"]["namespace"],
        "labels": template["metadata"]["labels"] | {"job-name": name, "batch.kubernetes.io/job-name": name},
        "ownerReferences": [owner_of(job, controller=True, block=True)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def _wakes_cron(world: World, change: Change) -> Iterable[Ref]:
    ref = change.ref
    if ref.kind == "batch/v1/CronJob" and change.declared:
        yield ref
    elif ref.kind == "batch/v1/Job" and change.type != "ADDED":
        yield from (
            Ref("batch/v1/CronJob", o["name"], ref.namespace) for o in owners(change.object) if o["kind"] == "CronJob"
        )


def _look_at_cron(world: World, ref: Ref) -> Step:
    cron = world.get(ref)
    return NOTHING if cron is None or deleting(cron) else first(_cron(world, cron))


def _cron(world: World, cron: Manifest) -> Iterator[Step]:
    ref, status, spec = Ref.of(cron), cron.get("status") or {}, cron["spec"]
    runs = sorted(world.owned(cron, "batch/v1/Job"), key=lambda run: run["metadata"]["name"])
    succeeded = [run for run in runs if (run.get("status") or {}).get("succeeded")]
    active = [run for run in runs if not _is_over(run)]
    failed = [run for run in runs if _is_over(run) and run not in succeeded]
    surplus = [*succeeded[: -spec["successfulJobsHistoryLimit"]], *failed[: -spec["failedJobsHistoryLimit"]]]
    if surplus:
        yield do(*(Delete(Ref.of(run)) for run in surplus))
    changes: Manifest = {"active": [{"name": run["metadata"]["name"]} for run in active] or None}
    if succeeded:
        changes["lastSuccessfulTime"] = max(run["status"]["completionTime"] for run in succeeded)
    if any(status.get(key) != value for key, value in changes.items()):
        yield do(Patch(ref, {"status": changes}))
    if spec.get("suspend"):
        return
    now = datetime.fromtimestamp(world.now, UTC)
    since = datetime.fromtimestamp(
        parse_time(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]) or 0, UTC
    )
    schedule = Schedule(spec["schedule"], spec.get("timeZone") or "UTC")
    tick = schedule.latest_due(since, now)
    if tick is not None:
        run = _run(cron, tick)
        yield do(Create(run), Patch(ref, {"status": {"lastScheduleTime": rfc3339(tick.timestamp())}}))
    wait = schedule.next_after(now).timestamp() - world.now
    yield Step(again=wait / world.faults.slow + 0.02)


def _is_over(run: Manifest) -> bool:
    return any(each["type"] in ("Complete", "Failed") for each in (run.get("status") or {}).get("conditions") or ())


def _run(cron: Manifest, tick: datetime) -> Manifest:
    template = cron["spec"]["jobTemplate"]
    metadata = {
        "name": f"{cron['metadata']['name']}-{int(tick.timestamp()) // 60}",
        "namespace": cron["metadata"]["namespace"],
        "labels": template["metadata"]["labels"],
        "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": rfc3339(tick.timestamp())},
        "ownerReferences": [owner_of(cron, controller=True, block=True)],
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": template["spec"]}


def _wakes_garbage(world: World, change: Change) -> Iterable[Ref]:
    if change.type == "DELETED":
        uid = change.object["metadata"]["uid"]
        yield from (ref for ref, each in world.objects.items() if any(o["uid"] == uid for o in owners(each)))
    elif owners(change.object) != owners(change.before or {"metadata": {}}):
        yield change.ref


def _look_at_garbage(world: World, ref: Ref) -> Step:
    """Owners are looked for in the namespace of what they own: one of another namespace counts as gone."""
    found = world.get(ref)
    if found is None or deleting(found):
        return NOTHING
    here = {
        each["metadata"]["uid"]
        for each in world.objects.values()
        if each["metadata"].get("namespace") in (None, ref.namespace)
    }
    if owners(found) and not any(owner["uid"] in here for owner in owners(found)):
        elsewhere = any(each["metadata"]["uid"] == owners(found)[0]["uid"] for each in world.objects.values())
        if elsewhere and not world.remembered(ref, "dangling"):
            return do(Remember(ref, "dangling", 1), then=0.5)
        return do(Delete(ref))
    return NOTHING
