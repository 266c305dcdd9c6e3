"""What a plan is made of, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datafluid.model.plain import as_list, as_map
from datafluid.model.tiers import TierLevel, tier_levels
from datafluid.placement.affinity import NodeAffinity
from datafluid.placement.cacheworker import worker_count, worker_pod
from datafluid.placement.labels import DatasetLabels, labels
from datafluid.placement.podneeds import PodNeeds
from datafluid.placement.selector import Requirement, Term

__all__ = ["HOSTNAME", "Locality", "Pin", "Plan", "PlannedDataset", "PodGroup"]

Locality = Literal["prefer", "require", "off"]
#: The label by which a node is named in affinities.
HOSTNAME = "kubernetes.io/hostname"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodGroup:
    """Pods of a workload that are all alike.

    Args:
        role: What they are: ``pod``, ``driver``, ``Worker``.
        needs: What each asks, without what ties it to datasets.
        count: How many; None: one on every node that fits.

    Example:
        >>> PodGroup(role="Worker", needs=PodNeeds.of({"spec": {"containers": []}}), count=4).count
        4
    """

    role: str
    needs: PodNeeds
    count: int | None = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDataset:
    """A dataset that a workload reads; for a reference dataset the physical one, which has the cache.

    Args:
        manifest: The Dataset: as the plane has it when it is there, else as it will be applied.
        runtime: Its runtime; None when it has none, and so no cache on nodes.
        locality: Whether the workload's pods prefer nodes with its cache, or require one.
        exists: Whether it is on the plane already: then its workers are where they are.

    Example:
        >>> PlannedDataset(manifest={"metadata": {"name": "flights", "namespace": "team"}}).id
        'team/flights'
    """

    manifest: Mapping[str, Any]
    runtime: Mapping[str, Any] | None = None
    locality: Locality = "prefer"
    exists: bool = False

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return dataset_id(self.manifest)

    @property
    def namespace(self) -> str:
        """Where it is."""
        return self.id.partition("/")[0]

    @property
    def labels(self) -> DatasetLabels:
        """Its labels on nodes."""
        metadata = as_map(self.manifest.get("metadata"))
        return labels(self.namespace, str(metadata.get("name")), uid=metadata.get("uid"))

    @property
    def workers(self) -> int:
        """How many nodes shall hold its cache."""
        return worker_count(self.runtime) if self.runtime is not None else 0

    @property
    def worker(self) -> PodNeeds:
        """What each of its workers asks."""
        return PodNeeds.of(worker_pod(self.manifest, self.runtime), namespace=self.namespace)

    @property
    def levels(self) -> list[TierLevel]:
        """What each of its workers puts on the disks of its node."""
        return tier_levels(self.runtime)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The nodes that workers of a dataset are tied to.

    Example:
        >>> Pin(hostnames=("n0", "n1")).term.holds({"kubernetes.io/hostname": "n1"})
        True
    """

    hostnames: tuple[str, ...]

    @property
    def term(self) -> Term:
        """As a condition on nodes."""
        return Term(expressions=(Requirement(key=HOSTNAME, values=self.hostnames),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where a workload and its caches can be.

    Args:
        nodes: The nodes where pods of the workload fit, those for most of its roles first.
        room: How many pods of each role find room at once, and how many there are.
        reasons: For each role what is in the way on the other nodes, and on how many.
        pins: To which nodes the workers of a new dataset are tied, by ``namespace/name``.
        scale_out: To how many workers a dataset that is there should be scaled, so that all pods find room beside it.
        notes: What one should know, one sentence each.

    Example:
        >>> tied = Plan(pins={"default/a": Pin(hostnames=("n0",))}).pinned({"metadata": {"name": "a"}})
        >>> tied["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0]["values"]
        ['n0']
    """

    nodes: tuple[str, ...] = ()
    room: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pins: Mapping[str, Pin] = field(default_factory=dict)
    scale_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def pinned(self, dataset: Mapping[str, Any]) -> dict[str, Any]:
        """A Dataset's manifest with its workers tied to the planned nodes, besides what it asks for itself."""
        pin = self.pins.get(dataset_id(dataset))
        if pin is None:
            return dict(dataset)
        spec = as_map(dataset.get("spec"))
        own = as_map(spec.get("nodeAffinity")).get("required")
        # An empty list of terms asks for nothing in a Dataset, and for the impossible in a pod.
        before = {"nodeAffinity": {_REQUIRED: own}} if as_list(as_map(own).get("nodeSelectorTerms")) else {}
        pod = NodeAffinity(required=(pin.term,)).onto({"affinity": before})
        affinity = {**as_map(spec.get("nodeAffinity")), "required": pod["affinity"]["nodeAffinity"][_REQUIRED]}
        return {**dataset, "spec": {**spec, "nodeAffinity": affinity}}


def dataset_id(manifest: Mapping[str, Any]) -> str:
    """``namespace/name`` of a manifest."""
    metadata = as_map(manifest.get("metadata"))
    return f"{metadata.get('namespace') or 'default'}/{metadata.get('name')}"
