"""The pod templates that a wrap writes to; parts of them that the manifest leaves out are created first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from datafluid.model.plain import Path, as_list, as_map, as_text, look
from datafluid.workload.draft import Draft
from datafluid.workload.kind import TemplateAt, WorkloadKind
from datafluid.workload.layouts import OVERRIDE, SPARK_ROLE, TRAIN_PATCH
from datafluid.workload.places import PodPlace, pod_places
from datafluid.workload.sparkkinds import DRIVER_TEMPLATE, EXECUTOR_TEMPLATE
from datafluid.workload.topology import Topology, TrainPatch
from datafluid.workload.trainers import PATCHED

__all__ = ["prepared_places"]

_MANAGER = "datafluid.io/wrap"
_NODE = "node"
_SPELLINGS: tuple[TrainPatch, ...] = ("runtimePatches", "podTemplateOverrides", "podSpecOverrides")


def prepared_places(
    draft: Draft, kind: WorkloadKind | None, topology: Topology, home: str, templates: tuple[Path, ...]
) -> list[PodPlace]:
    """The places to write to, each with its containers."""
    if kind is not None and kind.kind == "TrainJob":
        places = [_trainer(draft, topology)]
    elif kind is not None and kind.templates[0].shape is SPARK_ROLE:
        places = [_spark_role(draft, place, topology, home) for place in pod_places(draft.data)]
    else:
        places = pod_places(draft.data, templates=templates)
    for place in places:
        _name_container(draft, place)
    return places


def _name_container(draft: Draft, place: PodPlace) -> None:
    """List the container that the controller has anyway, so that it can be given something."""
    running = [each for each in place.containers(draft.data) if not each.shape.init]
    if place.template.container and not running:
        path = place.at(place.template.shape.containers[0].at)
        draft.add(path, {"name": place.template.container}, "the container that these pods have anyway.")


def _spark_role(draft: Draft, place: PodPlace, topology: Topology, home: str) -> PodPlace:
    """Driver or executor by its pod template, where the role's own fields would not arrive."""
    acts = topology.spark_namespaces
    unheard = acts is not None and not ({"", home} & acts)
    if unheard:
        draft.tell(
            "note",
            f"the Spark operator's webhook does not act in {home}, so pod templates are used (Spark 3 or later).",
        )
    elif acts is None:
        draft.tell(
            "warning",
            f"volumes, affinity and environment need the Spark operator's webhook to act in {home}; where it does"
            " not, they are ignored silently.",
            fix="Add the namespace to the chart's spark.jobNamespaces and set webhook.enable, or give a topology.",
        )
    if not unheard:
        return place
    native = DRIVER_TEMPLATE if place.role == "driver" else EXECUTOR_TEMPLATE
    path = (*place.path, "template")
    template = TemplateAt(
        path=path, role=place.role, count=("..", "instances"), container=native.container, steers=native.steers
    )
    return PodPlace(path=path, role=place.role, template=template)


def _trainer(draft: Draft, topology: Topology) -> PodPlace:
    """The entry of a TrainJob that patches the trainer's pods, in the spelling that is used or installed."""
    spec = as_map(draft.data.get("spec"))
    written = [name for name in _SPELLINGS if spec.get(name)]
    spelling = written[0] if written else topology.train_patch or _SPELLINGS[0]
    if not written and topology.train_patch is None:
        draft.tell(
            "note",
            f"the patch is spelled {spelling}, as Trainer 2.2 and later have it.",
            fix="Earlier ones have podTemplateOverrides (2.1) or podSpecOverrides (2.0): give a topology with the CRD.",
        )
    path = _patch(draft) if spelling == "runtimePatches" else _override(draft, spelling)
    shape = (
        OVERRIDE if spelling == "podSpecOverrides" else replace(TRAIN_PATCH, inherited_affinity=_earlier(draft, path))
    )
    template = TemplateAt(path=path, role=_NODE, shape=shape, container=_NODE)
    return PodPlace(path=path, role=_NODE, template=template)


def _earlier(draft: Draft, path: Path) -> tuple[Path, ...]:
    """The affinities of your own patches of the trainer's pods, the last first: a later one takes their place."""
    patches = [each for each in pod_places(draft.data) if each.template.shape is TRAIN_PATCH and each.path != path]
    found = [each.at(("spec", "affinity")) for each in patches if {_NODE, "*"} & set(each.role.split(","))]
    return tuple(("/", *each) for each in reversed(found))


def _patch(draft: Draft) -> Path:
    listed: Path = ("spec", "runtimePatches")
    job: dict[str, Any] = {"name": _NODE, "template": {"spec": {"template": {"spec": {}}}}}
    entry = {"manager": _MANAGER, "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}}}
    number = _find(draft, listed, "manager", _MANAGER)
    if number is None:
        draft.append(listed, entry, "a patch of the trainer's pods, of its own.")
        number = len(draft.look(listed)) - 1
    return (*listed, number, *PATCHED[3:7], 0, *PATCHED[8:])


def _override(draft: Draft, spelling: str) -> Path:
    listed: Path = ("spec", spelling)
    target = [{"name": _NODE}]
    for number, each in enumerate(as_list(draft.look(listed))):
        if as_map(each).get("targetJobs") == target:
            return (*listed, number)
    draft.append(listed, {"targetJobs": target}, "a patch of the trainer's pods.")
    return (*listed, len(draft.look(listed)) - 1)


def _find(draft: Draft, listed: Path, key: str, value: str) -> int | None:
    for number, each in enumerate(as_list(draft.look(listed))):
        if as_text(look(each, (key,))) == value:
            return number
    return None
