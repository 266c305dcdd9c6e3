"""The plugins that tell the scheduler where a pod should go.

They write as Fluid writes: what is there already is repeated, several required datasets are alternatives, and
terms without conditions are dropped. `datafluid.placement.NodeAffinity` is how it should be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from datafluid.model.pinning import pinned
from datafluid.model.plain import as_list, as_map, as_text
from datafluid.model.podlabels import sched_labels
from datafluid.placement.affinity import PREFERRED, REQUIRED
from datafluid.placement.labels import DatasetLabels
from datafluid.placement.selector import Requirement, Term
from datafluid.placement.terms import WITHOUT_CACHE, dataset_term, fuse_term
from datafluid.workload.webhook.draft import PodDraft
from datafluid.workload.webhook.mounted import MountedDataset
from datafluid.workload.webhook.profile import FUSE_LOCALITY, NODE_LOCALITY, Locality

__all__ = ["prefer_nodes_with_cache", "prefer_nodes_without_cache", "require_nodes_with_fuse"]

_OF_DATASETS = {NODE_LOCALITY: dataset_term, FUSE_LOCALITY: fuse_term}
_CONDITIONS = ("matchExpressions", "matchFields")


def require_nodes_with_fuse(draft: PodDraft, datasets: Mapping[str, MountedDataset]) -> None:
    """``RequireNodeWithFuse``: where the runtime lets its FUSE run on some nodes only, the pod must go there."""
    terms = []
    for dataset in datasets.values():
        pairs = dataset.fuse_selector.items()
        if conditions := tuple(Requirement(key=str(key), values=(str(value),)) for key, value in pairs):
            terms.append(Term(expressions=conditions).manifest())
    _require(draft, terms)


def prefer_nodes_with_cache(draft: PodDraft, datasets: Mapping[str, MountedDataset], locality: Locality) -> None:
    """``NodeAffinityWithCache``: nodes with a worker first; only those for a dataset that a label requires.

    A pod that speaks of one of the localities itself is left alone, required datasets included.
    """
    if any(pinned(draft.spec, locality.names)):
        return
    required = {claim for _, claim, value in sched_labels(draft.labels) if value == "required"}
    musts: list[dict[str, Any]] = []
    wishes: list[dict[str, Any]] = []
    for claim, dataset in datasets.items():
        if claim in required:
            musts += (term for _, term in _terms(dataset, locality.required))
        else:
            wishes += (
                {"weight": locality.preferred[name], "preference": term}
                for name, term in _terms(dataset, tuple(locality.preferred))
            )
    _require(draft, musts)
    _prefer(draft, wishes)


def prefer_nodes_without_cache(draft: PodDraft) -> None:
    """``PreferNodesWithoutCache``: a pod without datasets leaves cache nodes to others."""
    _prefer(draft, [wish.manifest() for wish in WITHOUT_CACHE.preferred])


def _terms(dataset: MountedDataset, names: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A term for each of the localities that a dataset has: its labels first, then what its workers are bound to."""
    keys: DatasetLabels = dataset.labels
    for name, term in _OF_DATASETS.items():
        if name in names:
            yield name, term(keys).manifest()
    for condition in dataset.cache_requirements:
        if (key := as_text(condition.get("key"))) in names:
            yield key, {"matchExpressions": [dict(condition)]}


def _terms_of(node: Mapping[str, Any]) -> list[Any]:
    return as_list(as_map(node.get(REQUIRED)).get("nodeSelectorTerms"))


def _require(draft: PodDraft, terms: list[dict[str, Any]]) -> None:
    """Combine each term that is there with each of ours. Ours are alternatives to one another."""
    if not terms:
        return
    node = draft.within(draft.within(draft.spec, "affinity"), "nodeAffinity")
    there = [as_map(term) for term in _terms_of(node) if any(as_map(term).get(name) for name in _CONDITIONS)]
    combined = [_joined(one, other) for one in there for other in terms]
    draft.within(node, REQUIRED)["nodeSelectorTerms"] = combined or terms


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    lists = {name: [*as_list(one.get(name)), *as_list(other.get(name))] for name in _CONDITIONS}
    return {name: conditions for name, conditions in lists.items() if conditions}


def _prefer(draft: PodDraft, wishes: list[dict[str, Any]]) -> None:
    if not wishes:
        return
    node = draft.within(draft.within(draft.spec, "affinity"), "nodeAffinity")
    node[PREFERRED] = [*as_list(node.get(PREFERRED)), *wishes]
