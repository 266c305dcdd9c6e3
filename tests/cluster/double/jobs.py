"""The Jobs and CronJobs behind operations: made by a helm chart, read back into the operation's status."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from datafluid.engine.reconcile.values import go_duration, parse_time, status_of
from datafluid.errors import Invalid
from datafluid.model.names import OperationNames, name_budget
from datafluid.model.ref import Ref
from datafluid.model.schedule import Schedule
from datafluid.plane.port import Manifest
from tests.cluster.double import affinity
from tests.cluster.double.traits import Identity, Trait
from tests.cluster.double.world import Create, Delete, Remember, Step, Tell, World, do, owner_of

_RETRY = 20.0
_INSTALL = 0.4  # seconds that helm takes for so small a chart
_APP = {"DataLoad": "fluid-dataloader", "DataMigrate": "fluid-datamigrate", "DataProcess": "fluid-dataprocess"}
_SCRIPT = {"DataLoad": "data-load-script", "DataMigrate": "script", "DataProcess": "scripts"}
_IMAGE = "double.example.com/operation:1"


def installed(world: World, operation: Manifest, dataset: Manifest, trait: Trait) -> Generator[Step, None, bool]:
    """The steps of ``helm install``; whether all of it is there."""
    kind, name = operation["kind"], operation["metadata"]["name"]
    names = OperationNames.of(kind, name)
    is_cron = operation["spec"].get("policy") == "Cron"
    job = Ref("batch/v1/CronJob" if is_cron else "batch/v1/Job", str(names.job), operation["metadata"]["namespace"])
    if world.get(job) is not None:
        return True
    if not world.remembered(Ref.of(operation), "helm"):
        yield do(Remember(Ref.of(operation), "helm", 1), then=_INSTALL)
    if problem := _helm_error(world, operation):
        yield Step((Tell(Ref.of(operation), "Warning", "DataOperationExecutionFailed", problem, kind),), again=_RETRY)
        return False
    made = [_script(operation, dataset, names.release), _job(world, operation, dataset, trait, job, names.release)]
    yield do(*(Create(each) for each in made), then=0.02)
    return False


def _helm_error(world: World, operation: Manifest) -> str:
    kind, name, spec = operation["kind"], operation["metadata"]["name"], operation["spec"]
    is_cron = spec.get("policy") == "Cron"
    if problem := affinity.strategy_error(world, operation):
        return f"fail to execute data operation: {problem}"
    if name in world.faults.refusing:
        return (
            "fail to execute data operation: failed to install chart: the server could not find the requested resource"
        )
    if len(name) > name_budget(kind, cron=is_cron):
        return "fail to execute data operation: failed to install chart: the name is too long"
    if is_cron:
        try:
            Schedule(spec["schedule"])
        except Invalid as error:
            return f"fail to execute data operation: failed to install chart: {error.message}"
    return ""


def _labels(operation: Manifest, dataset: Manifest, release: str, role: str) -> dict[str, str]:
    kind = operation["kind"]
    labels = {
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": _APP[kind],
        "fluid.io/dataset-id": "" if kind == "DataProcess" else Identity.of(dataset).id,
        "fluid.io/managed-by": "fluid",
        "release": release,
    }
    return labels | ({"heritage": "Helm"} if role == "script" and kind == "DataProcess" else {})


def _metadata(operation: Manifest, name: str, labels: dict[str, str], release: str, *, owned: bool) -> Manifest:
    namespace = operation["metadata"]["namespace"]
    helm = {"meta.helm.sh/release-name": release, "meta.helm.sh/release-namespace": namespace}
    metadata: Manifest = {"name": name, "namespace": namespace, "labels": labels, "annotations": helm}
    if owned:
        metadata["ownerReferences"] = [owner_of(operation, controller=True, block=False)]
    return metadata


def _script(operation: Manifest, dataset: Manifest, release: str) -> Manifest:
    kind = operation["kind"]
    labels = _labels(operation, dataset, release, "script")
    if kind != "DataProcess":
        labels["role"] = f"{kind.lower()}-job"
    metadata = _metadata(operation, f"{release}-{_SCRIPT[kind]}", labels, release, owned=kind == "DataProcess")
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}


def _job(world: World, operation: Manifest, dataset: Manifest, trait: Trait, ref: Ref, release: str) -> Manifest:
    kind, spec = operation["kind"], operation["spec"]
    is_cron = spec.get("policy") == "Cron"
    lower = kind.lower()
    common = _labels(operation, dataset, release, "job") | {
        "app": "fluid-dataprocess" if kind == "DataProcess" else trait.type,
        "targetDataset": dataset["metadata"]["name"],
    }
    own: dict[str, str] = {"parallelism": str(spec.get("parallelism", 1))} if kind == "DataMigrate" else {}
    if is_cron:
        own |= {
            "fluid.io/jobPolicy": "cron",
            **({"dataload": operation["metadata"]["name"]} if kind == "DataLoad" else {}),
        }
    labels = common | own | {"role": f"{lower}-{'cronjob' if is_cron else 'job'}"}
    template = _template(world, operation, dataset, common | {"role": f"{lower}-pod"}, ref.name if is_cron else "")
    job = {"backoffLimit": 3, "completions": 1, "parallelism": 1, "template": template}
    metadata = _metadata(operation, ref.name, labels, release, owned=True)
    body: dict[str, Any] = job
    if is_cron:
        template_labels = template["metadata"]["labels"]
        body = {
            "concurrencyPolicy": "Allow",
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"metadata": {"labels": template_labels}, "spec": job},
            "schedule": spec["schedule"],
            "successfulJobsHistoryLimit": 3,
            "suspend": False,
        }
    return {"apiVersion": "batch/v1", "kind": ref.bare_kind, "metadata": metadata, "spec": body}


def _template(world: World, operation: Manifest, dataset: Manifest, labels: dict[str, str], cronjob: str) -> Manifest:
    """The pod: it mounts the dataset where the operation works through the mount."""
    kind, spec = operation["kind"], operation["spec"]
    asked = spec.get("processor", {}) if kind == "DataProcess" else spec
    labels = labels | ({"cronjob": cronjob} if cronjob else {}) | ((asked.get("podMetadata") or {}).get("labels") or {})
    quiet = {"sidecar.istio.io/inject": "false"}
    container: Manifest = {"name": kind.lower(), "image": _IMAGE}
    pod: Manifest = {"containers": [container], "restartPolicy": "Never"} | affinity.after_it(world, operation)
    if kind in ("DataProcess", "DataMigrate"):
        name = dataset["metadata"]["name"]
        pod["volumes"] = [{"name": "dataset", "persistentVolumeClaim": {"claimName": name}}]
        container["volumeMounts"] = [{"name": "dataset", "mountPath": "/data"}]
    return {"metadata": {"labels": labels, "annotations": quiet}, "spec": pod}


def in_circles(world: World, operation: Manifest, dataset: Manifest) -> Step:
    """Policy OnEvent: helm installs a chart with nothing but a script in it, and removes it, for ever."""
    kind, name = operation["kind"], operation["metadata"]["name"]
    script = _script(operation, dataset, OperationNames.of(kind, name).release)
    ref = Ref.of(script)
    if world.get(ref) is not None:
        return Step((Delete(ref),), again=_RETRY)
    if world.remembered(Ref.of(operation), "helm"):
        return do(Create(script), then=0.2)
    return do(Remember(Ref.of(operation), "helm", 1), then=_INSTALL)


def made_by(world: World, operation: Manifest) -> list[Manifest]:
    """What helm made for an operation and is still there."""
    kind, metadata = operation["kind"], operation["metadata"]
    names = OperationNames.of(kind, metadata["name"])
    candidates = (
        Ref("batch/v1/CronJob", str(names.job), metadata["namespace"]),
        Ref("batch/v1/Job", str(names.job), metadata["namespace"]),
        Ref("v1/ConfigMap", f"{names.release}-{_SCRIPT.get(kind, '')}", metadata["namespace"]),
        Ref("v1/ConfigMap", f"{metadata['name']}-script", metadata["namespace"]),
    )
    return [found for ref in candidates if (found := world.get(ref)) is not None]


def observed(world: World, operation: Manifest) -> Manifest:
    """The status that its Job, or its newest run, calls for."""
    kind, metadata = operation["kind"], operation["metadata"]
    name = str(OperationNames.of(kind, metadata["name"]).job)
    if operation["spec"].get("policy") != "Cron":
        job = world.get(Ref("batch/v1/Job", name, metadata["namespace"]))
        status = _after(status_of(operation), job, first_condition=kind == "DataProcess")
        ran = kind == "DataLoad" and job is not None and status["phase"] == "Complete"
        return status | (affinity.where_it_ran(world, job) if ran and job is not None else {})
    cron = world.get(Ref("batch/v1/CronJob", name, metadata["namespace"]))
    return _after_run(world, operation, cron) if cron is not None else status_of(operation)


def _after(status: Manifest, job: Manifest | None, *, first_condition: bool) -> Manifest:
    """Copy the end of a Job; a DataProcess copies the first condition, whatever its type."""
    conditions = ((job or {}).get("status") or {}).get("conditions") or []
    wanted = (
        conditions[:1] if first_condition else [each for each in conditions if each["type"] in ("Complete", "Failed")]
    )
    if job is None or not wanted:
        return status
    ended = wanted[0]
    failed = ended["type"] in ("Failed", "FailureTarget")
    took = (parse_time(ended["lastTransitionTime"]) or 0) - (parse_time(job["metadata"]["creationTimestamp"]) or 0)
    return status | {"conditions": [ended], "duration": go_duration(took), "phase": "Failed" if failed else "Complete"}


def _after_run(world: World, operation: Manifest, cron: Manifest) -> Manifest:
    status = status_of(operation)
    state = cron.get("status") or {}
    for field in ("lastScheduleTime", "lastSuccessfulTime"):
        if field in state:
            status[field] = state[field]
    runs = world.owned(cron, "batch/v1/Job")
    newest = max(runs, key=lambda run: run["metadata"]["name"], default=None)
    if newest is None:
        return status
    ended = [
        each for each in (newest.get("status") or {}).get("conditions") or () if each["type"] in ("Complete", "Failed")
    ]
    if ended:
        if "completionTime" in newest["status"]:  # the CronJob itself may not have noticed yet
            status["lastSuccessfulTime"] = newest["status"]["completionTime"]
        return _after(status, newest, first_condition=False)
    if status["phase"] in ("Complete", "Failed"):
        return status | {"phase": "Pending", "duration": "-"}
    return status


def _finished_at(operation: Manifest) -> float | None:
    """When it ended, as the time to live counts: by a condition Complete or Failed, and no other."""
    for each in (operation.get("status") or {}).get("conditions") or ():
        if each["type"] in ("Complete", "Failed"):
            return parse_time(each["lastProbeTime"])
    return None


def ttl_is_over(world: World, operation: Manifest) -> bool:
    """Whether it is to be deleted by its time to live."""
    ttl, ended = operation["spec"].get("ttlSecondsAfterFinished"), _finished_at(operation)
    return ttl is not None and ended is not None and world.now >= ended + ttl


def ttl_left(world: World, operation: Manifest, *, otherwise: float | None) -> float | None:
    """Seconds until then, at least a moment."""
    ttl, ended = operation["spec"].get("ttlSecondsAfterFinished"), _finished_at(operation)
    if ttl is None or ended is None or operation["spec"].get("policy") == "Cron":
        return otherwise
    return max(0.01, min(ended + ttl - world.now, otherwise or float("inf")))
