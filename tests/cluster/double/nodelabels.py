"""The labels that Fluid puts on the nodes where a dataset's workers are, and takes away when they are gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datafluid.model.plain import as_map, as_text
from datafluid.model.ref import Ref
from datafluid.model.tiers import tier_levels
from datafluid.placement.labels import DatasetLabels, labels
from datafluid.placement.workeraffinity import is_exclusive
from datafluid.plane.port import Manifest
from tests.cluster.double.traits import Identity, Trait
from tests.cluster.double.world import Patch, Step, World, do

__all__ = ["labels_after_sync", "node_labels", "node_labels_gone"]

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def labels_after_sync(
    nodes: Mapping[str, Mapping[str, str]],
    dataset: Mapping[str, Any],
    runtime: Mapping[str, Any] | None,
    *,
    runtime_type: str,
    workers_on: Iterable[str],
) -> dict[str, dict[str, str]]:
    """The labels of all nodes after Fluid has looked where the workers of a dataset are.

    A node that is labelled already keeps the sizes it was labelled with, even when the runtime has others now.

    Args:
        nodes: The labels of each node before, by its name.
        dataset: The dataset.
        runtime: Its runtime, for the sizes of its tiers.
        runtime_type: ``alluxio``, ``juicefs``, ...
        workers_on: The nodes with a worker; one that is not there is passed over.
    """
    metadata = as_map(dataset.get("metadata"))
    namespace, uid = as_text(metadata.get("namespace")) or "default", as_text(metadata.get("uid"))
    keys = labels(namespace, as_text(metadata.get("name")), uid=uid or None, runtime_type=runtime_type)
    wanted = set(workers_on)
    after = {}
    for name, there in nodes.items():
        if (keys.runtime in there) == (name in wanted):
            after[name] = dict(there)
        elif name in wanted:
            after[name] = {**there, **_added(there, keys, dataset, runtime)}
        else:
            after[name] = _without(there, keys)
    return after


def node_labels(world: World, trait: Trait, runtime: Manifest, dataset: Manifest) -> Iterator[Step]:
    """The steps that label the nodes with a worker, one at a time."""
    identity = Identity.of(dataset)
    for pod in world.of("v1/Pod", identity.namespace):
        of = pod["metadata"].get("labels", {})
        node = world.get(Ref("v1/Node", pod["spec"].get("nodeName", "")))
        if node is None or of.get("role") != f"{trait.type}-worker" or of.get("release") != identity.name:
            continue
        if change := _change(node, trait, dataset, runtime, is_worker_there=True):
            yield do(change, then=0.25)


def node_labels_gone(world: World, trait: Trait, identity: Identity) -> Iterator[Step]:
    """The steps that take the labels away again."""
    dataset = {"metadata": {"namespace": identity.namespace, "name": identity.name, "uid": identity.uid}}
    for node in world.of("v1/Node"):
        if change := _change(node, trait, dataset, None, is_worker_there=False):
            yield do(change, then=0.1)


def _change(
    node: Manifest, trait: Trait, dataset: Manifest, runtime: Manifest | None, *, is_worker_there: bool
) -> Patch | None:
    name, before = node["metadata"]["name"], node["metadata"]["labels"]
    workers_on = [name] if is_worker_there else []
    after = labels_after_sync({name: before}, dataset, runtime, runtime_type=trait.type, workers_on=workers_on)[name]
    if after == before:
        return None
    changed = {key: value for key, value in after.items() if before.get(key) != value}
    gone: dict[str, None] = dict.fromkeys(before.keys() - after.keys())
    return Patch(Ref.of(node), {"metadata": {"labels": {**changed, **gone}}})


def _added(
    there: Mapping[str, str], keys: DatasetLabels, dataset: Mapping[str, Any], runtime: Mapping[str, Any] | None
) -> dict[str, str]:
    added = {str(keys.runtime): "true", keys.dataset: "true"}
    if is_exclusive(dataset):
        added[keys.exclusive] = keys.exclusive_value
    added[keys.dataset_count] = str(int(there.get(keys.dataset_count, "0")) + 1)
    sizes: dict[str, int] = {}
    for level in tier_levels(runtime):
        letter = "d" if level.medium in ("SSD", "HDD") else "m"
        sizes[letter] = sizes.get(letter, 0) + level.quota
    sizes["t"] = sum(sizes.values())
    return added | {keys.capacities[letter]: _size(size) for letter, size in sizes.items()}


def _without(there: Mapping[str, str], keys: DatasetLabels) -> dict[str, str]:
    """The label of the FUSE stays, that of exclusiveness only if it names another dataset."""
    gone = {keys.dataset, keys.runtime, *keys.capacities.values()}
    if there.get(keys.exclusive) == keys.exclusive_value:
        gone.add(keys.exclusive)
    left = {key: value for key, value in there.items() if key not in gone}
    if (count := there.get(keys.dataset_count)) is not None:
        if int(count) < 2:
            del left[keys.dataset_count]
        else:
            left[keys.dataset_count] = str(int(count) - 1)
    return left


def _size(size: int) -> str:
    """Four digits and a unit: ``2GiB``, ``1.5GiB``."""
    value, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.4g}{unit}"
