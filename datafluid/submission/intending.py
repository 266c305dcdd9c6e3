"""From what was given and what the plane has to what is intended: plan, pins, loads, hold, condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from datafluid.applied import apply_order
from datafluid.errors import Conflict, Invalid
from datafluid.model.plain import as_map, look
from datafluid.model.ref import Ref
from datafluid.placement import Plan, plan
from datafluid.plane.finding import find
from datafluid.plane.port import ControlPlane, Manifest
from datafluid.submission.holding import choose, hold_notes
from datafluid.submission.loading import check_figures, check_load, given_load, load_manifest
from datafluid.submission.members import Member, members
from datafluid.submission.planning import pod_groups, read_inventory
from datafluid.submission.reading import Given
from datafluid.submission.steps import Intent
from datafluid.workload.kinds import workload_kind
from datafluid.workload.release import CONDITION, SUBMITTED, DatasetWanted, ReleaseCondition

if TYPE_CHECKING:
    from datafluid.model.lint import Finding

__all__ = ["Intended", "intend", "intend_resume"]

_PINNED = "datafluid.io/pinned"  # on a Dataset that was tied to nodes: a later submission leaves it tied to them


@dataclass(frozen=True, slots=True, kw_only=True)
class Intended:
    """What is intended, and what is to be said of it before anything is done."""

    intent: Intent
    plan: Plan = field(default_factory=Plan)
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def intend(plane: ControlPlane, given: Given, *, load: bool | float | None, slack: int) -> Intended:
    """Plan, and decide how the workload is held and until when. Nothing is changed.

    Raises:
        Unschedulable: it fits nowhere.
        Invalid: it cannot be held, or its datasets can never meet.
        Unsupported: a dataset cannot be loaded, or does not tell how much is cached.
        NotFound: a dataset that was named is not there.
    """
    found = members(plane, given)
    target = _Target.of(plane, given.workload)
    planned, notes = _plan(plane, target, found, slack=slack)
    loads, names = _loads(found, given, load, target.ref)
    hold = choose(plane, given.workload, target.ref, target.live)
    intent = Intent(
        workload=None if target.ref is None else given.workload,
        ref=target.ref,
        hold=hold,
        condition=ReleaseCondition(
            datasets=tuple(_wanted(each, names.get(each.id, ""), load) for each in found),
            before=look(given.workload, hold.path) if hold.path else None,
            extras=_beside_it(given),
        ),
        first=(*given.beside, *_first(given, loads, planned, found), *given.extras),
        service=target.service,
    )
    return Intended(intent=intent, plan=planned, notes=(*notes, *planned.notes, *hold_notes(intent)))


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


@dataclass(frozen=True, slots=True)
class _Target:
    """The workload: what it is called, and what is there of it. A chart's values have no name."""

    workload: Manifest
    ref: Ref | None
    live: Manifest | None

    @classmethod
    def of(cls, plane: ControlPlane, workload: Manifest) -> _Target:
        ref = Ref.of(workload) if "kind" in workload else None
        return cls(workload, ref, find(plane, ref) if ref else None)

    @property
    def service(self) -> bool:
        """Whether it runs for good."""
        known = workload_kind(self.workload)
        return known is not None and known.service

    @property
    def is_ours(self) -> bool:
        """Whether an earlier submission created it: it was planned then, and its own pods may be where it fits."""
        return SUBMITTED in as_map(look(self.live or {}, ("metadata", "annotations")))


def _plan(plane: ControlPlane, target: _Target, found: Sequence[Member], *, slack: int) -> tuple[Plan, Sequence[str]]:
    if target.is_ours:
        return Plan(), ()
    inventory, notes = read_inventory(plane)
    if inventory is None:
        return Plan(), notes
    planned = {each.planned.id: each.planned for each in found}
    for each in found:  # one that is required under one name is required under all
        if each.planned.locality == "require":
            planned[each.planned.id] = each.planned
    keys = [each.labels.dataset for each in planned.values() if not each.exists or not inventory.holds(each.labels)]
    groups = pod_groups(target.workload, keys)
    follow = target.service and (target.ref is None or target.live is not None)
    return plan(inventory, groups, list(planned.values()), slack=slack, follow=follow), notes


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


def _beside_it(given: Given) -> tuple[str, ...]:
    """The extras that belong to the workload: those of its namespace."""
    namespace = look(given.workload, ("metadata", "namespace"))
    beside = (Ref.of(each) for each in given.extras if look(each, ("metadata", "namespace")) == namespace)
    return tuple(f"{ref.kind}/{ref.name}" for ref in beside)


def _first(given: Given, loads: Sequence[Manifest], planned: Plan, found: Sequence[Member]) -> list[Manifest]:
    """What of Fluid's is applied before the workload, in its order."""
    return sorted((_tied(each, planned, found) for each in (*given.fluid, *loads)), key=apply_order)


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
