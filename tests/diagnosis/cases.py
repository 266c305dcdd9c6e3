"""One way to break the cluster for each cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datafluid.model.ref import Ref

from .world import (
    APP,
    CLAIM,
    CONTROLLER,
    DATASET,
    DELETED,
    FUSE,
    HOOK,
    MASTER,
    RUNTIME,
    WORKER,
    WORKERS,
    World,
    container,
    obj,
    operation,
    pod_of,
    user_pod,
)

_UNSCHEDULABLE = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
_FAILED_CREATE = 'create Pod demo-worker-0 in StatefulSet demo-worker failed error: pods "demo-worker-0" is forbidden: '
_HELM = (
    "fail to execute data operation: failed to install kubernetes resources of /charts: walk.go:75: found symbolic link"
)
_TERMS = [{"matchExpressions": [{"key": "fluid.io/s-team-demo", "operator": "In", "values": ["true"]}]}]
REQUIRED = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": _TERMS}}}
_DENIED = 'Error creating: admission webhook "fuse.serverful.fluid.io" denied the request: '


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A way to break it.

    Args:
        code: The cause that must come first.
        broken: Breaks the cluster.
        seen: What must stand in the evidence, the summary or the command.
    """

    code: str
    broken: Callable[[World], Any]
    seen: tuple[str, ...] = ()


def pending(message: str, part: str = "worker") -> Callable[[World], Any]:
    """A pod of the dataset that no node takes."""
    told = {"status": {"phase": "Pending", "conditions": [{**_UNSCHEDULABLE, "message": message}]}}
    ref = {"worker": WORKER, "master": MASTER}[part]
    return lambda world: world.unbind().change(ref, **told)


def waits(part: str, reason: str, message: str) -> Callable[[World], Any]:
    """A container that waits."""
    state = container(part, state={"waiting": {"reason": reason, "message": message}})
    ref = {"worker": WORKER, "master": MASTER, "fuse": FUSE}[part]
    return lambda world: world.unbind().change(ref, status={"phase": "Pending", **state})


def ended(part: str, reason: str, *, now: str = "", code: int = 137) -> Callable[[World], Any]:
    """A container that ended before."""
    state: Any = {"waiting": {"reason": now}} if now else {"running": {}}
    last = {"terminated": {"reason": reason, "exitCode": code, "message": "bad option --x"}}
    ref = {"worker": WORKER, "master": MASTER, "fuse": FUSE}[part]
    return lambda world: world.change(ref, status=container(part, state=state, lastState=last, restartCount=4))


def refused(words: str) -> Callable[[World], Any]:
    """Pods that the API server does not let be made."""
    return lambda world: world.unbind().remove(WORKER).told(WORKERS, "FailedCreate", _FAILED_CREATE + words)


def leaving(world: World) -> World:
    """The dataset is being deleted."""
    return world.change(DATASET, **DELETED)


def _second(world: World) -> None:
    world.put(obj(Ref("JuiceFSRuntime", "demo", "team"), spec={}))
    world.told(
        Ref("JuiceFSRuntime", "demo", "team"),
        "ErrorProcessRuntime",
        'Failed to sync the ddc due to StatefulSet.apps "demo-worker" not found',
    )


def _reference(phase: str) -> Callable[[World], Any]:
    mounts = {"mounts": [{"mountPoint": "dataset://base/imagenet", "name": "data"}]}

    def broken(world: World) -> None:
        world.unbind().remove(RUNTIME).change(DATASET, spec=mounts)
        if phase:
            world.put(obj(Ref("Dataset", "imagenet", "base"), spec={"mounts": []}, status={"phase": phase}))

    return broken


def _wrong_name(world: World) -> None:
    world.unbind().remove(RUNTIME)
    world.put(obj(Ref("AlluxioRuntime", "dmeo", "team"), spec={}))
    world.told(
        Ref("AlluxioRuntime", "dmeo", "team"), "ErrorProcessRuntime", "No dataset can be bound to the runtime, waiting."
    )


def _bad_name(world: World) -> None:
    world.remove(DATASET, RUNTIME, APP, CLAIM, MASTER, WORKER, FUSE)


