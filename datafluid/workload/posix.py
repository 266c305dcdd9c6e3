"""Files: the claim as one volume, a mount in each container, and the environment by which ``fluid://`` finds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from datafluid.model.names import shortened
from datafluid.model.plain import as_list, as_map
from datafluid.workload.draft import Draft
from datafluid.workload.places import ContainerPlace, PodPlace
from datafluid.workload.resolve import Resolved
from datafluid.workload.uses import MOUNT_ROOT

__all__ = ["add_environment", "add_mounts", "add_variable", "containers_of", "volume_name"]


def volume_name(*parts: str) -> str:
    """A name for a volume: readable, and one that Kubernetes takes.

    Example:
        >>> volume_name("fluid", "images.v2")
        'fluid-images-v2'
    """
    return shortened("-".join(parts).replace(".", "-").lower())


def containers_of(draft: Draft, place: PodPlace, resolved: Resolved) -> list[ContainerPlace]:
    """The containers of a place that use a dataset: those that are named, or all that are no init containers."""
    found = place.containers(draft.data)
    if not resolved.use.containers:
        return [each for each in found if not each.shape.init]
    return [each for each in found if each.name in resolved.use.containers]


def add_mounts(draft: Draft, place: PodPlace, used: Iterable[Resolved]) -> None:
    """Mount what must be mounted, in the containers that use it."""
    for each in used:
        if each.needs_mount and (containers := containers_of(draft, place, each)):
            _tell_of_writing(draft, each)
            volume = _add_volume(draft, place, each)
            for container in containers:
                _add_mount(draft, container, each, volume)


def _tell_of_writing(draft: Draft, resolved: Resolved) -> None:
    if resolved.use.read_only is False and resolved.read_only:
        draft.tell(
            "not done",
            f"{resolved.dataset} cannot be written: its access modes allow reading only.",
            fix=f"kind: Dataset\nmetadata: {{name: {resolved.name}, namespace: {resolved.namespace}}}\n"
            "spec:\n  accessModes: [ReadWriteMany]",
        )


def _add_volume(draft: Draft, place: PodPlace, resolved: Resolved) -> str:
    """The name of the one volume with the claim: yours if there is one."""
    path = place.at(place.template.shape.volumes)
    volumes = [as_map(volume) for volume in as_list(draft.look(path))]
    for volume in volumes:
        source = as_map(volume.get("persistentVolumeClaim"))
        if source.get("claimName") == resolved.claim:
            if source.get("readOnly") is True and not resolved.read_only:
                draft.tell(
                    "warning",
                    f"your volume {volume.get('name')} is read-only, so {resolved.dataset} cannot be written.",
                    path=path,
                )
            return str(volume.get("name"))
    taken = {volume.get("name") for volume in volumes}
    name = next(name for name in _names(resolved.claim) if name not in taken)
    claim = {"name": name, "persistentVolumeClaim": {"claimName": resolved.claim}}
    draft.add(path, claim, f"the claim of {resolved.dataset}.")
    return name


def _names(claim: str) -> Iterator[str]:
    yield volume_name("fluid", claim)
    number = 2
    while True:
        yield volume_name("fluid", claim, str(number))
        number += 1


def _add_mount(draft: Draft, container: ContainerPlace, resolved: Resolved, volume: str) -> None:
    path = container.at(container.shape.mounts)
    there = [each for each in map(as_map, as_list(draft.look(path))) if each.get("mountPath") == resolved.mount_path]
    if any((each.get("subPath") or "") != resolved.use.sub_path for each in there):
        draft.tell("not done", f"{resolved.dataset}: you mount another directory at {resolved.mount_path}.", path=path)
        return
    sub_path = {"subPath": resolved.use.sub_path} if resolved.use.sub_path else {}
    # Your own mount may be meant for writing: what is only assumed takes that from nobody.
    is_read_only = resolved.read_only and not (there and resolved.is_assumed_read_only)
    read_only = {"readOnly": True} if is_read_only else {}
    mount = {"name": volume, "mountPath": resolved.mount_path, **sub_path, **read_only}
    # Without it a mount that Fluid repairs on the node stays broken in the pod.
    mount["mountPropagation"] = "HostToContainer"
    draft.add(path, mount, f"{resolved.dataset} as files.", key="mountPath", complete=True)


def add_environment(draft: Draft, container: ContainerPlace, used: Iterable[Resolved]) -> None:
    """Tell the programs in a container where datasets are and what ``fluid:///`` means."""
    namespace = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    here = {"name": "DATAFLUID_NAMESPACE", "valueFrom": namespace}
    add_variable(draft, container, here, "fluid:/// means the pod's own namespace.")
    root = {"name": "DATAFLUID_MOUNT_ROOT", "value": MOUNT_ROOT}
    add_variable(draft, container, root, "by it fluid:// finds what is mounted.")
    if elsewhere := sorted({f"{each.dataset}={each.mount_path}" for each in used if _is_elsewhere(each)}):
        places = {"name": "DATAFLUID_MOUNTS", "value": ",".join(elsewhere)}
        add_variable(draft, container, places, "by it fluid:// finds what is mounted elsewhere.")


def add_variable(draft: Draft, container: ContainerPlace, variable: Mapping[str, Any], why: str) -> bool:
    """Set a variable of a container that nobody has set; where the shape has no environment, say so."""
    if container.shape.env is None:
        draft.tell("not done", f"{variable['name']} cannot be set here; {why}", path=container.path)
        return False
    return draft.add(container.at(container.shape.env), variable, why)


def _is_elsewhere(resolved: Resolved) -> bool:
    """Whether the whole dataset is mounted, but not where the mount route looks."""
    there = f"{MOUNT_ROOT}/{resolved.dataset}"
    return resolved.needs_mount and not resolved.use.sub_path and resolved.mount_path != there
