"""What the caller gave, sorted: the workload, Fluid's objects, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.kinds import API_VERSION, KINDS
from datafluid.model.plain import as_map
from datafluid.workload.kinds import workload_kind
from datafluid.workload.places import pod_places

__all__ = ["Given", "placed", "read"]

Manifest = dict[str, Any]
_CLUSTER_SCOPED = frozenset(
    {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass", "PersistentVolume"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is to be submitted.

    Args:
        workload: The object that makes pods.
        extras: What `datafluid.wrap` made for it; it goes when the workload goes.
        fluid: Objects of Fluid.
        beside: Objects of other kinds, such as the user's own ConfigMaps.
        named: Datasets that are there, by name.
    """

    workload: Manifest
    extras: tuple[Manifest, ...] = ()
    fluid: tuple[Manifest, ...] = ()
    beside: tuple[Manifest, ...] = ()
    named: tuple[str, ...] = ()


def read(workload: Any, datasets: Iterable[Any], *, namespace: str) -> Given:
    """Sort what was given; every object gets a namespace.

    Args:
        workload: A path, YAML text, a dict, or what `datafluid.wrap` returned; objects of Fluid may be among it.
        datasets: The same, of Fluid's objects; or names of datasets that are there.

    Raises:
        Invalid: there is no workload, or more than one, or it has no name of its own.
    """
    from datafluid.model.manifest import objects

    extras: Sequence[Manifest] = ()
    if hasattr(workload, "manifest") and hasattr(workload, "extras"):
        workload, extras = workload.manifest, [placed(each, namespace) for each in workload.extras]
    datasets = list(datasets)
    named = tuple(each for each in datasets if isinstance(each, str) and _is_name(each))
    given = [*objects(workload), *(each for part in datasets if part not in named for each in objects(part))]
    fluid = [placed(each, namespace) for each in given if each.get("apiVersion") == API_VERSION]
    others = [each for each in given if each.get("apiVersion") != API_VERSION]
    working = [each for each in others if workload_kind(each) is not None or pod_places(each)]
    if len(working) != 1:
        what = ", ".join(_called(each) for each in working) or "none"
        raise Invalid(
            f"one workload can be submitted at a time; given: {what}.",
            hint="Give one object that makes pods, and datasets beside it.",
        )
    if not as_map(working[0].get("metadata")).get("name") and "kind" in working[0]:
        raise Invalid(
            "a workload without a name cannot be found again when the command is interrupted.",
            hint="Write metadata.name rather than generateName.",
        )
    return Given(
        workload=placed(working[0], namespace),
        extras=tuple(extras),
        fluid=tuple(fluid),
        beside=tuple(placed(each, namespace) for each in others if each is not working[0]),
        named=named,
    )


def _is_name(text: str) -> bool:
    return "\n" not in text and not text.endswith((".yaml", ".yml", ".json"))


def placed(manifest: Mapping[str, Any], namespace: str) -> Manifest:
    """The object with a namespace, unless its kind has none."""
    metadata, kind = as_map(manifest.get("metadata")), str(manifest.get("kind"))
    if kind in _CLUSTER_SCOPED or (kind in KINDS and not KINDS[kind].namespaced):
        return dict(manifest)
    return {**manifest, "metadata": {"namespace": namespace, **metadata}}


def _called(manifest: Mapping[str, Any]) -> str:
    return f"{manifest.get('kind')} {as_map(manifest.get('metadata')).get('name')}"
