"""The pods that a workload describes, one place each, read the same way whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import Path, dotted, look, template_paths
from datafluid.workload.draft import not_a
from datafluid.workload.kind import TemplateAt, WorkloadKind
from datafluid.workload.kinds import workload_kind
from datafluid.workload.shapes import ContainerShape, expand, resolve
from datafluid.workload.sparkpods import spark_resources

__all__ = ["ContainerPlace", "PodPlace", "pod_places"]

_POD_FIELDS = (
    "tolerations", "hostNetwork", "dnsPolicy", "priorityClassName", "schedulerName", "securityContext",
    "serviceAccountName", "topologySpreadConstraints", "runtimeClassName", "schedulingGates",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlace:
    """One container of a place.

    Args:
        path: To it, from the top of the manifest.
        shape: Where it keeps what.
        name: What it is called; None when that is not said.
    """

    path: Path
    shape: ContainerShape
    name: str | None

    def at(self, relative: Path) -> Path:
        """A path of its shape, from the top."""
        return resolve(self.path, relative)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPlace:
    """One place of a manifest that describes pods.

    Args:
        path: To it, from the top of the manifest.
        role: What the pods are: ``pod``, ``driver``, ``Worker``, the name of a group, ...
        template: What the table says of it.
    """

    path: Path
    role: str
    template: TemplateAt

    def at(self, relative: Path) -> Path:
        """A path of its shape, from the top."""
        return resolve(self.path, relative)

    def count(self, manifest: Mapping[str, Any]) -> int | None:
        """How many pods of it there are; None when as many as nodes, or not known."""
        count, times = self._number(manifest, self.template.count), self._number(manifest, self.template.times)
        many = self.template.default_count if count is None else count
        return many if many is None or times is None else many * times

    def _number(self, manifest: Mapping[str, Any], path: Path | None) -> int | None:
        said = look(manifest, self.at(path)) if path is not None else None
        return said if isinstance(said, int) and not isinstance(said, bool) else None

    def containers(self, manifest: Mapping[str, Any]) -> list[ContainerPlace]:
        """Its containers, init containers last.

        Raises:
            Invalid: something else is where a list of them belongs.
        """
        found = [each for shape in self.template.shape.containers for each in self._containers(manifest, shape)]
        return sorted(found, key=lambda each: each.shape.init)

    def _containers(self, manifest: Mapping[str, Any], shape: ContainerShape) -> Iterator[ContainerPlace]:
        at = self.at(shape.at)
        value = look(manifest, at)
        if isinstance(value, list):
            for index, each in enumerate(value):
                name = each.get("name") if isinstance(each, Mapping) else None
                yield ContainerPlace(path=(*at, index), shape=shape, name=name or shape.name)
        elif shape.name is None and value is not None:  # one container has a name from its shape, a list has none
            raise not_a("list", at)
        elif shape.made or isinstance(value, Mapping):
            yield ContainerPlace(path=at, shape=shape, name=shape.name)

    def pod(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """The pod that it describes, as Kubernetes would have it: metadata and spec.

        What the kind's controller adds later is not there, but what it is known to ask for is (Spark's cores and
        memory). Nothing is copied deeply: do not change it.
        """
        shape = self.template.shape
        above = look(manifest, self.at(shape.spec)) if shape.spec is not None else None
        spec: dict[str, Any] = dict(above) if shape.spec == ("spec",) and isinstance(above, Mapping) else {}
        if shape.spec == () and isinstance(above, Mapping):
            spec = {name: above[name] for name in _POD_FIELDS if name in above}
        for name, path in self._pod_paths():
            if (value := look(manifest, self.at(path))) is not None:
                spec.setdefault(name, value)
        spec["containers"] = [self._container(manifest, each) for each in self._running(manifest)]
        metadata = {
            name: dict(value)
            for name, path in (("labels", shape.labels), ("annotations", shape.annotations))
            if path is not None and isinstance(value := look(manifest, self.at(path)), Mapping)
        }
        return {"metadata": metadata, "spec": spec}

    def _running(self, manifest: Mapping[str, Any]) -> list[ContainerPlace]:
        return [each for each in self.containers(manifest) if not each.shape.init]

    def _pod_paths(self) -> Iterator[tuple[str, Path]]:
        shape = self.template.shape
        for name, path in (
            ("affinity", shape.affinity),
            *(("affinity", path) for path in shape.inherited_affinity),
            ("nodeSelector", shape.node_selector),
            ("volumes", shape.volumes),
        ):
            if path is not None:
                yield name, path

    def _container(self, manifest: Mapping[str, Any], container: ContainerPlace) -> dict[str, Any]:
        data = look(manifest, container.path)
        mapping: Mapping[str, Any] = data if isinstance(data, Mapping) else {}
        if not container.shape.made:
            return {"name": container.name, **mapping}
        resources = spark_resources(mapping) if container.name == "spark" else look(mapping, container.shape.resources)
        mounts = look(manifest, container.at(container.shape.mounts))
        return {
            "name": container.name,
            **({"resources": resources} if resources else {}),
            **({"volumeMounts": mounts} if mounts else {}),
        }


def pod_places(manifest: Mapping[str, Any], *, templates: tuple[Path, ...] = ()) -> list[PodPlace]:
    """The places of a manifest that describe pods.

    Args:
        manifest: An object of any kind, or the values of the Trino or Presto chart.
        templates: Paths of pod templates of a kind that is not known; they are looked for when none is given.

    Returns:
        In the manifest's order; none for what has no pods.

    Raises:
        Invalid: nothing is at one of the paths.

    Example:
        >>> job = {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob"}
        >>> job["spec"] = {"pytorchReplicaSpecs": {"Master": {"template": {}}, "Worker": {"template": {}}}}
        >>> [place.role for place in pod_places(job)]
        ['Master', 'Worker']
    """
    kind = workload_kind(manifest)
    for path in templates:
        if not isinstance(look(manifest, path), Mapping):
            raise Invalid(f"there is no pod template at {dotted(path)}.", hint="Give its path, such as spec.template.")
    if kind is None:
        paths = templates or tuple(template_paths(manifest))
        return [PodPlace(path=path, role="pod", template=TemplateAt(path=path, default_count=None)) for path in paths]
    return [place for template in kind.templates for place in _places(manifest, kind, template)]


def _places(manifest: Mapping[str, Any], kind: WorkloadKind, template: TemplateAt) -> Iterator[PodPlace]:
    if template.made:
        yield PodPlace(path=template.path, role=template.role or "pod", template=template)
        return
    for path in expand(manifest, template.path):
        place = PodPlace(path=path, role=template.role or _role(manifest, path, template.path), template=template)
        if kind.groups != ("argoproj.io",) or place.containers(manifest):  # other steps run no pod of their own
            yield place


def _role(manifest: Mapping[str, Any], path: Path, pattern: Path) -> str:
    """The key that the last ``*`` matched, or the name of the item of a list."""
    last = max(index for index, step in enumerate(pattern) if step == "*")
    if isinstance(path[last], str):
        return str(path[last])
    item = look(manifest, path[: last + 1])
    names = (item.get(name) for name in ("name", "groupName")) if isinstance(item, Mapping) else ()
    targets = item.get("targetJobs") if isinstance(item, Mapping) else None
    if isinstance(targets, list):
        return ",".join(str(each.get("name")) for each in targets if isinstance(each, Mapping)) or "*"
    return str(next((name for name in names if name), path[last]))
