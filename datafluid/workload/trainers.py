"""The table of workload kinds that train: Kubeflow's and Ray's."""

from __future__ import annotations

from typing import Any

from datafluid.model.plain import Path
from datafluid.workload.kind import Hold, TemplateAt, WorkloadKind
from datafluid.workload.layouts import OVERRIDE, TRAIN_PATCH

__all__ = ["REPLICAS", "SUSPEND", "TRAINERS"]

#: How most kinds that can be held are.
SUSPEND = Hold(way="suspend", path=("spec", "suspend"))
#: The number of pods stands beside their template.
REPLICAS: Path = ("..", "replicas")
_SUSPEND_POLICY = Hold(way="suspend", path=("spec", "runPolicy", "suspend"))


def _replica_specs(name: str) -> tuple[TemplateAt, ...]:
    return (TemplateAt(path=("spec", name, "*", "template"), role=None, count=REPLICAS),)


def _ray(*above: str) -> tuple[TemplateAt, ...]:
    return (
        TemplateAt(path=(*above, "headGroupSpec", "template"), role="head"),
        TemplateAt(path=(*above, "workerGroupSpecs", "*", "template"), role=None, count=REPLICAS),
    )


def _training(kind: str, specs: str, container: str, **more: Any) -> WorkloadKind:
    return WorkloadKind(
        kind=kind,
        groups=("kubeflow.org",),
        templates=_replica_specs(specs),
        hold=_SUSPEND_POLICY,
        container=container,
        **more,
    )


#: The kinds.
TRAINERS = (
    _training("PyTorchJob", "pytorchReplicaSpecs", "pytorch"),
    _training("TFJob", "tfReplicaSpecs", "tensorflow"),
    _training("MPIJob", "mpiReplicaSpecs", "", notes=("The launcher reads no data unless it runs a worker too.",)),
    _training("XGBoostJob", "xgbReplicaSpecs", "xgboost"),
    _training("PaddleJob", "paddleReplicaSpecs", "paddle"),
    _training("JAXJob", "jaxReplicaSpecs", "jax"),
    WorkloadKind(
        kind="TrainJob",
        groups=("trainer.kubeflow.org",),
        templates=(
            TemplateAt(
                path=(
                    "spec",
                    "runtimePatches",
                    "*",
                    "trainingRuntimeSpec",
                    "template",
                    "spec",
                    "replicatedJobs",
                    "*",
                    "template",
                    "spec",
                    "template",
                ),
                role=None,
                shape=TRAIN_PATCH,
                count=None,
            ),
            TemplateAt(path=("spec", "podTemplateOverrides", "*"), role=None, shape=TRAIN_PATCH),
            TemplateAt(path=("spec", "podSpecOverrides", "*"), role=None, shape=OVERRIDE),
        ),
        hold=SUSPEND,
        container="node",
        notes=("The pods are described by its training runtime; here they are only patched.",),
    ),
    WorkloadKind(kind="RayCluster", groups=("ray.io",), templates=_ray("spec"), hold=SUSPEND),
    WorkloadKind(
        kind="RayJob",
        groups=("ray.io",),
        templates=(
            *_ray("spec", "rayClusterSpec"),
            TemplateAt(path=("spec", "submitterPodTemplate"), role="submitter"),
        ),
        hold=Hold(
            way="suspend",
            path=("spec", "suspend"),
            proviso="Only with shutdownAfterJobFinishes: true and without clusterSelector.",
        ),
    ),
    WorkloadKind(
        kind="RayService",
        groups=("ray.io",),
        templates=_ray("spec", "rayClusterConfig"),
        hold=Hold(way="ordered"),
        service=True,
    ),
)
