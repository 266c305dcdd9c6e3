"""Where pods should run: nodes that hold the cache, merged with what the user asked for and never against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from datafluid.model.plain import as_map, as_text
from datafluid.model.podlabels import sched_labels
from datafluid.placement.affinity import NodeAffinity
from datafluid.placement.terms import REGION, WITHOUT_CACHE, ZONE, prefer_dataset, require_dataset
from datafluid.workload.draft import Draft
from datafluid.workload.places import PodPlace
from datafluid.workload.resolve import Resolved
from datafluid.workload.topology import Topology

__all__ = ["Wish", "add_locality", "keep_off_caches", "requested_claims", "wishes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One dataset whose cache a pod wants near.

    Args:
        resolved: The dataset.
        required: Whether only nodes with its cache will do.
        reuse_fuse: Whether a node that has its FUSE mount is as good.
    """

    resolved: Resolved
    required: bool
    reuse_fuse: bool


def requested_claims(draft: Draft, place: PodPlace) -> frozenset[str]:
    """The claims that the pods' labels ask for with Fluid's ``fluid.io/dataset.<claim>.sched: required``."""
    path = place.template.shape.labels
    found = as_map(draft.look(place.at(path))) if path is not None else {}
    return frozenset(claim for _, claim, value in sched_labels(found) if value == "required")


def wishes(
    used: Iterable[Resolved], requested: frozenset[str], *, steering: str | None, serverless: bool
) -> list[Wish]:
    """What a pod wants near, each dataset once and as strongly as any use of it says.

    Args:
        used: The uses of the pod.
        requested: The claims that its labels require.
        steering: The role of a pod that steers others that read (a driver, a coordinator): it is bound to a node only
            when a use names the role.
        serverless: Whether FUSE runs in the pod itself, so that a mount on the node is of no use.
    """
    found: dict[tuple[str, str], Wish] = {}
    for each in used:
        if each.use.locality == "off" and each.claim not in requested:
            continue
        bound = each.use.locality == "require" and (steering is None or steering in each.use.roles)
        required = each.claim in requested or bound
        reuse = each.use.reuse_fuse and each.needs_mount and not serverless
        other = found.get(each.holder)
        found[each.holder] = Wish(
            resolved=each,
            required=required or (other is not None and other.required),
            reuse_fuse=reuse or (other is not None and other.reuse_fuse),
        )
    return [found[holder] for holder in sorted(found)]


def add_locality(
    draft: Draft, place: PodPlace, wanted: Iterable[Wish], topology: Topology, *, in_webhook: bool
) -> None:
    """Write the affinity for all of it: required datasets must meet on one node, the others draw.

    Args:
        in_webhook: Whether Fluid's webhook sees the pod: a zone of ours would switch its scheduling off.
    """
    affinity = NodeAffinity()
    for wish in wanted:
        affinity &= _affinity(draft, place, wish, topology, in_webhook)
    _write(draft, place, affinity)


def keep_off_caches(draft: Draft, place: PodPlace) -> None:
    """Let pods without a dataset leave the nodes with caches to those that need them."""
    _write(draft, place, WITHOUT_CACHE)


def _affinity(draft: Draft, place: PodPlace, wish: Wish, topology: Topology, in_webhook: bool) -> NodeAffinity:
    resolved = wish.resolved
    labels = resolved.labels
    if resolved.physical is not None and not resolved.physical.labels_nodes:
        why = "its ThinRuntime has no workers, so no node holds its cache and none is better than another."
        draft.tell("not done" if wish.required else "note", f"locality of {resolved.dataset}: {why}", path=place.path)
        return NodeAffinity()
    if labels is None:
        draft.tell(
            "not done",
            f"locality of {resolved.dataset}: its name is so long that the label carries its UID, which is not known.",
            path=place.path,
            fix="Give a topology that has the dataset with its UID.",
        )
        return NodeAffinity()
    if wish.required:
        return require_dataset(labels)
    near = topology.holding(labels.dataset)
    if in_webhook and near:
        near = ()
        draft.tell("note", "zone and region are left out: with them in the pod Fluid's webhook schedules nothing.")
    return prefer_dataset(
        labels,
        zones=[node[ZONE] for node in near if ZONE in node],
        regions=[node[REGION] for node in near if REGION in node],
        reuse_fuse=wish.reuse_fuse,
    )


def _write(draft: Draft, place: PodPlace, affinity: NodeAffinity) -> None:
    shape = place.template.shape
    if affinity == NodeAffinity():
        return
    if shape.spec is not None and (node := as_text(as_map(draft.look(place.at(shape.spec))).get("nodeName"))):
        draft.tell("not done", f"the pod is bound to the node {node}, so nothing can place it.", path=place.path)
    elif shape.affinity is None:
        _select(draft, place, affinity)
    else:
        path = place.at(shape.affinity)
        _inherit(draft, place, path)
        grown = affinity.onto({"affinity": draft.look(path)})["affinity"]
        draft.replace(path, grown, _told(affinity))


def _inherit(draft: Draft, place: PodPlace, path: Any) -> None:
    """Copy an affinity that would stop counting as soon as the place has its own."""
    above = (draft.look(place.at(each)) for each in place.template.shape.inherited_affinity)
    if not draft.look(path) and (value := next(filter(None, above), None)):
        draft.put(path, value, "the affinity from above, which no longer counts once there is one here.")


def _select(draft: Draft, place: PodPlace, affinity: NodeAffinity) -> None:
    """Where no affinity can be said, a node selector can still require."""
    path = place.template.shape.node_selector
    for term in affinity.required or ():
        for each in term.expressions:
            if path is not None:
                draft.put((*place.at(path), each.key), each.values[0], "only nodes with the cache.")
    if affinity.preferred:
        draft.tell(
            "not done",
            "this API has no affinity, so nodes with cache can be required and not preferred.",
            path=place.path,
            fix='Say locality="require", or use a version of the API that has affinity.',
        )


def _told(affinity: NodeAffinity) -> str:
    parts = [f"only nodes with {each.key}" for term in affinity.required or () for each in term.expressions]
    parts += [
        f"rather nodes with {each.key}{_of(each.operator, each.values)} (weight {wish.weight})"
        for wish in affinity.preferred
        for each in wish.term.expressions
    ]
    return "; ".join(parts) + "."


def _of(operator: str, values: tuple[str, ...]) -> str:
    if operator == "DoesNotExist":
        return " absent"
    return "" if values == ("true",) else f" {', '.join(values)}"
