"""Which datasets a pod mounts, and what the webhook must know of each. Most denials come from here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.kinds import GROUP, RUNTIMES_BY_TYPE
from datafluid.model.names import LABEL_PREFIX
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.placement.labels import DatasetLabels, labels
from datafluid.workload.webhook.outcome import Denied, missing
from datafluid.workload.webhook.world import World

__all__ = ["MountedDataset", "mounted_datasets"]

_MANAGED_BY = (f"{LABEL_PREFIX}managed-by", f"{LABEL_PREFIX}wrapped-by")
_SCRAPE_ALL, _SCRAPE_NONE, _SCRAPE_MODES = "All", "None", ("MountPod", "Sidecar")


@dataclass(frozen=True, slots=True, kw_only=True)
class MountedDataset:
    """A dataset behind a claim.

    Args:
        namespace: The dataset's namespace.
        name: Its name, which is that of its runtime, too; the claim may have another.
        uid: Its UID.
        runtime: The manifest of its runtime.
        runtime_type: ``alluxio``, ``juicefs``, ...
        scraped_in_sidecars: Whether the metrics of its FUSE are to be scraped where it runs beside the pod.
    """

    namespace: str
    name: str
    uid: str
    runtime: Mapping[str, Any]
    runtime_type: str
    scraped_in_sidecars: bool

    @property
    def labels(self) -> DatasetLabels:
        """Its label keys. Those of a reference dataset are on no node, and the webhook does not mind."""
        return labels(self.namespace, self.name, uid=self.uid or None, runtime_type=self.runtime_type)

    @property
    def fuse_selector(self) -> Mapping[str, Any]:
        """The labels of nodes on which its FUSE may run."""
        if self.runtime_type == "vineyard":  # its API has none
            return {}
        component = "client" if self.runtime_type == "cache" else "fuse"
        return as_map(look(self.runtime, ("spec", component, "nodeSelector")))

    @property
    def fuse_daemon_set(self) -> str:
        """The name of the DaemonSet of its FUSE."""
        suffix = {"jindo": "-jindofs-fuse", "cache": "-client"}
        return self.name + suffix.get(self.runtime_type, "-fuse")

    @property
    def volume(self) -> str:
        """The name of its PersistentVolume."""
        return f"{self.namespace}-{self.name}"

    @property
    def cache_requirements(self) -> Iterable[Mapping[str, Any]]:
        """The conditions on the nodes of its workers, which ``status.cacheAffinity`` repeats."""
        required = look(self.runtime, ("status", "cacheAffinity", "requiredDuringSchedulingIgnoredDuringExecution"))
        for term in as_list(as_map(required).get("nodeSelectorTerms")):
            yield from (as_map(each) for each in as_list(as_map(term).get("matchExpressions")))


def mounted_datasets(
    claims: Iterable[str], namespace: str, world: World, *, unbound_too: bool
) -> dict[str, MountedDataset]:
    """The datasets behind claims, by claim.

    Fluid goes through them in an order that changes from call to call; here it is that of the names.

    Args:
        claims: The pod's claims, in its order; those that are not of Fluid are passed over.
        namespace: The pod's namespace.
        world: What is around it.
        unbound_too: Whether a dataset that is not bound will do.

    Raises:
        Denied: a claim, a dataset or a runtime is not there, or is not ready.
    """
    asked = list(claims)
    unknown: list[str] = []
    found: dict[str, MountedDataset] = {}
    try:
        for name in asked:
            claim = world.get("PersistentVolumeClaim", name, namespace)
            if claim is None:
                unknown.append(name)
            elif (dataset := _dataset_of(claim)) is not None:
                found[name] = _mounted(name, dataset or "", namespace, world, unbound_too=unbound_too)
    except Denied as error:
        raise Denied(f"failed to collect runtime infos from PVCs {_listed(asked)}: {error}") from None
    if unknown:
        reason = f"failed to get the following PVCs {_listed(unknown)}"
        raise Denied(f"failed to collect runtime infos from PVCs {_listed(asked)}: {reason}")
    return dict(sorted(found.items()))


def _dataset_of(claim: Mapping[str, Any]) -> str | None:
    """The name of the dataset behind a claim; None for a claim that is not of Fluid."""
    own = as_map(look(claim, ("metadata", "labels")))
    for key in _MANAGED_BY:
        if key in own:
            return as_text(own[key])
    if any(str(key).startswith(f"{LABEL_PREFIX}s-") for key in own):
        return as_text(look(claim, ("metadata", "name")))
    return None


def _mounted(claim: str, name: str, namespace: str, world: World, *, unbound_too: bool) -> MountedDataset:
    try:
        dataset = world.get("Dataset", name, namespace)
        if dataset is None:
            raise Denied(missing(f"datasets.{GROUP}", name))
        if not unbound_too:
            _check_bound(dataset, f"{namespace}/{name}")
        return _with_runtime(dataset, name, namespace, world)
    except Denied as error:
        raise Denied(f'failed to build runtime info for PVC "{namespace}/{claim}": {error}') from None


def _check_bound(dataset: Mapping[str, Any], full_name: str) -> None:
    status = as_map(dataset.get("status"))
    if as_text(status.get("phase")) not in ("", "NotBound"):
        return
    for condition in map(as_map, as_list(status.get("conditions"))):
        if condition.get("type") == "NotReady":
            raise Denied(f'dataset "{full_name}" not ready because {as_text(condition.get("message"))}')
    raise Denied(f'dataset "{full_name}" not bound')


def _with_runtime(dataset: Mapping[str, Any], name: str, namespace: str, world: World) -> MountedDataset:
    runtime_type = as_text(look(dataset, ("status", "runtimes", 0, "type")))
    if runtime_type not in RUNTIMES_BY_TYPE:
        raise Denied(f"fail to get runtimeInfo for runtime type: {runtime_type}")
    kind = RUNTIMES_BY_TYPE[runtime_type]
    runtime = world.get(kind.kind, name, namespace)
    if runtime is None:
        raise Denied(missing(f"{kind.plural}.{GROUP}", name))
    try:
        scraped = runtime_type == "jindo" and _scraped_in_sidecars(runtime)
    except Denied as error:
        raise Denied(f'fail to build runtime info "{namespace}/{name}": {error}') from None
    return MountedDataset(
        namespace=namespace,
        name=name,
        uid=as_text(look(dataset, ("metadata", "uid"))),
        runtime=runtime,
        runtime_type=runtime_type,
        scraped_in_sidecars=scraped,
    )


def _scraped_in_sidecars(runtime: Mapping[str, Any]) -> bool:
    target = as_text(look(runtime, ("spec", "fuse", "metrics", "scrapeTarget"))) or _SCRAPE_NONE
    modes: set[str] = set()
    for mode in target.split(","):
        if mode == _SCRAPE_ALL:
            return True
        if mode == _SCRAPE_NONE:
            break
        if mode not in _SCRAPE_MODES:
            raise Denied(f"unsupported mount mode {mode}, supported mount modes are {_listed(_SCRAPE_MODES)}")
        modes.add(mode)
    return "Sidecar" in modes


def _listed(names: Iterable[str]) -> str:
    return f"[{' '.join(names)}]"
