"""What a wrap has to say about the whole workload, beside what it did in each place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from datafluid.workload.draft import Draft
from datafluid.workload.kind import WorkloadKind
from datafluid.workload.places import PodPlace
from datafluid.workload.resolve import Resolved

__all__ = ["tell_of_kind", "tell_of_requirements", "tell_of_strangers"]


def tell_of_strangers(draft: Draft, places: Sequence[PodPlace], used: Iterable[Resolved]) -> None:
    """Names in the uses that nothing in the workload has; datasets of which nothing is known."""
    roles = {place.role for place in places}
    containers = {str(each.name) for place in places for each in place.containers(draft.data) if each.name}
    for each in used:
        for what, asked, there in (("role", each.use.roles, roles), ("container", each.use.containers, containers)):
            for name in sorted(set(asked) - there):
                names = ", ".join(sorted(there))
                draft.tell("not done", f"{each.dataset}: there is no {what} {name!r}.", fix=f"There are: {names}.")
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
        draft.tell("warning", "a service is wrapped: applying this replaces its running pods.")
    for note in kind.notes:
        draft.tell("note", note)


def tell_of_requirements(draft: Draft, *, autoscaled: bool | None) -> None:
    """What a required dataset means where nodes come and go."""
    if autoscaled is not False:
        draft.tell(
            "warning",
            "a cluster autoscaler adds no node for a required dataset: no template of a node has its label.",
            fix='Say locality="prefer" where nodes come and go.',
        )
