"""From what was given and what the plane has to what is intended: plan, pins, loads, hold, condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datafluid.applied import apply_order
from datafluid.errors import Conflict, Forbidden, Invalid, NotFound, Unsupported
from datafluid.model.plain import as_map, look
from datafluid.model.ref import Ref
from datafluid.placement import Plan, plan
from datafluid.plane.port import ControlPlane, Manifest
from datafluid.submission.finding import find
from datafluid.submission.loading import check_figures, check_load, given_load, load_manifest
from datafluid.submission.members import Member, members
from datafluid.submission.planning import pod_groups, read_inventory
from datafluid.submission.reading import Given
from datafluid.submission.steps import Intent
from datafluid.workload.holds import HoldFacts, choose_hold
from datafluid.workload.kinds import workload_kind
from datafluid.workload.release import CONDITION, SUBMITTED, DatasetWanted, ReleaseCondition

__all__ = ["Intended", "hold_facts", "intend", "intend_resume"]

_PINNED = "datafluid.io/pinned"  # on a Dataset that was tied to nodes: a later submission leaves it tied to them
_SPARK_CRD = Ref("apiextensions.k8s.io/v1/CustomResourceDefinition", "sparkapplications.sparkoperator.k8s.io")
_AUTOSCALER = "autoscaling/v2/HorizontalPodAutoscaler"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """What is intended, and what is to be said of it before anything is done."""

    intent: Intent
    plan: Plan = field(default_factory=Plan)
    notes: tuple[str, ...] = ()


def intend(plane: ControlPlane, given: Given, *, load: bool | float | None, slack: int) -> Intended:
    """Plan, and decide how the workload is held and until when. Nothing is changed.

    Raises:
        Unschedulable: it fits nowhere.
        Invalid: it cannot be held, or its datasets can never meet.
        Unsupported: a dataset cannot be loaded, or does not tell how much is cached.
        NotFound: a dataset that was named is not there.
    """
    found = members(plane, given)
    workload, live = given.workload, None
    helm = "kind" not in workload
    ref = None if helm else Ref.of(workload)
    if ref is not None:
        live = find(plane, ref)
    known = workload_kind(workload)
    service = known is not None and known.service
    planned, notes = Plan(), list[str]()
    if not _is_ours(live):
        planned, notes = _plan(plane, workload, found, slack=slack, follow=service and (helm or live is not None))
    loads, names = _loads(found, given, load, ref)
    # One that is held already is let go the way it was held, whatever would be chosen today.
    already = known is not None and CONDITION in as_map(look(live or {}, ("metadata", "annotations")))
    hold = known.hold if already and known else choose_hold(workload, hold_facts(plane, workload, ref))
    condition = ReleaseCondition(
        datasets=tuple(_wanted(each, names.get(each.id, ""), load) for each in found),
        before=look(workload, hold.path) if hold.path else None,
        extras=tuple(
            f"{Ref.of(each).kind}/{each['metadata']['name']}"
            for each in given.extras
            if look(each, ("metadata", "namespace")) == look(workload, ("metadata", "namespace"))
        ),
    )
    first = sorted((_tied(each, planned, found) for each in (*given.fluid, *loads)), key=apply_order)
    intent = Intent(
        workload=None if helm else workload,
        ref=ref,
        hold=hold,
        condition=condition,
        first=(*given.beside, *first, *given.extras),
        service=service,
    )
    return Intended(intent=intent, plan=planned, notes=(*notes, *planned.notes, *_hold_notes(intent, helm)))


def intend_resume(plane: ControlPlane, ref: Ref) -> Intended:
    """Go on with a workload that somebody submitted, by what is written on it.

    Raises:
        NotFound: there is no such workload.
        Conflict: nobody submitted it.
    """
    live = plane.get(ref)
    annotations = as_map(look(live, ("metadata", "annotations")))
    kind = workload_kind(live)
    if SUBMITTED not in annotations or kind is None:
        raise Conflict(f"{ref} was not submitted by datafluid.", hint="Submit it with its datasets.")
    text = annotations.get(CONDITION)
    condition = ReleaseCondition.parse(text) if text else ReleaseCondition()
    return Intended(intent=Intent(workload=None, ref=ref, hold=kind.hold, condition=condition))


def _plan(
    plane: ControlPlane, workload: Manifest, found: Sequence[Member], *, slack: int, follow: bool
) -> tuple[Plan, list[str]]:
    inventory, notes = read_inventory(plane)
    if inventory is None:
        return Plan(), notes
    planned = {each.planned.id: each.planned for each in found}
    for each in found:  # one that is required under one name is required under all
        if each.planned.locality == "require":
            planned[each.planned.id] = each.planned
    keys = [each.labels.dataset for each in planned.values() if not each.exists or not inventory.holds(each.labels)]
    groups = pod_groups(workload, keys)
    return plan(inventory, groups, list(planned.values()), slack=slack, follow=follow), notes


def _is_ours(live: Manifest | None) -> bool:
    """Whether an earlier submission has created it: it was planned then, and its own pods may be where it fits."""
    return SUBMITTED in as_map(look(live or {}, ("metadata", "annotations")))


def _loads(
    found: Sequence[Member], given: Given, load: bool | float | None, ref: Ref | None
) -> tuple[list[Manifest], dict[str, str]]:
    """The DataLoads to add, and the name of each dataset's."""
    if load is None or load is False:
        return [], {}
    if load is not True and not 0 < load <= 1:
        raise Invalid(f"{load!r} is no fraction of a dataset.", hint="Give a number above 0, 1 at most, or True.")
    added, names = [], {}
    for each in (each for each in found if not each.made):
        check_load(each.manifest, each.runtime)
        if load is not True and each.runtime is not None:
            check_figures(each.manifest, each.runtime)
        if not (name := given_load(each.manifest, given.fluid)):
            made = load_manifest(each.manifest, ref or Ref("helm", "values", each.namespace))
            name = made["metadata"]["name"]
            added.append(made)
        names[each.id] = name
    return added, names


