"""How a workload is created without running yet, and how it is let go: manifests in, manifests and patches out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import Path, as_list, as_map, look
from datafluid.model.podlabels import INJECT
from datafluid.workload.kind import Hold
from datafluid.workload.kinds import workload_kind

__all__ = ["HoldFacts", "choose_hold", "held", "release_patch"]

_KUEUE = "kueue.x-k8s.io/queue-name"
_WAIT = Hold(way="wait")


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldFacts:
    """What decides about a hold and is not in the manifest.

    Args:
        autoscaled: Whether a HorizontalPodAutoscaler sets its replicas.
        has_field: Whether the installed CRD has the field that holds it.
    """

    autoscaled: bool = False
    has_field: bool = True


def choose_hold(manifest: Mapping[str, Any], facts: HoldFacts | None = None) -> Hold:
    """The way to hold a workload; ``wait`` when it cannot be held, with the reason as proviso.

    Raises:
        Invalid: an autoscaler would undo the hold.

    Example:
        >>> choose_hold({"apiVersion": "batch/v1", "kind": "Job"}).way
        'suspend'
        >>> job = {"apiVersion": "batch/v1", "kind": "Job"}
        >>> choose_hold({**job, "metadata": {"labels": {"kueue.x-k8s.io/queue-name": "team"}}}).way
        'wait'
    """
    facts = facts or HoldFacts()
    kind = workload_kind(manifest)
    if kind is None:
        return replace(_WAIT, proviso="Nothing is known of its kind.")
    hold = kind.hold
    labels = as_map(as_map(manifest.get("metadata")).get("labels"))
    if labels.get(_KUEUE):
        return replace(_WAIT, proviso="Kueue decides when it is suspended, so it is created when its data is there.")
    if hold.way == "replicas" and facts.autoscaled:
        raise Invalid(
            f"{kind.kind} {look(manifest, ('metadata', 'name'))} cannot be held: an autoscaler sets its replicas.",
            hint="Delete the HorizontalPodAutoscaler until the workload runs, or submit the datasets alone.",
        )
    if hold.way == "suspend" and not facts.has_field:
        return replace(_WAIT, proviso="Its CRD is not known to have the field that holds it.")
    if hold.way == "gate" and any(labels.get(label) == "true" for label in INJECT):
        return replace(_WAIT, proviso="Fluid's webhook refuses the pod before its dataset is bound.")
    holds, why_not = _PROVISOS.get(kind.kind, (None, ""))
    return hold if holds is None or holds(as_map(manifest.get("spec"))) else replace(_WAIT, proviso=why_not)


def held(manifest: Mapping[str, Any], hold: Hold) -> dict[str, Any]:
    """The manifest with its hold; as it is where there is none.

    Example:
        >>> job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": 2}}
        >>> held(job, choose_hold(job))["spec"]
        {'parallelism': 2, 'suspend': True}
    """
    if not hold.path:
        return dict(manifest)
    value = hold.value
    if hold.way == "gate":
        gates = as_list(look(manifest, hold.path))
        value = [*gates, *(dict(gate) for gate in hold.value if gate not in gates)]
    return _put(manifest, hold.path, value)


def release_patch(live: Mapping[str, Any], hold: Hold, before: Any) -> dict[str, Any]:
    """The JSON merge patch that lets a held workload go.

    Args:
        live: The object as it is now.
        before: What the manifest said where the hold is; None when it said nothing.

    Example:
        >>> job = {"apiVersion": "batch/v1", "kind": "Job", "spec": {"suspend": True}}
        >>> release_patch(job, choose_hold(job), None)
        {'spec': {'suspend': False}}
    """
    if not hold.path:
        return {}
    value = before
    if hold.way == "gate":
        ours = {gate["name"] for gate in hold.value}
        value = [gate for gate in as_list(look(live, hold.path)) if gate.get("name") not in ours]
    elif before is None and hold.value is True:
        value = False
    elif before is None and hold.way == "replicas":
        value = 1
    return _nested(hold.path, value)


def _ray_can_suspend(spec: Mapping[str, Any]) -> bool:
    return spec.get("shutdownAfterJobFinishes") is True and not spec.get("clusterSelector")


_PROVISOS: dict[str, tuple[Callable[[Mapping[str, Any]], bool], str]] = {
    "RayJob": (_ray_can_suspend, "A RayJob can be suspended only if it shuts its own cluster down when it ends."),
    "Pod": (lambda spec: not spec.get("nodeName"), "A pod that is bound to a node cannot have a scheduling gate."),
    "FlinkDeployment": (lambda spec: bool(spec.get("job")), "A Flink session has no job to suspend."),
}


def _put(data: Any, path: Path, value: Any) -> dict[str, Any]:
    first, *rest = (str(step) for step in path)
    below = _put(as_map(data).get(first), tuple(rest), value) if rest else value
    return {**as_map(data), first: below}


def _nested(path: Path, value: Any) -> dict[str, Any]:
    first, *rest = path
    return {str(first): _nested(tuple(rest), value) if rest else value}
