"""What a pod says to land near a dataset: the terms and weights of Fluid's own scheduling."""

from __future__ import annotations

from collections.abc import Iterable

from datafluid.model.names import LABEL_PREFIX
from datafluid.placement.affinity import NodeAffinity, Preference
from datafluid.placement.labels import DatasetLabels
from datafluid.placement.selector import Requirement, Term

__all__ = [
    "NODE_WEIGHT",
    "REGION",
    "REGION_WEIGHT",
    "WITHOUT_CACHE",
    "ZONE",
    "ZONE_WEIGHT",
    "dataset_term",
    "fuse_term",
    "prefer_dataset",
    "require_dataset",
]

ZONE, REGION = "topology.kubernetes.io/zone", "topology.kubernetes.io/region"
NODE_WEIGHT, ZONE_WEIGHT, REGION_WEIGHT = 100, 50, 20

#: For pods without a dataset: leave the nodes that hold caches to those that need them.
WITHOUT_CACHE = NodeAffinity(
    preferred=(
        Preference(
            weight=NODE_WEIGHT,
            term=Term(expressions=(Requirement(key=f"{LABEL_PREFIX}dataset-num", operator="DoesNotExist"),)),
        ),
    )
)


def dataset_term(labels: DatasetLabels) -> Term:
    """Nodes with a worker of the dataset.

    Example:
        >>> from datafluid import placement
        >>> dataset_term(placement.labels("team", "flights")).holds({"fluid.io/s-team-flights": "true"})
        True
    """
    return _true(labels.dataset)


def fuse_term(labels: DatasetLabels) -> Term:
    """Nodes whose FUSE mount of the dataset is there already, or was asked for.

    Example:
        >>> from datafluid import placement
        >>> fuse_term(placement.labels("team", "flights")).expressions[0].key
        'fluid.io/f-team-flights'
    """
    return _true(labels.fuse)


def require_dataset(labels: DatasetLabels) -> NodeAffinity:
    """Only nodes with a worker of the dataset. Several datasets, combined with ``&``, must meet on one node.

    Example:
        >>> from datafluid import placement
        >>> flights, taxis = (placement.labels("team", name) for name in ("flights", "taxis"))
        >>> both = require_dataset(flights) & require_dataset(taxis)
        >>> both.matches({"fluid.io/s-team-flights": "true"})
        False
    """
    return NodeAffinity(required=(dataset_term(labels),))


def prefer_dataset(
    labels: DatasetLabels, *, zones: Iterable[str] = (), regions: Iterable[str] = (), reuse_fuse: bool = False
) -> NodeAffinity:
    """Rather a node with a worker of the dataset, else one in its zone, else one in its region.

    Args:
        labels: The dataset's.
        zones: The zones of the nodes that hold its cache.
        regions: Their regions.
        reuse_fuse: Count a FUSE mount that is there as much as a worker.

    Example:
        >>> from datafluid import placement
        >>> near = prefer_dataset(placement.labels("team", "flights"), zones=["a"])
        >>> near.score({"fluid.io/s-team-flights": "true"}), near.score({"topology.kubernetes.io/zone": "a"})
        (100, 50)
    """
    wishes = [Preference(weight=NODE_WEIGHT, term=dataset_term(labels))]
    if reuse_fuse:
        wishes.append(Preference(weight=NODE_WEIGHT, term=fuse_term(labels)))
    for key, weight, places in ((ZONE, ZONE_WEIGHT, zones), (REGION, REGION_WEIGHT, regions)):
        if values := tuple(sorted(set(places))):
            wishes.append(Preference(weight=weight, term=Term(expressions=(Requirement(key=key, values=values),))))
    return NodeAffinity(preferred=tuple(wishes))


def _true(key: str) -> Term:
    return Term(expressions=(Requirement(key=key, values=("true",)),))