def _wanted(member: Member, load: str, fraction: bool | float | None) -> DatasetWanted:
    workers = member.planned.workers
    return DatasetWanted(
        namespace=member.namespace,
        name=member.name,
        holder=member.planned.id if member.planned.id != member.id else "",
        nodes=min(1, workers) if member.planned.locality != "require" else workers,
        cached=None if isinstance(fraction, bool) else fraction,
        load=load,
    )


def _tied(manifest: Manifest, planned: Plan, found: Sequence[Member]) -> Manifest:
    """A Dataset with its pin: the planned one, or the one that it has."""
    if manifest["kind"] != "Dataset":
        return manifest
    metadata = as_map(manifest.get("metadata"))
    live = next((each.live for each in found if each.id == f"{metadata['namespace']}/{metadata['name']}"), None)
    if live is not None:
        if _PINNED not in as_map(look(live, ("metadata", "annotations"))):
            return manifest
        spec = {**as_map(manifest.get("spec")), "nodeAffinity": look(live, ("spec", "nodeAffinity"))}
        return _noted({**manifest, "spec": spec})
    tied = planned.pinned(manifest)
    return _noted(tied) if tied != manifest else manifest


def _noted(manifest: Manifest) -> Manifest:
    metadata = as_map(manifest.get("metadata"))
    annotations = {**as_map(metadata.get("annotations")), _PINNED: "true"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def hold_facts(plane: ControlPlane, workload: Manifest, ref: Ref | None) -> HoldFacts:
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


def _hold_notes(intent: Intent, helm: bool) -> Iterator[str]:
    if helm:
        yield "Values of a chart are not applied: run `helm upgrade` when the datasets are ready."
    elif not intent.hold.path:
        why = f": {intent.hold.proviso}" if intent.hold.proviso else "."
        yield f"{intent.ref} is created when its datasets are ready{why}"
    elif intent.condition.before == intent.hold.value and intent.hold.way == "suspend":
        yield f"{intent.ref} says itself that it is suspended, so it stays so."
