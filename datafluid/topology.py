"""What a plane knows of the place where a workload will run, as the frozen value that `wrap` takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from datafluid.errors import Forbidden, NotFound, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest

if TYPE_CHECKING:
    from datafluid.workload.topology import Topology
    from datafluid.workload.uses import DatasetUse

__all__ = ["read_topology"]

_SPARK_WEBHOOK = {"app.kubernetes.io/name": "spark-operator", "app.kubernetes.io/component": "webhook"}
_TRAIN_JOBS = Ref("apiextensions.k8s.io/v1/CustomResourceDefinition", "trainjobs.trainer.kubeflow.org")


def read_topology(plane: ControlPlane, uses: Iterable[DatasetUse | str], *, namespace: str = "default") -> Topology:
    """Ask a plane for what `wrap` wants to know: datasets, runtimes, claims, nodes, Pod Security, operators.

    What the plane does not have, or does not let us read, stays unknown; `wrap` says what it assumes instead.

    Args:
        plane: Any plane; on a `Cluster` its Kubernetes objects are read too.
        uses: The datasets.
        namespace: The workload's.

    Returns:
        A frozen value; nothing is read later.

    Raises:
        Unavailable: the plane cannot be reached.

    Example:
        >>> import datafluid
        >>> from datafluid.testing import InMemoryPlane
        >>> plane = InMemoryPlane()
        >>> dataset = {"apiVersion": "data.fluid.io/v1alpha1", "kind": "Dataset", "metadata": {"name": "flights"}}
        >>> dataset["spec"] = {"mounts": [{"mountPoint": "s3://flights"}], "accessModes": ["ReadWriteMany"]}
        >>> _ = datafluid.Client(plane).apply(dataset)
        >>> datafluid.read_topology(plane, ["flights"]).datasets["default/flights"].writable
        True
    """
    from datafluid.workload.topology import Topology
    from datafluid.workload.uses import DatasetUse

    wanted = [DatasetUse.parse(use) if isinstance(use, str) else use for use in uses]
    reader = _Reader(plane)
    objects = reader.list("Dataset", namespace)
    seen: set[tuple[str, str]] = set()
    for use in wanted:
        objects += reader.dataset(use.namespace(namespace), use.name, seen)
    if isinstance(plane, Cluster):
        objects += reader.surroundings(namespace)
    return Topology.of(objects, namespace=namespace)


class _Reader:
    """Reads what is there and allowed, and passes over what is not."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane
        self._kinds = plane.kinds() if isinstance(plane, Cluster) else frozenset(KINDS)

    def dataset(self, namespace: str, name: str, seen: set[tuple[str, str]]) -> list[Manifest]:
        """A dataset, its runtime, claim and client settings, and the same of the dataset that it refers to."""
        if (namespace, name) in seen:
            return []
        seen.add((namespace, name))
        found = self._get(Ref("Dataset", name, namespace))
        if found is None:
            return []
        objects = [found, *self._belongings(found, namespace, name)]
        for point in (as_text(as_map(each).get("mountPoint")) for each in as_list(look(found, ("spec", "mounts")))):
            if point.startswith("dataset://"):
                other, _, rest = point.removeprefix("dataset://").partition("/")
                objects += self.dataset(other, rest.partition("/")[0], seen)
        return objects

    def surroundings(self, namespace: str) -> list[Manifest]:
        """The nodes, the namespace, the webhook of the Spark operator, the definition of TrainJob."""
        found = [self._get(Ref("v1/Namespace", namespace)), self._get(_TRAIN_JOBS)]
        listed = self.list("v1/Node", None) + self.list("apps/v1/Deployment", None, _SPARK_WEBHOOK)
        return [each for each in found if each is not None] + listed

    def list(self, kind: str, namespace: str | None, selector: Mapping[str, str] | None = None) -> list[Manifest]:
        """All objects of a kind; none where it is not served or may not be read."""
        if kind not in self._kinds:
            return []
        try:
            return self._plane.list(kind, namespace=namespace, selector=selector)
        except (Forbidden, NotFound, Unsupported):
            return []

    def _belongings(self, dataset: Manifest, namespace: str, name: str) -> Iterator[Manifest]:
        bound = as_text(look(dataset, ("status", "runtimes", 0, "type")))
        runtimes = [kind for kind in KINDS.values() if kind.is_runtime and (not bound or kind.runtime_type == bound)]
        refs = [Ref(kind.kind, name, namespace) for kind in runtimes]
        refs.append(Ref("v1/PersistentVolumeClaim", name, namespace))
        if bound == "alluxio":
            refs.append(Ref("v1/ConfigMap", f"{name}-config", namespace))
        for ref in refs:
            if (found := self._get(ref)) is not None:
                yield found

    def _get(self, ref: Ref) -> Manifest | None:
        if ref.kind not in self._kinds:
            return None
        try:
            return self._plane.get(ref)
        except (NotFound, Forbidden, Unsupported):
            return None
