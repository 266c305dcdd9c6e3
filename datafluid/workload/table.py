"""The table of workload kinds, by API group and kind."""

from __future__ import annotations

from datafluid.model.plain import Path
from datafluid.workload.kind import Hold, TemplateAt, WorkloadKind
from datafluid.workload.layouts import INLINE_STEP, NOTEBOOK, PREDICTOR, PRESTO_ROLE, STEP, TRINO_ROLE
from datafluid.workload.sparkkinds import SPARK_KINDS
from datafluid.workload.trainers import REPLICAS, SUSPEND, TRAINERS

__all__ = ["ALL"]

_NO_REPLICAS = Hold(
    way="replicas", path=("spec", "replicas"), value=0, proviso="Not under a HorizontalPodAutoscaler: it would undo it."
)
_WAIT, _ORDERED = Hold(way="wait"), Hold(way="ordered")


def _steps(*above: str) -> tuple[TemplateAt, ...]:
    """The steps of a workflow, those that are written where they are used among them."""
    each: Path = (*above, "templates", "*")
    inline = ((*each, "dag", "tasks", "*", "inline"), (*each, "steps", "*", "*", "inline"))
    return (
        TemplateAt(path=each, role=None, shape=STEP),
        *(TemplateAt(path=path, role=None, shape=INLINE_STEP) for path in inline),
    )


#: Every kind that is known.
ALL = (
    *TRAINERS,
    *SPARK_KINDS,
    WorkloadKind(
        kind="Pod",
        templates=(TemplateAt(path=()),),
        hold=Hold(
            way="gate",
            path=("spec", "schedulingGates"),
            value=({"name": "datafluid.io/data-not-ready"},),
            proviso="Only when the pod does not reach Fluid's webhook, which refuses it before its dataset is bound.",
        ),
    ),
    WorkloadKind(
        kind="Deployment",
        groups=("apps", "extensions"),
        templates=(TemplateAt(path=("spec", "template"), count=REPLICAS),),
        hold=_NO_REPLICAS,
        service=True,
    ),
    WorkloadKind(
        kind="StatefulSet",
        groups=("apps",),
        templates=(TemplateAt(path=("spec", "template"), count=REPLICAS),),
        hold=_NO_REPLICAS,
        service=True,
    ),
    WorkloadKind(
        kind="ReplicaSet",
        groups=("apps", "extensions"),
        templates=(TemplateAt(path=("spec", "template"), count=REPLICAS),),
        hold=_NO_REPLICAS,
        service=True,
    ),
    WorkloadKind(
        kind="DaemonSet",
        groups=("apps", "extensions"),
        templates=(TemplateAt(path=("spec", "template"), default_count=None),),
        hold=_ORDERED,
        service=True,
        notes=("Its pods go to every node that fits, so a preference changes nothing and a requirement narrows it.",),
    ),
    WorkloadKind(
        kind="Job",
        groups=("batch",),
        templates=(TemplateAt(path=("spec", "template"), count=("..", "parallelism")),),
        hold=SUSPEND,
    ),
    WorkloadKind(
        kind="CronJob",
        groups=("batch",),
        templates=(TemplateAt(path=("spec", "jobTemplate", "spec", "template"), count=("..", "parallelism")),),
        hold=SUSPEND,
    ),
    WorkloadKind(
        kind="JobSet",
        groups=("jobset.x-k8s.io",),
        templates=(
            TemplateAt(
                path=("spec", "replicatedJobs", "*", "template", "spec", "template"),
                role=None,
                count=("..", "parallelism"),
                times=("..", "..", "..", "replicas"),
            ),
        ),
        hold=SUSPEND,
    ),
    WorkloadKind(
        kind="LeaderWorkerSet",
        groups=("leaderworkerset.x-k8s.io",),
        templates=(
            TemplateAt(
                path=("spec", "leaderWorkerTemplate", "leaderTemplate"), role="leader", count=("..", "..", "replicas")
            ),
            TemplateAt(
                path=("spec", "leaderWorkerTemplate", "workerTemplate"),
                role="worker",
                count=("..", "size"),
                times=("..", "..", "replicas"),
            ),
        ),
        hold=_NO_REPLICAS,
        service=True,
    ),
    WorkloadKind(
        kind="Job",
        groups=("batch.volcano.sh",),
        templates=(TemplateAt(path=("spec", "tasks", "*", "template"), role=None, count=REPLICAS),),
        hold=_WAIT,
        notes=("Volcano has no suspend.",),
    ),
    WorkloadKind(
        kind="FlinkDeployment",
        groups=("flink.apache.org",),
        templates=(
            TemplateAt(
                path=("spec", "podTemplate"),
                default_count=None,
                made=True,
                container="flink-main-container",
            ),
        ),
        hold=Hold(
            way="suspend", path=("spec", "job", "state"), value="suspended", proviso="Only with a job; not a session."
        ),
        container="flink-main-container",
        notes=("Job and task managers share this template; one of their own is merged into it.",),
    ),
    WorkloadKind(
        kind="Notebook",
        groups=("kubeflow.org",),
        templates=(TemplateAt(path=("spec", "template"), role="notebook", shape=NOTEBOOK),),
        hold=Hold(
            way="suspend",
            path=("metadata", "annotations", "kubeflow-resource-stopped"),
            value="1970-01-01T00:00:00Z",
        ),
        service=True,
    ),
    WorkloadKind(
        kind="InferenceService",
        groups=("serving.kserve.io",),
        templates=tuple(
            TemplateAt(path=("spec", role), role=role, shape=PREDICTOR, count=("minReplicas",))
            for role in ("predictor", "transformer", "explainer")
        ),
        hold=_ORDERED,
        container="kserve-container",
        service=True,
    ),
    WorkloadKind(
        kind="Workflow",
        groups=("argoproj.io",),
        templates=_steps("spec"),
        hold=SUSPEND,
        container="main",
    ),
    WorkloadKind(
        kind="WorkflowTemplate",
        groups=("argoproj.io",),
        templates=_steps("spec"),
        hold=_ORDERED,
        container="main",
    ),
    WorkloadKind(
        kind="CronWorkflow",
        groups=("argoproj.io",),
        templates=_steps("spec", "workflowSpec"),
        hold=SUSPEND,
        container="main",
    ),
    WorkloadKind(
        kind="TrinoValues",
        groups=("helm",),
        templates=(
            TemplateAt(path=("coordinator",), role="coordinator", shape=TRINO_ROLE, made=True, steers=True),
            TemplateAt(
                path=("worker",),
                role="worker",
                shape=TRINO_ROLE,
                count=("..", "server", "workers"),
                default_count=2,
                made=True,
            ),
        ),
        hold=_ORDERED,
        container="trino",
        service=True,
    ),
    WorkloadKind(
        kind="PrestoValues",
        groups=("helm",),
        templates=(
            TemplateAt(path=("coordinator",), role="coordinator", shape=PRESTO_ROLE, made=True, steers=True),
            TemplateAt(
                path=("worker",), role="worker", shape=PRESTO_ROLE, count=("replicas",), default_count=2, made=True
            ),
        ),
        hold=_ORDERED,
        container="presto",
        service=True,
    ),
)
