"""The shapes of places that are no pod templates: operators' roles, chart values, steps, patches."""

from __future__ import annotations

from datafluid.workload.shapes import ContainerShape, Shape

__all__ = ["NOTEBOOK", "OVERRIDE", "PREDICTOR", "PRESTO_ROLE", "SPARK_ROLE", "STEP", "TRAIN_PATCH", "TRINO_ROLE"]

SPARK_ROLE = Shape(
    labels=("labels",),
    annotations=("annotations",),
    affinity=("affinity",),
    node_selector=("nodeSelector",),
    volumes=("..", "volumes"),
    spec=(),
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
    inherited_affinity=("..", "affinity"),  # the chart takes one or the other
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    containers=(ContainerShape(at=(), name="presto", made=True), ContainerShape(at=("initContainers",), init=True)),
)
NOTEBOOK = Shape(labels=("..", "..", "metadata", "labels"), annotations=("..", "..", "metadata", "annotations"))
STEP = Shape(
    affinity=("affinity",),
    inherited_affinity=("..", "..", "affinity"),
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    containers=(
        ContainerShape(at=("container",), name="main"),
        ContainerShape(at=("script",), name="main"),
        ContainerShape(at=("containerSet", "containers")),
        ContainerShape(at=("initContainers",), init=True),
        ContainerShape(at=("sidecars",)),
    ),
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
    containers=(
        *(ContainerShape(at=(name,), name="kserve-container") for name in _FRAMEWORKS),
        ContainerShape(at=("containers",)),
        ContainerShape(at=("initContainers",), init=True),
    ),
)
#: A patch of the training runtime's pods. The trainer's environment can only be set beside it.
TRAIN_PATCH = Shape(
    containers=(
        ContainerShape(at=("spec", "containers"), env_from=None),
        ContainerShape(at=("spec", "initContainers"), env_from=None, init=True),
    ),
)
OVERRIDE = Shape(
    labels=None,
    annotations=None,
    affinity=None,  # that API has none
    node_selector=("nodeSelector",),
    volumes=("volumes",),
    spec=(),
    containers=(
        ContainerShape(at=("containers",), env_from=None),
        ContainerShape(at=("initContainers",), env_from=None, init=True),
    ),
)
