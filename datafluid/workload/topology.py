"""What is known of the place where a workload will run: datasets, nodes, namespaces, operators. A frozen value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datafluid.model.kinds import KINDS
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.workload.facts import READ_ONLY_MANY, DatasetFacts

__all__ = ["Topology", "TrainPatch"]

TrainPatch = Literal["runtimePatches", "podTemplateOverrides", "podSpecOverrides"]
_REFERENCE = "dataset://"
_ENFORCE = "pod-security.kubernetes.io/enforce"
_PATCHES: tuple[TrainPatch, ...] = ("runtimePatches", "podTemplateOverrides", "podSpecOverrides")
_Named = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Facts; what is left out is not known, and the report of a wrap says what was assumed for it.

    Args:
        datasets: By ``namespace/name``.
        namespace: Where a workload without a namespace goes.
        nodes: The labels of each node; None when not known.
        pod_security: The Pod Security level that a namespace enforces: ``privileged``, ``baseline``, ``restricted``.
        cluster_domain: What the names of services end in.
        autoscaled: Whether a cluster autoscaler adds nodes.
        spark_namespaces: Where the webhook of the Spark operator acts; with the empty string in it: everywhere.
        train_patch: What the installed TrainJob calls the patches of its pods.

    Example:
        >>> dataset = {"kind": "Dataset", "metadata": {"name": "flights", "namespace": "team"}, "spec": {}}
        >>> Topology.of([dataset]).datasets["team/flights"].writable
        False
    """

    datasets: Mapping[str, DatasetFacts] = field(default_factory=dict)
    namespace: str = "default"
    nodes: Mapping[str, Mapping[str, str]] | None = None
    pod_security: Mapping[str, str] = field(default_factory=dict)
    cluster_domain: str = "cluster.local"
    autoscaled: bool | None = None
    spark_namespaces: frozenset[str] | None = None
    train_patch: TrainPatch | None = None

    @classmethod
    def of(cls, objects: Iterable[Mapping[str, Any]], **known: Any) -> Topology:
        """Read facts from manifests: Datasets, runtimes, claims, ConfigMaps, Nodes, Namespaces, CRDs, Deployments.

        Args:
            objects: As a plane holds them, or as authored. What says nothing is passed over.
            known: Other facts; they win.
        """
        by_kind: dict[str, dict[tuple[str, str], Mapping[str, Any]]] = {}
        for each in objects:
            metadata = as_map(each.get("metadata"))
            key = as_text(metadata.get("namespace")), as_text(metadata.get("name"))
            by_kind.setdefault(as_text(each.get("kind")), {})[key] = each
        home = known.get("namespace", "default")
        datasets = [_dataset(key, each, by_kind, home) for key, each in by_kind.get("Dataset", {}).items()]
        read: dict[str, Any] = {
            "datasets": {f"{facts.namespace}/{facts.name}": facts for facts in datasets},
            "pod_security": {name: level for (_, name), each in by_kind.get("Namespace", {}).items()
                             if (level := _label(each, _ENFORCE))},
            "spark_namespaces": _spark_namespaces(by_kind.get("Deployment", {}).values()),
            "train_patch": _train_patch(by_kind.get("CustomResourceDefinition", {}).values()),
        }  # fmt: skip
        if "Node" in by_kind:
            read["nodes"] = {
                name: dict(as_map(look(each, ("metadata", "labels")))) for (_, name), each in by_kind["Node"].items()
            }
        return cls(**{**read, **known})

    def facts(self, namespace: str, name: str) -> DatasetFacts | None:
        """What is known of a dataset; None when nothing is."""
        return self.datasets.get(f"{namespace}/{name}")

    def holding(self, key: str) -> tuple[Mapping[str, str], ...]:
        """The labels of the nodes that carry a label: those that really hold a dataset's cache."""
        return tuple(labels for labels in (self.nodes or {}).values() if labels.get(key) == "true")

    def refuses_host_path(self, namespace: str) -> str | None:
        """The Pod Security level of a namespace that lets no pod use ``hostPath``; None when nothing says so."""
        level = self.pod_security.get(namespace)
        return level if level in {"baseline", "restricted"} else None


