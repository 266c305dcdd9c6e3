"""What a wrap has to say about the whole workload, beside what it did in each place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import as_map, as_text, look, show
from datafluid.workload.draft import Draft
from datafluid.workload.kind import WorkloadKind
from datafluid.workload.places import PodPlace
from datafluid.workload.resolve import Resolved

__all__ = ["check_names", "tell_of_kind", "tell_of_requirements", "tell_of_unknown"]


def check_names(draft: Draft, places: Sequence[PodPlace], used: Iterable[Resolved]) -> None:
    """Refuse names in the uses that nothing in the workload has.

    Raises:
        Invalid: there is one; with the names that there are.
    """
    roles = {place.role for place in places}
    containers = {str(each.name) for place in places for each in place.containers(draft.data) if each.name}
    for each in used:
        for what, asked, there in (("role", each.use.roles, roles), ("container", each.use.containers, containers)):
            for name in sorted(set(asked) - there):
                hint = f"There are: {', '.join(map(show, sorted(there)))}." if there else f"It names no {what}."
                raise Invalid(f"{each.dataset}: {_title(draft)} has no {what} {show(name)}.", hint=hint)


def _title(draft: Draft) -> str:
    name = as_text(as_map(draft.data.get("metadata")).get("name"))
    return f"{as_text(draft.data.get('kind')) or 'the chart'} {name}".rstrip()


def tell_of_unknown(draft: Draft, used: Iterable[Resolved]) -> None:
    """Datasets of which nothing is known."""
    for each in used:
        if each.facts is None:
            draft.tell(
                "note",
                f"nothing is known of {each.dataset}: it is taken for a bound, read-only dataset with workers.",
                fix="Give a topology, or wrap where the plane can be asked.",
            )


def tell_of_kind(draft: Draft, kind: WorkloadKind | None) -> None:
    """What one has to know of the kind; that a change of a service replaces its pods."""
    if kind is None:
        return
    if kind.service:
        draft.tell("warning", "a service is wrapped: where it runs already, applying this replaces its pods.")
    for note in kind.notes:
        draft.tell("note", note)
    if kind.kind in _CAUTIONS:
        _CAUTIONS[kind.kind](draft)


def _tell_of_flink(draft: Draft) -> None:
    """The operator lays a role's own template over the common one, and lists upon lists by position."""
    common = draft.look(("spec", "podTemplate"))
    for role in ("jobManager", "taskManager"):
        if _have_a_list_in_common(common, draft.look(("spec", role, "podTemplate"))):
            draft.tell(
                "warning",
                "Flink's operator merges it into spec.podTemplate, and lists item by item as they stand: your first"
                " variable, volume or container with the first one there, whatever they are called.",
                path=("spec", role, "podTemplate"),
                fix="Move what it has into spec.podTemplate; or merge by names, and look at the pods:\n"
                'flinkConfiguration: {kubernetes.operator.pod-template.merge-arrays-by-name: "true"}',
            )


def _have_a_list_in_common(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return any(_have_a_list_in_common(one[key], other[key]) for key in one.keys() & other.keys())
    return bool(one and other and isinstance(one, list) and isinstance(other, list))


def _tell_of_knative(draft: Draft) -> None:
    mode = look(draft.data, ("metadata", "annotations", "serving.kserve.io/deploymentMode"))
    if mode not in ("RawDeployment", "Standard"):
        draft.tell(
            "warning",
            "in KServe's serverless mode Knative refuses claims, affinity, fieldRef and mount propagation, unless its"
            " features kubernetes.podspec-* for them are enabled.",
            fix="Enable them, or set the annotation serving.kserve.io/deploymentMode: RawDeployment.",
        )


_CAUTIONS: Mapping[str, Callable[[Draft], None]] = {
    "FlinkDeployment": _tell_of_flink,
    "InferenceService": _tell_of_knative,
}


def tell_of_requirements(draft: Draft, *, autoscaled: bool | None) -> None:
    """What a required dataset means where nodes come and go."""
    if autoscaled is not False:
        draft.tell(
            "warning",
            "a cluster autoscaler adds no node for a required dataset: no template of a node has its label.",
            fix='Say locality="prefer" where nodes come and go.',
        )
