"""How a workload is held until its data is there: what the cluster says about it, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Iterator

from datafluid.errors import Forbidden, NotFound, Unsupported
from datafluid.model.plain import as_map, look
from datafluid.model.ref import Ref
from datafluid.plane.finding import find
from datafluid.plane.port import ControlPlane, Manifest
from datafluid.submission.steps import Intent
from datafluid.workload.holds import HoldFacts, choose_hold
from datafluid.workload.kinds import Hold, workload_kind
from datafluid.workload.release import CONDITION

__all__ = ["choose", "hold_notes"]

_SPARK_CRD = Ref("apiextensions.k8s.io/v1/CustomResourceDefinition", "sparkapplications.sparkoperator.k8s.io")
_AUTOSCALER = "autoscaling/v2/HorizontalPodAutoscaler"


def choose(plane: ControlPlane, workload: Manifest, ref: Ref | None, live: Manifest | None) -> Hold:
    """How it is held. One that is held already is let go the way it was held, whatever would be chosen today."""
    known = workload_kind(workload)
    if known is not None and CONDITION in as_map(look(live or {}, ("metadata", "annotations"))):
        return known.hold
    return choose_hold(workload, _facts(plane, workload, ref))


def _facts(plane: ControlPlane, workload: Manifest, ref: Ref | None) -> HoldFacts:
    """What a cluster says about how a workload can be held."""
    if ref is None:
        return HoldFacts()
    return HoldFacts(autoscaled=_is_autoscaled(plane, workload, ref), has_field=_has_suspend(plane, ref))


def _is_autoscaled(plane: ControlPlane, workload: Manifest, ref: Ref) -> bool:
    kind = workload_kind(workload)
    if kind is None or kind.hold.way != "replicas":
        return False
    try:
        found = plane.list(_AUTOSCALER, namespace=ref.namespace)
    except (Forbidden, NotFound, Unsupported):  # who may not see autoscalers is told by the workload that runs early
        return False
    targets = (as_map(look(each, ("spec", "scaleTargetRef"))) for each in found)
    return any((each.get("kind"), each.get("name")) == (ref.bare_kind, ref.name) for each in targets)


def _has_suspend(plane: ControlPlane, ref: Ref) -> bool:
    """Whether the installed SparkApplication is known to have suspend (operator 2.4); other kinds have their field."""
    if ref.bare_kind != "SparkApplication":
        return True
    try:
        crd = find(plane, _SPARK_CRD)
    except Forbidden:
        return False
    path = ("schema", "openAPIV3Schema", "properties", "spec", "properties", "suspend")
    versions = look(crd or {}, ("spec", "versions")) or ()
    version = ref.api_version.rpartition("/")[2]
    return any(look(each, path) is not None for each in versions if each.get("name") == version)


def hold_notes(intent: Intent) -> Iterator[str]:
    """What is to be said of it."""
    if intent.ref is None:
        yield "Values of a chart are not applied: run `helm upgrade` with what `datafluid wrap` prints of them."
    elif not intent.hold.path:
        why = f": {intent.hold.proviso}" if intent.hold.proviso else "."
        yield f"{intent.ref} is created when its datasets are ready{why}"
    elif intent.condition.before == intent.hold.value and intent.hold.way == "suspend":
        yield f"{intent.ref} says itself that it is suspended, so it stays so."
