"""The table of workload kinds that train: Kubeflow's and Ray's."""

from __future__ import annotations

from datafluid.model.plain import Path
from datafluid.workload.kind import Hold, TemplateAt, WorkloadKind
from datafluid.workload.layouts import OVERRIDE, TRAIN_PATCH, TRAINER

__all__ = ["PATCHED", "REPLICAS", "SUSPEND", "TRAINERS"]

#: How most kinds that can be held are.
SUSPEND = Hold(way="suspend", path=("spec", "suspend"))
#: The number of pods stands beside their template.
REPLICAS: Path = ("..", "replicas")
_SUSPEND_POLICY = Hold(way="suspend", path=("spec", "runPolicy", "suspend"))


_BELOW_PATCH: Path = ("trainingRuntimeSpec", "template", "spec", "replicatedJobs")
#: Where the pods of a training runtime are patched.
PATCHED: Path = ("spec", "runtimePatches", "*", *_BELOW_PATCH, "*", "template", "spec", "template")


def _replica_specs(name: str) -> tuple[TemplateAt, ...]:
    return (TemplateAt(path=("spec", name, "*", "template"), role=None, count=REPLICAS),)


def _ray(*above: str) -> tuple[TemplateAt, ...]:
    return (
        TemplateAt(path=(*above, "headGroupSpec", "template"), role="head"),
        TemplateAt(
            path=(*above, "workerGroupSpecs", "*", "template"), role=None, count=REPLICAS, times=("..", "numOfHosts")
        ),
    )


def _training(kind: str, specs: str, container: str) -> WorkloadKind:
    return WorkloadKind(
        kind=kind,
        groups=("kubeflow.org",),
        templates=_replica_specs(specs),
        hold=_SUSPEND_POLICY,
        container=container,
    )


#: The kinds.
TRAINERS = (
    _training("PyTorchJob", "pytorchReplicaSpecs", "pytorch"),
    _training("TFJob", "tfReplicaSpecs", "tensorflow"),
    WorkloadKind(
        kind="MPIJob",
        groups=("kubeflow.org",),
        templates=(
            TemplateAt(
                path=("spec", "mpiReplicaSpecs", "Launcher", "template"), role="Launcher", count=REPLICAS, steers=True
            ),
            TemplateAt(path=("spec", "mpiReplicaSpecs", "Worker", "template"), role="Worker", count=REPLICAS),
        ),
        hold=_SUSPEND_POLICY,
    ),
    _training("XGBoostJob", "xgbReplicaSpecs", "xgboost"),
    _training("PaddleJob", "paddleReplicaSpecs", "paddle"),
    _training("JAXJob", "jaxReplicaSpecs", "jax"),
    WorkloadKind(
        kind="TrainJob",
        groups=("trainer.kubeflow.org",),
        templates=(
            TemplateAt(
                path=("spec", "trainer"), role="node", shape=TRAINER, count=("numNodes",), made=True, container="node"
            ),
            TemplateAt(path=PATCHED, role=None, shape=TRAIN_PATCH, default_count=0),
            TemplateAt(path=("spec", "podTemplateOverrides", "*"), role=None, shape=TRAIN_PATCH, default_count=0),
            TemplateAt(path=("spec", "podSpecOverrides", "*"), role=None, shape=OVERRIDE, default_count=0),
        ),
        hold=SUSPEND,
        container="node",
        notes=(
            "The pods are described by its training runtime; here they are only patched.",
            "An affinity for nodes that the runtime itself has gives way to that of the patch.",
        ),
    ),
    WorkloadKind(kind="RayCluster", groups=("ray.io",), templates=_ray("spec"), hold=SUSPEND),
    WorkloadKind(
        kind="RayJob",
        groups=("ray.io",),
        templates=(
            *_ray("spec", "rayClusterSpec"),
            TemplateAt(path=("spec", "submitterPodTemplate"), role="submitter", steers=True),
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
