"""The table of workload kinds that are Spark's: two operators, told apart by their API group."""

from __future__ import annotations

from datafluid.workload.kind import Hold, TemplateAt, WorkloadKind
from datafluid.workload.layouts import SPARK_ROLE
from datafluid.workload.trainers import SUSPEND

__all__ = ["DRIVER_TEMPLATE", "EXECUTOR_TEMPLATE", "SPARK_KINDS"]


def _spark(*above: str) -> tuple[TemplateAt, ...]:
    return (
        TemplateAt(path=(*above, "driver"), role="driver", shape=SPARK_ROLE, made=True, steers=True),
        TemplateAt(path=(*above, "executor"), role="executor", shape=SPARK_ROLE, count=("instances",), made=True),
    )


#: Spark's own names of its containers, which its pod templates need not list.
DRIVER_TEMPLATE = TemplateAt(
    path=("spec", "driverSpec", "podTemplateSpec"),
    role="driver",
    made=True,
    container="spark-kubernetes-driver",
    steers=True,
)
EXECUTOR_TEMPLATE = TemplateAt(
    path=("spec", "executorSpec", "podTemplateSpec"), role="executor", made=True, container="spark-kubernetes-executor"
)
_SPARK_NOTES = (
    "All but labels and pod templates needs the operator's webhook; it acts in its job namespaces only, silently.",
    "Its webhook replaces the affinity of a pod template with that of driver or executor.",
    "A volume is added only where a volumeMount of the role names it.",
)
_SPARK_SUSPEND = Hold(
    way="suspend", path=("spec", "suspend"), proviso="Only where the installed CRD has the field (operator 2.4)."
)

#: The kinds.
SPARK_KINDS = (
    WorkloadKind(
        kind="SparkApplication",
        groups=("sparkoperator.k8s.io",),
        templates=_spark("spec"),
        hold=_SPARK_SUSPEND,
        container="spark",
        notes=_SPARK_NOTES,
    ),
    WorkloadKind(
        kind="ScheduledSparkApplication",
        groups=("sparkoperator.k8s.io",),
        templates=_spark("spec", "template"),
        hold=SUSPEND,
        container="spark",
        notes=_SPARK_NOTES,
    ),
    WorkloadKind(
        kind="SparkApplication",
        groups=("spark.apache.org",),
        templates=(
            DRIVER_TEMPLATE,
            EXECUTOR_TEMPLATE,
        ),
        hold=Hold(way="wait"),
        notes=("This operator has no suspend.",),
    ),
    WorkloadKind(
        kind="SparkCluster",
        groups=("spark.apache.org",),
        templates=(
            TemplateAt(
                path=("spec", "masterSpec", "statefulSetSpec", "template"),
                role="master",
                made=True,
                container="master",
                steers=True,
            ),
            TemplateAt(
                path=("spec", "workerSpec", "statefulSetSpec", "template"),
                role="worker",
                count=("/", "spec", "clusterTolerations", "instanceConfig", "initWorkers"),
                made=True,
                container="worker",
            ),
        ),
        hold=Hold(way="ordered"),
        service=True,
    ),
    WorkloadKind(
        kind="SparkConnect",
        groups=("sparkoperator.k8s.io",),
        templates=(
            TemplateAt(
                path=("spec", "server", "template"),
                role="server",
                made=True,
                container="spark-kubernetes-driver",
                steers=True,
            ),
            TemplateAt(
                path=("spec", "executor", "template"),
                role="executor",
                count=("..", "instances"),
                made=True,
                container="spark-kubernetes-executor",
            ),
        ),
        hold=Hold(way="ordered"),
        service=True,
    ),
)