def _thin(world: World) -> None:
    world.unbind().remove(RUNTIME).put(obj(Ref("ThinRuntime", "demo", "team"), spec={"profileName": "nfss"}))
    world.put(obj(Ref("ThinRuntimeProfile", "nfs"), spec={"fileSystemType": "nfs"}))


def _own_operation(world: World) -> None:
    world.operate("DataProcess", name="crunch", status={"phase": "Executing"})
    leaving(world).remove(APP).told(
        DATASET,
        "ErrorDeleteDataset",
        "Failed to delete dataset because err: can not delete dataset because Pod crunch-processor-job-4tgvw in "
        "Namespace team is using it",
        count=12,
    )


def _leaked(world: World) -> None:
    ref = Ref("ThinRuntime", "ref", "team")
    world.put(obj(ref, spec={}, metadata={"finalizers": ["thin-runtime-controller-finalizer"], **DELETED["metadata"]}))
    world.told(ref, "ErrorProcessRuntime", 'Failed to shutdown engine Dataset.data.fluid.io "demo" not found')


def _ring(world: World) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        after = {"kind": "DataProcess", "name": other, "namespace": "team"}
        world.operate("DataProcess", name=one, status={"phase": "Pending"}, runAfter=after)


def _behind(phase: str) -> Callable[[World], Any]:
    def broken(world: World) -> None:
        after = {"kind": "DataLoad", "name": "first"}
        world.operate("DataLoad", name="second", status={"phase": "Pending"}, runAfter=after)
        if phase:
            world.operate("DataLoad", name="first", status={"phase": phase})

    return broken


def _failed(world: World) -> None:
    world.operate("DataLoad", status={"phase": "Failed", "conditions": [{"type": "Failed", "message": "exit 1"}]})
    world.put(
        obj(Ref("batch/v1/Job", "warm-loader-job", "team"), metadata={"labels": {"fluid.io/managed-by": "fluid"}})
    )
    job = Ref("batch/v1/Job", "warm-loader-job", "team")
    world.told(job, "BackoffLimitExceeded", "Job has reached the specified backoff limit")


def _suspended(world: World) -> None:
    world.operate("DataLoad", policy="Cron", schedule="0 3 * * *", status={"phase": "Complete"})
    labels = {"labels": {"fluid.io/managed-by": "fluid"}}
    world.put(obj(Ref("batch/v1/CronJob", "warm-loader-job", "team"), metadata=labels, spec={"suspend": True}))


def _denied(why: str) -> Callable[[World], Any]:
    def broken(world: World) -> None:
        if "not bound" in why:
            world.unbind()
        world.put(obj(Ref("batch/v1/Job", "train", "team")))
        world.told(Ref("batch/v1/Job", "train", "team"), "FailedCreate", _DENIED + why)

    return broken


def _required(world: World) -> None:
    world.change(Ref("v1/Node", "n1"), metadata={"labels": {"fluid.io/s-team-demo": None}}).remove(APP)
    world.put(user_pod(spec={"nodeName": "", "affinity": REQUIRED}, phase="Pending"))


def _full(world: World) -> None:
    message = (
        "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't match Pod's node affinity/selector."
    )
    world.remove(APP).put(
        user_pod(
            spec={"nodeName": "", "affinity": REQUIRED},
            phase="Pending",
            conditions=[{**_UNSCHEDULABLE, "message": message}],
        )
    )
    world.change(Ref("v1/Node", "n1"), spec={"unschedulable": True})


def _runs_fail(world: World) -> None:
    world.operate("DataLoad", policy="Cron", schedule="* * * * *", status={"phase": "Executing"})
    for number, kind in ((1, "Complete"), (2, "Failed"), (3, None)):
        ended = [{"type": kind, "status": "True", "reason": "BackoffLimitExceeded"}] if kind else []
        labels = {"labels": {"fluid.io/managed-by": "fluid"}}
        job = Ref("batch/v1/Job", f"warm-loader-job-2992426{number}", "team")
        world.put(obj(job, metadata=labels, status={"conditions": ended}))


