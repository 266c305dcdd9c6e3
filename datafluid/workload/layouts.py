"""The shapes of places that are no pod templates: operators' roles, chart values, steps, patches."""

from __future__ import annotations

from dataclasses import replace

from datafluid.model.plain import Path
from datafluid.workload.shapes import ContainerShape, Shape

__all__ = [
    "INLINE_STEP",
    "NOTEBOOK",
    "OVERRIDE",
    "PREDICTOR",
    "PRESTO_ROLE",
    "SPARK_ROLE",
    "STEP",
    "TRAINER",
    "TRAIN_PATCH",
    "TRINO_ROLE",
]

SPARK_ROLE = Shape(
    labels=("labels",),
    annotations=("annotations",),
    affinity=("affinity",),
    inherited_affinity=(("template", "spec", "affinity"),),  # the operator's webhook takes one or the other
    node_selector=("nodeSelector",),
    volumes=("..", "volumes"),
    spec=(),
    priority=("priorityClassName",),
    dns=None,  # the operator sets it by itself
    containers=(
        ContainerShape(at=(), name="spark", made=True),
        ContainerShape(at=("initContainers",), init=True),
        ContainerShape(at=("sidecars",)),
    ),
)
TRINO_ROLE = Shape(
    labels=("labels",),
    annotations=("annotations",),
    affinity=("affinity",),
    node_selector=("nodeSelector",),
    volumes=("additionalVolumes",),
    spec=(),
    priority=("priorityClassName",),
    dns=None,
    containers=(
        ContainerShape(
            at=(),
            mounts=("additionalVolumeMounts",),
            env=("..", "env"),
            env_from=("..", "envFrom"),
            name="trino",
            made=True,
        ),
    ),
)
PRESTO_ROLE = Shape(
    labels=None,
    annotations=("podAnnotations",),
    affinity=("affinity",),
    inherited_affinity=(("..", "affinity"),),  # the chart takes one or the other
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    priority=None,
    dns=None,
    containers=(ContainerShape(at=(), name="presto", made=True), ContainerShape(at=("initContainers",), init=True)),
)
NOTEBOOK = Shape(labels=("..", "..", "metadata", "labels"), annotations=("..", "..", "metadata", "annotations"))
STEP = Shape(
    affinity=("affinity",),
    inherited_affinity=(("..", "..", "templateDefaults", "affinity"), ("..", "..", "affinity")),
    node_selector=("nodeSelector",),
    volumes=("..", "..", "volumes"),  # of the whole workflow: one volume however many steps
    spec=(),
    priority=("priorityClassName",),
    dns=None,
    containers=(
        ContainerShape(at=("container",), name="main"),
        ContainerShape(at=("script",), name="main"),
        ContainerShape(at=("containerSet", "containers")),
        ContainerShape(at=("initContainers",), init=True),
        ContainerShape(at=("sidecars",)),
    ),
)
_ABOVE_INLINE: Path = ("..",) * 6
#: A step that is written where it is used: in a task of a DAG, or in a list of steps.
INLINE_STEP = replace(
    STEP,
    inherited_affinity=((*_ABOVE_INLINE, "templateDefaults", "affinity"), (*_ABOVE_INLINE, "affinity")),
    volumes=(*_ABOVE_INLINE, "volumes"),
)
_FRAMEWORKS = ("model", "sklearn", "xgboost", "tensorflow", "pytorch", "triton", "onnx", "huggingface", "pmml",
               "lightgbm", "paddle", "alibi", "art")  # fmt: skip
PREDICTOR = Shape(
    labels=("labels",),
    annotations=("annotations",),
    affinity=("affinity",),
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    priority=("priorityClassName",),
    dns=("dnsPolicy",),
    containers=(
        *(ContainerShape(at=(name,), name="kserve-container") for name in _FRAMEWORKS),
        ContainerShape(at=("containers",)),
        ContainerShape(at=("initContainers",), init=True),
    ),
)
#: The trainer of a TrainJob, for who wants to know what it asks for. Its pods are described by its runtime.
TRAINER = Shape(
    labels=None,
    annotations=None,
    affinity=None,
    node_selector=None,
    volumes=("/", "spec", "volumes"),
    spec=None,
    priority=None,
    dns=None,
    containers=(
        ContainerShape(at=(), env=("env",), env_from=None, resources=("resourcesPerNode",), name="node", made=True),
    ),
)
_TRAINER_ENV = ("/", "spec", "trainer", "env")  # a patch may not set the environment of the trainer
#: A patch of the training runtime's pods.
TRAIN_PATCH = Shape(
    priority=None,
    dns=None,
    containers=(
        ContainerShape(at=("spec", "containers"), env=_TRAINER_ENV, env_from=None),
        ContainerShape(at=("spec", "initContainers"), env_from=None, init=True),
    ),
)
#: The oldest form of such a patch, without metadata and affinity.
OVERRIDE = Shape(
    labels=None,
    annotations=None,
    affinity=None,  # that API has none
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    priority=None,
    dns=None,
    containers=(
        ContainerShape(at=("containers",), env=_TRAINER_ENV, env_from=None),
        ContainerShape(at=("initContainers",), env_from=None, init=True),
    ),
)
