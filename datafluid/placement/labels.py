"""Every label by which Fluid ties nodes, pods and volumes to a dataset.

Kept exactly as Fluid computes them (``pkg/utils/label.go``, ``pkg/utils/dataset/lifecycle/node.go``): a pod
that is to land on a node with cache must ask for the same key, letter by letter. Two datasets can share keys:
namespace ``a-b`` with name ``c`` and namespace ``a`` with name ``b-c``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from datafluid.model.names import LABEL_PREFIX, dataset_id, exclusive_value, label_key

__all__ = ["RUNTIME_TYPES", "DatasetLabels", "labels"]

#: What a runtime calls itself in label keys and in ``status.runtimes[].type``.
RUNTIME_TYPES = ("alluxio", "juicefs", "jindo", "efc", "thin", "vineyard", "cache")

_MEDIA = {"m": "memory", "d": "disk", "t": "total"}
_KUBERNETES_LIMIT = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetLabels:
    """The label keys and values of one dataset.

    Args:
        dataset: On nodes with a worker of the dataset, value ``true``; also on its PVC.
        fuse: On nodes where its FUSE runs or may run, value ``true``.
        runtime: Like ``dataset``, with the type of the runtime; None when the type is not known.
        memory: On nodes, the cache capacity in memory, for example ``2GiB``; None like ``runtime``.
        disk: The cache capacity on disks.
        total: Both together; ``0B`` for a runtime without tiers.
        dataset_count: On nodes, how many datasets have workers there.
        exclusive: On nodes that placement Exclusive gave to one dataset; its value is ``exclusive_value``.
        exclusive_value: Who that is.
        id_key: On worker pods, PVCs and what belongs to the dataset; its value is ``id``.
        id: The dataset, in a form that fits into a label value.

    Example:
        >>> labels("team", "flights").dataset
        'fluid.io/s-team-flights'
    """

    dataset: str
    fuse: str
    runtime: str | None
    memory: str | None
    disk: str | None
    total: str | None
    dataset_count: str = f"{LABEL_PREFIX}dataset-num"
    exclusive: str = "fluid_exclusive"
    exclusive_value: str
    id_key: str = f"{LABEL_PREFIX}dataset-id"
    id: str

    @property
    def capacities(self) -> Mapping[str, str]:
        """The capacity keys by Fluid's letters ``m``, ``d`` and ``t``; empty when the type is not known."""
        keys = {letter: getattr(self, name) for letter, name in _MEDIA.items()}
        return {letter: key for letter, key in keys.items() if key is not None}

    @property
    def pvc(self) -> Mapping[str, str]:
        """The labels that Fluid puts on the dataset's PersistentVolumeClaim."""
        return {self.id_key: self.id, self.dataset: "true"}

    @property
    def refused_by_kubernetes(self) -> tuple[str, ...]:
        """Keys that no API server takes: longer than 63 characters, for want of a UID."""
        return tuple(key for key in self if len(key.removeprefix(LABEL_PREFIX)) > _KUBERNETES_LIMIT)

    def __iter__(self) -> Iterator[str]:
        """The keys that name this dataset and no other: those of nodes, in Fluid's order."""
        keys = (self.dataset, self.runtime, self.fuse, self.memory, self.disk, self.total)
        return (key for key in keys if key is not None)


def labels(namespace: str, name: str, *, uid: str | None = None, runtime_type: str | None = None) -> DatasetLabels:
    """Every label key that Fluid uses for a dataset.

    Args:
        namespace: The dataset's namespace. For a reference dataset take the physical one: no node carries
            the keys of the other.
        name: The dataset's name.
        uid: The dataset's UID. Fluid writes it in place of namespace and name in each key that would have 63
            characters or more with them; each key decides for itself, so mixed forms are normal.
        runtime_type: ``alluxio``, ``juicefs``, ``jindo``, ``efc``, ``thin``, ``vineyard`` or ``cache``.

    Returns:
        The keys; those that need the runtime's type are None without it.

    Example:
        >>> keys = labels("team-a", "imagenet", runtime_type="alluxio")
        >>> keys.dataset, keys.total
        ('fluid.io/s-team-a-imagenet', 'fluid.io/s-h-alluxio-t-team-a-imagenet')
    """

    def key(kind: str) -> str:
        return label_key(kind, namespace, name, uid=uid)

    def typed(kind: str, suffix: str = "") -> str | None:
        return key(f"{kind}{runtime_type}-{suffix}") if runtime_type else None

    return DatasetLabels(
        dataset=key("s-"),
        fuse=key("f-"),
        runtime=typed("s-"),
        memory=typed("s-h-", "m-"),
        disk=typed("s-h-", "d-"),
        total=typed("s-h-", "t-"),
        exclusive_value=exclusive_value(namespace, name, uid=uid),
        id=dataset_id(namespace, name, uid=uid),
    )