def _figures(**states: str) -> Callable[[World], Any]:
    return lambda world: world.change(DATASET, status={"cacheStates": states})


def _far(world: World) -> None:
    _figures(cacheHitRatio="88.0%", localHitRatio="12.0%")(world)
    world.put(user_pod("far", node="n3"))


def _prefetch(world: World) -> None:
    annotations = {
        "file-prefetcher.fluid.io/inject": "true",
        "file-prefetcher.fluid.io/prefetch-timeout-seconds": "10m",
    }
    world.put(user_pod("warmed", annotations=annotations))


def _exclusive(world: World) -> None:
    pending("0/5 nodes are available: 1 node(s) didn't match pod anti-affinity rules, 4 node(s) didn't match")(world)
    other = pod_of("worker")
    other["metadata"] |= {"name": "other-worker-0", "labels": {"fluid.io/dataset": "team-other"}}
    world.put(other)


CASES = [
    # leaving
    Case(code="in-use", broken=leaving, seen=("kubectl delete pod app -n team",)),
    Case(code="in-use", broken=_own_operation, seen=("DataProcess 'crunch'", "kubectl delete dataprocess crunch")),
    Case(
        code="referenced",
        broken=lambda world: (
            leaving(world)
            .remove(APP)
            .told(
                DATASET,
                "ErrorDeleteDataset",
                "Failed to delete dataset because there are datasets [vision/ref] mounted to it",
            )
        ),
        seen=("datafluid delete dataset ref -n vision",),
    ),
    Case(code="leaked-finalizer", broken=_leaked, seen=("finalizers", "kubectl patch thinruntime ref")),
    Case(
        code="cleaning",
        broken=lambda world: world.change(RUNTIME, **DELETED).told(
            RUNTIME,
            "ErrorProcessRuntime",
            "Failed to shutdown engine to make sure if the remaining cache is cleaned up, check again",
        ),
    ),
    Case(
        code="claim-in-use",
        broken=lambda world: world.change(
            CLAIM, metadata={**DELETED["metadata"], "finalizers": ["kubernetes.io/pvc-protection"]}
        ),
        seen=("Pod app mounts it",),
    ),
    Case(code="deleting", broken=lambda world: leaving(world).remove(APP)),
    # binding
    Case(code="no-dataset", broken=_bad_name, seen=("no dataset 'demo'",)),
    Case(
        code="no-dataset",
        broken=lambda world: world.remove(DATASET),
        seen=("still being removed", "AlluxioRuntime demo"),
    ),
    Case(
        code="controller-down",
        broken=lambda world: world.change(DATASET, status=None).change(CONTROLLER, status={"availableReplicas": 0}),
        seen=("Deployment dataset-controller",),
    ),
    Case(code="second-runtime", broken=_second, seen=("kubectl delete juicefsruntime demo -n team",)),
    Case(code="no-runtime", broken=lambda world: world.unbind().remove(RUNTIME), seen=("No runtime is called 'demo'",)),
    Case(code="no-runtime", broken=_wrong_name, seen=("'dmeo'", "No dataset can be bound")),
    Case(code="reference-unbound", broken=_reference("NotBound"), seen=("Dataset base/imagenet is NotBound",)),
    Case(code="reference-unbound", broken=_reference(""), seen=("datafluid diagnose dataset/imagenet -n base",)),
    Case(
        code="claim-taken",
        broken=lambda world: world.unbind().change(CLAIM, metadata={"labels": None, "annotations": None}),
    ),
    # setting up
    Case(
        code="no-quota",
        broken=lambda world: world.unbind().told(
            RUNTIME,
            "ErrorProcessRuntime",
            'Process Runtime error fail to build runtime info "team/demo": either quota or quotaList must be set',
        ),
        seen=("kubectl edit alluxioruntime demo -n team",),
    ),
    Case(code="no-profile", broken=_thin, seen=("'nfss'", "there is 'nfs'")),
    Case(
        code="mount-error",
        broken=lambda world: world.unbind().told(RUNTIME, "RuntimeMountUfsFailed", "mount s3://bucket: 403 Forbidden"),
        seen=("403 Forbidden",),
    ),
    Case(
        code="mount-pending",
        broken=lambda world: world.change(
            DATASET, spec={"mounts": [{"mountPoint": "s3://bucket/data"}, {"mountPoint": "s3://bucket/more"}]}
        ),
        seen=("s3://bucket/more",),
    ),
    Case(
        code="runtime-error",
        broken=lambda world: world.unbind().told(
            RUNTIME,
            "ErrorProcessRuntime",
            "Failed to setup ddc engine due to error x: Error: INSTALLATION FAILED: no chart",
        ),
        seen=("up: no chart.",),
    ),
    # scheduling
    Case(
        code="no-capacity",
        broken=pending("0/3 nodes are available: 3 Insufficient memory."),
        seen=("too little memory", "memory 4Gi"),
    ),
    Case(code="exclusive", broken=_exclusive, seen=("workers of team-other are there",)),
    Case(
        code="no-node-fits",
        broken=pending("0/5 nodes are available: 5 node(s) didn't match Pod's node affinity/selector.", "master"),
        seen=("constraints of the master",),
    ),
    Case(
        code="quota-exceeded",
        broken=refused("exceeded quota: team, requested: limits.memory=4Gi, used: 8Gi, limited: 10Gi"),
        seen=("kubectl describe resourcequota -n team",),
    ),
    Case(code="limit-range", broken=refused("maximum memory usage per Container is 2Gi, but limit is 4Gi")),
    Case(code="pod-security", broken=refused('violates PodSecurity "restricted:latest": host namespaces')),
    Case(
        code="node-down",
        broken=lambda world: world.change(
            Ref("v1/Node", "n1"), status={"conditions": [{"type": "Ready", "status": "Unknown"}]}
        ),
        seen=("demo-worker-0 is on n1",),
    ),
    Case(
        code="part-lost",
        broken=lambda world: world.change(
            RUNTIME, status={"workerPhase": "PartialReady", "desiredWorkerNumberScheduled": 3}
        ),
        seen=("1 of 3 workers",),
    ),
    # running
    Case(
        code="image-pull",
        broken=waits("master", "ImagePullBackOff", 'Back-off pulling image "alluxio/alluxio:2.9.0"'),
        seen=("of the master", "'alluxio/alluxio:2.9.0'"),
    ),
    Case(
        code="secret-missing",
        broken=waits("master", "CreateContainerConfigError", 'secret "keys" not found'),
        seen=("kubectl create secret generic keys -n team",),
    ),
    Case(
        code="secret-missing",
        broken=lambda world: world.unbind().remove(Ref("v1/Secret", "keys", "team")),
        seen=("encryptOptions name it",),
    ),
    Case(code="fuse-killed", broken=ended("fuse", "OOMKilled"), seen=("its memory limit: 4Gi", "4 restarts")),
    Case(code="worker-killed", broken=ended("worker", "OOMKilled")),
    Case(code="master-killed", broken=ended("master", "OOMKilled", now="CrashLoopBackOff")),
    Case(
        code="evicted",
        broken=lambda world: world.change(
            FUSE, status={"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}
        ),
        seen=("low on resource", "its priority class: none"),
    ),
    Case(
        code="crash-looping",
        broken=ended("worker", "Error", now="CrashLoopBackOff", code=2),
        seen=("exit code 2: bad option --x", "kubectl logs demo-worker-0 -n team -c alluxio-worker --previous"),
    ),
    Case(
        code="crash-looping",
        broken=waits("worker", "CrashLoopBackOff", "back-off restarting failed container"),
        seen=("back-off restarting",),
    ),
    # operating
    Case(
        code="helm-failure",
        broken=lambda world: world.operate("DataLoad", status={"phase": "Executing"}).told(
            Ref("DataLoad", "warm", "team"),
            "DataOperationExecutionFailed",
            f'{_HELM} Error: INSTALLATION FAILED: CronJob.batch "warm-loader-job" is invalid: spec.schedule',
            count=9,
        ),
        seen=("spec.schedule", "(9x)"),
    ),
    Case(code="waits-for", broken=_behind("Failed"), seen=("waits for ever",)),
    Case(code="waits-for", broken=_behind(""), seen=("which is not there",)),
    Case(code="waits-for", broken=_ring, seen=("waits for itself: a -> b -> a",)),
    Case(
        code="unsupported",
        broken=lambda world: world.operate("DataMigrate", name="mig", status={"phase": "Failed"}).told(
            Ref("DataMigrate", "mig", "team"), "DataOperationNotSupport", "RuntimeType alluxio not support DataMigrate"
        ),
        seen=("has no DataMigrate",),
    ),
    Case(
        code="no-target",
        broken=lambda world: world.put(operation() | {"spec": {"dataset": {"name": "demo"}}}).told(
            Ref("DataLoad", "warm", "team"), "TargetDatasetNotFound", 'Target dataset not found: "demo" not found'
        ),
        seen=("names no namespace",),
    ),
    Case(
        code="not-valid",
        broken=lambda world: world.operate(
            "DataLoad", policy="Cron", status={"phase": "Failed", "conditions": []}
        ).told(Ref("DataLoad", "warm", "team"), "ScheduleNotSpecified", "no schedule"),
    ),
    Case(
        code="on-event", broken=lambda world: world.operate("DataLoad", policy="OnEvent", status={"phase": "Executing"})
    ),
    Case(
        code="backup-crash",
        broken=lambda world: world.operate("DataBackup", name="save", status={"phase": "Executing"}).change(
            CONTROLLER, status={"availableReplicas": 0}
        ),
        seen=("kubectl delete databackup save -n team",),
    ),
    Case(code="failed", broken=_failed, seen=("backoff limit", "kubectl logs job/warm-loader-job -n team")),
    Case(code="suspended", broken=_suspended, seen=("kubectl patch cronjob warm-loader-job",)),
    Case(code="runs-fail", broken=_runs_fail, seen=("warm-loader-job-29924262", "phase Executing")),
    # using
    Case(
        code="webhook-denied",
        broken=_denied('failed to build runtime info for PVC "team/demo": dataset "team/demo" not bound'),
        seen=("Job 'train'", "the dataset is not Bound"),
    ),
    Case(
        code="webhook-denied", broken=_denied("failed to get the following PVCs [demo]"), seen=("claim of the dataset",)
    ),
    Case(
        code="webhook-down",
        broken=lambda world: world.put(obj(Ref("apps/v1/ReplicaSet", "web", "team"))).told(
            Ref("apps/v1/ReplicaSet", "web", "team"),
            "FailedCreate",
            'Error creating: Internal error: failed calling webhook "fuse.serverful.fluid.io": connection refused',
        ),
    ),
    Case(code="webhook-missing", broken=lambda world: world.remove(HOOK).put(obj(Ref(HOOK.kind, "other")))),
    Case(code="not-injected", broken=_prefetch, seen=("DF411", "prefetch-timeout-seconds")),
    Case(code="not-injected", broken=lambda world: world.put(user_pod("odd", annotations={})), seen=("swallowed",)),
    Case(code="required-nowhere", broken=_required, seen=("none of 3 nodes",)),
    Case(code="required-full", broken=_full, seen=("node n1 is cordoned", "kubectl describe node n1")),
    Case(code="cache-too-small", broken=_figures(cacheCapacity="512.00MiB"), seen=("512.00MiB",)),
    Case(code="low-hits-placement", broken=_far, seen=("1 of 2", "runs on n3")),
    Case(
        code="low-hits-cold",
        broken=_figures(cacheHitRatio="9.0%", localHitRatio="", cachedPercentage="10.0%"),
        seen=("datafluid load team/demo --wait",),
    ),
    # what was said last
    Case(
        code="newest-warning",
        broken=lambda world: world.unbind().told(DATASET, "ErrorProcessDataset", "something new"),
        seen=("something new",),
    ),
    Case(code="still-starting", broken=lambda world: world.unbind(), seen=("worker not yet",)),
]