def _label(manifest: Mapping[str, Any], name: str) -> str:
    return as_text(look(manifest, ("metadata", "labels", name)))


def _dataset(
    key: tuple[str, str], manifest: Mapping[str, Any], by_kind: Mapping[str, _Named], home: str
) -> DatasetFacts:
    namespace, name = key
    kind, runtime = _runtime(key, by_kind)
    bound = as_map(next(iter(as_list(look(manifest, ("status", "runtimes")))), None))
    runtime_type = as_text(bound.get("type")) or (KINDS[kind].runtime_type if kind else None)
    masters = bound.get("masterReplicas") or look(runtime, ("master", "replicas"))
    config = by_kind.get("ConfigMap", {}).get((namespace, f"{name}-config"))
    return DatasetFacts(
        namespace=namespace or home,
        name=name,
        uid=as_text(look(manifest, ("metadata", "uid"))) or None,
        runtime_type=runtime_type or None,
        runtime=runtime,
        access_modes=_access_modes(manifest, by_kind.get("PersistentVolumeClaim", {}).get(key)),
        endpoint=as_text(look(manifest, ("status", "hcfs", "endpoint"))) or None,
        masters=masters if isinstance(masters, int) else 1,
        physical=_physical(manifest),
        client_config=None if config is None else {k: str(v) for k, v in as_map(config.get("data")).items()},
    )


def _runtime(key: tuple[str, str], by_kind: Mapping[str, _Named]) -> tuple[str | None, Mapping[str, Any]]:
    for kind in KINDS.values():
        if kind.is_runtime and (found := by_kind.get(kind.kind, {}).get(key)) is not None:
            return kind.kind, as_map(found.get("spec"))
    return None, {}


def _access_modes(dataset: Mapping[str, Any], claim: Mapping[str, Any] | None) -> tuple[str, ...]:
    of_claim = as_list(look(claim, ("spec", "accessModes")))
    declared = as_list(look(dataset, ("spec", "accessModes")))
    return tuple(str(mode) for mode in of_claim or declared or (READ_ONLY_MANY,))


def _physical(dataset: Mapping[str, Any]) -> tuple[str, str, str] | None:
    mounts = as_list(look(dataset, ("spec", "mounts")))
    point = as_text(as_map(mounts[0]).get("mountPoint")) if mounts else ""
    if not point.startswith(_REFERENCE):
        return None
    namespace, _, rest = point.removeprefix(_REFERENCE).partition("/")
    name, _, path = rest.partition("/")
    return namespace, name, path.strip("/")


def _spark_namespaces(deployments: Iterable[Mapping[str, Any]]) -> frozenset[str] | None:
    """What the operator's webhook was started with: ``--namespaces=a,b``."""
    for each in deployments:
        if _label(each, "app.kubernetes.io/name") != "spark-operator":
            continue
        if _label(each, "app.kubernetes.io/component") != "webhook":
            continue
        for container in as_list(look(each, ("spec", "template", "spec", "containers"))):
            for argument in as_list(as_map(container).get("args")):
                if as_text(argument).startswith("--namespaces="):
                    return frozenset(argument.partition("=")[2].strip('"').split(","))
    return None


def _train_patch(definitions: Iterable[Mapping[str, Any]]) -> TrainPatch | None:
    for each in definitions:
        if look(each, ("metadata", "name")) != "trainjobs.trainer.kubeflow.org":
            continue
        for version in as_list(look(each, ("spec", "versions"))):
            spec = look(version, ("schema", "openAPIV3Schema", "properties", "spec", "properties"))
            for name in _PATCHES:
                if name in as_map(spec):
                    return name
    return None
