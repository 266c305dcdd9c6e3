"""The small plugins: mounts that see a FUSE come back, and an annotation that says which datasets are used."""

from __future__ import annotations

from collections.abc import Mapping

from datafluid.model.names import LABEL_PREFIX
from datafluid.model.plain import as_text
from datafluid.workload.webhook.draft import PodDraft, name_of
from datafluid.workload.webhook.mounted import MountedDataset

__all__ = ["PROPAGATION", "name_datasets", "propagate_mounts"]

PROPAGATION = "HostToContainer"
_IN_USE = f"{LABEL_PREFIX}datasets-in-use"


def propagate_mounts(draft: PodDraft, datasets: Mapping[str, MountedDataset]) -> None:
    """``MountPropagationInjector``: containers, but not init containers, see a mount that is made again."""
    volumes = {volume for volume, claim in draft.claims() if claim in datasets}
    for container in draft.containers:
        for mount in draft.items(container, "volumeMounts"):
            if name_of(mount) in volumes and mount.get("mountPropagation") is None:
                mount["mountPropagation"] = PROPAGATION


def name_datasets(draft: PodDraft, datasets: Mapping[str, MountedDataset]) -> None:
    """``DatasetUsageInjector``: the names of the datasets, sorted, beside those that stand there."""
    there = (name.strip() for name in as_text(draft.annotations.get(_IN_USE)).split(","))
    names = {name for name in there if name} | {dataset.name for dataset in datasets.values()}
    draft.annotate(_IN_USE, ",".join(sorted(names)))
