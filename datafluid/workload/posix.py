"""Files: the claim as one volume, a mount in each container, and the environment by which ``fluid://`` finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from itertools import permutations
from typing import Any

from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.workload.draft import Draft
from datafluid.workload.places import ContainerPlace, PodPlace
from datafluid.workload.resolve import Resolved
from datafluid.workload.uses import MOUNT_ROOT
from datafluid.workload.volumes import add_volume, has_source, volume_name, volumes_of

__all__ = ["add_environment", "add_mounts", "add_variable", "containers_of", "obstructed"]

_NOWHERE = "/dev/null"  # no directory, so that ``fluid://`` takes another way than the mount


def containers_of(draft: Draft, place: PodPlace, resolved: Resolved) -> list[ContainerPlace]:
    """The containers of a place that use a dataset: those that are named, or all that are no init containers.

    Less those in which it cannot be mounted: see `obstructed`.
    """
    obstacles = {each.path for each in obstructed(draft, place, resolved)}
    return [each for each in _asked(draft, place, resolved) if each.path not in obstacles]


def obstructed(draft: Draft, place: PodPlace, resolved: Resolved) -> list[ContainerPlace]:
    """The containers that should use a dataset but have something else mounted at its place."""
    if not resolved.needs_mount:
        return []
    volumes = {str(each.get("name")) for each in volumes_of(draft, place) if has_source(each, _claim(resolved))}
    return [each for each in _asked(draft, place, resolved) if _mounts_another(draft, each, resolved, volumes)]


def _asked(draft: Draft, place: PodPlace, resolved: Resolved) -> list[ContainerPlace]:
    found = place.containers(draft.data)
    if not resolved.use.containers:
        return [each for each in found if not each.shape.init]
    return [each for each in found if each.name in resolved.use.containers]


def _mounts_another(draft: Draft, container: ContainerPlace, resolved: Resolved, volumes: Set[str]) -> bool:
    sub_path = resolved.use.sub_path
    return any(
        str(each.get("name")) not in volumes or (each.get("subPath") or "") != sub_path
        for each in _mounts(draft, container)
        if _where(each) == resolved.mount_path
    )


def _mounts(draft: Draft, container: ContainerPlace) -> list[Mapping[str, Any]]:
    return [as_map(each) for each in as_list(draft.look(container.at(container.shape.mounts)))]


def _where(mount: Mapping[str, Any]) -> str:
    """Where a mount is: with a slash at its end it is at the same place."""
    return as_text(mount.get("mountPath")).rstrip("/")


def add_mounts(draft: Draft, place: PodPlace, used: Iterable[Resolved]) -> list[Resolved]:
    """Mount what must be mounted, in the containers that use it.

    Returns:
        The uses, less those that can be mounted in no container of the place.
    """
    usable: list[Resolved] = []
    ours: set[str] = set()
    for each in used:
        obstacles = obstructed(draft, place, each)
        for container in obstacles:
            _tell_of_obstacle(draft, container, each)
        containers = containers_of(draft, place, each)
        if containers or not obstacles:
            usable.append(each)
        if each.needs_mount and containers:
            _tell_of_writing(draft, each)
            volume = _add_volume(draft, place, each)
            ours.add(volume)
            for container in containers:
                _add_mount(draft, container, each, volume)
    for container in place.containers(draft.data):
        _tell_of_nesting(draft, container, ours)
    return usable


def _tell_of_nesting(draft: Draft, container: ContainerPlace, ours: Set[str]) -> None:
    """A directory to mount on is made where it is not there, which no read-only mount allows."""
    for outer, inner in permutations(_mounts(draft, container), 2):
        names = {str(outer.get("name")), str(inner.get("name"))}
        if outer.get("readOnly") is True and len(names) > 1 and names & ours and _is_below(inner, outer):
            draft.tell(
                "warning",
                f"{_where(inner)} is mounted inside of {_where(outer)}, which is read-only: where the directory is not"
                " there already, the container does not start.",
                path=container.at(container.shape.mounts),
                fix="Mount one of them elsewhere.",
            )


def _is_below(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> bool:
    return _where(inner).startswith(f"{_where(outer)}/")


def _tell_of_obstacle(draft: Draft, container: ContainerPlace, resolved: Resolved) -> None:
    draft.tell(
        "not done",
        f"{resolved.dataset}: you mount another directory at {resolved.mount_path}, so it is not mounted here.",
        path=container.at(container.shape.mounts),
        fix="Take your mount away, or give the use another mount_path.",
    )


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
    claim = _claim(resolved)
    yours = next((each for each in volumes_of(draft, place) if has_source(each, claim)), {})
    if look(yours, ("persistentVolumeClaim", "readOnly")) is True and not resolved.read_only:
        draft.tell(
            "warning",
            f"your volume {yours.get('name')} is read-only, so {resolved.dataset} cannot be written.",
            path=place.at(place.template.shape.volumes),
        )
    name = volume_name("fluid", resolved.claim)
    return add_volume(draft, place, name, claim, f"the claim of {resolved.dataset}.")


def _claim(resolved: Resolved) -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": resolved.claim}}


def _add_mount(draft: Draft, container: ContainerPlace, resolved: Resolved, volume: str) -> None:
    path = container.at(container.shape.mounts)
    there = next((each for each in _mounts(draft, container) if _where(each) == resolved.mount_path), None)
    sub_path = {"subPath": resolved.use.sub_path} if resolved.use.sub_path else {}
    # Your own mount may be meant for writing: what is only assumed takes that from nobody.
    is_read_only = resolved.read_only and not (there and resolved.is_assumed_read_only)
    read_only = {"readOnly": True} if is_read_only else {}
    where = there["mountPath"] if there else resolved.mount_path
    mount = {"name": volume, "mountPath": where, **sub_path, **read_only}
    # Without it a mount that Fluid repairs on the node stays broken in the pod.
    mount["mountPropagation"] = "HostToContainer"
    draft.add(path, mount, f"{resolved.dataset} as files.", key="mountPath", complete=True)


def add_environment(
    draft: Draft, container: ContainerPlace, used: Iterable[Resolved], obstructed: Iterable[Resolved]
) -> None:
    """Tell the programs in a container where datasets are and what ``fluid:///`` means.

    Args:
        used: The uses of the container that need a mount and have it.
        obstructed: Those in whose place something else is: it must not be taken for the dataset.
    """
    places = {each.dataset: _NOWHERE for each in obstructed if _is_below_root(each)}
    used = list(used)
    if used:
        _add_root(draft, container)
    places |= {each.dataset: each.mount_path for each in used if _is_elsewhere(each)}
    if places:
        value = ",".join(sorted(f"{dataset}={path}" for dataset, path in places.items()))
        variable = {"name": "DATAFLUID_MOUNTS", "value": value}
        add_variable(draft, container, variable, "by it fluid:// finds what is mounted elsewhere, or not at all.")


def _add_root(draft: Draft, container: ContainerPlace) -> None:
    namespace = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    here = {"name": "DATAFLUID_NAMESPACE", "valueFrom": namespace}
    add_variable(draft, container, here, "fluid:/// means the pod's own namespace.")
    root = {"name": "DATAFLUID_MOUNT_ROOT", "value": MOUNT_ROOT}
    add_variable(draft, container, root, "by it fluid:// finds what is mounted.")


def add_variable(draft: Draft, container: ContainerPlace, variable: Mapping[str, Any], why: str) -> bool:
    """Set a variable of a container that nobody has set; where the shape has no environment, say so."""
    if container.shape.env is None:
        draft.tell("not done", f"{variable['name']} cannot be set here; {why}", path=container.path)
        return False
    return draft.add(container.at(container.shape.env), variable, why)


def _is_elsewhere(resolved: Resolved) -> bool:
    """Whether the whole dataset is mounted, but not where the mount route looks."""
    there = f"{MOUNT_ROOT}/{resolved.dataset}"
    return not resolved.use.sub_path and resolved.mount_path != there


def _is_below_root(resolved: Resolved) -> bool:
    """Whether the mount route would take what is at its place for it."""
    return f"{resolved.mount_path}/".startswith(f"{MOUNT_ROOT}/{resolved.dataset}/")
