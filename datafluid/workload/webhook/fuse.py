"""What the webhook takes from the DaemonSet of a FUSE to run it beside a pod, and how it trims it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.workload.webhook.draft import PodDraft, name_of
from datafluid.workload.webhook.mounted import MountedDataset
from datafluid.workload.webhook.outcome import Swallowed, missing
from datafluid.workload.webhook.world import World

__all__ = ["HOST_MOUNTS", "FuseTemplate", "fuse_template"]

#: How the volumes of host directories with FUSE mounts are called.
HOST_MOUNTS = (
    *(f"{engine}-fuse-mount" for engine in ("alluxio", "jindofs", "juicefs", "thin", "efc")),
    "efc-sock",
)
_DEVICES = ("alluxio-fuse-device", "jindofs-fuse-device", "thin-fuse-device")
_CACHES = ("datavolume-", "volume-localtime", "cache-dir", "mem", "ssd", "hdd")
_ENGINES = {
    "fuse.jindofs-fuse": "jindofs",
    "jindo": "jindofs",
    "fuse.alluxio-fuse": "alluxio",
    "alluxio": "alluxio",
    "JuiceFS": "juicefs",
    "juicefs": "juicefs",
}
_OTHERS = "thin-fuse-mount"
_CHECK, _CHECK_PATH = "default-check-mount", "check-mount.sh"
_EXECUTABLE = 0o755


@dataclass(slots=True, kw_only=True)
class FuseTemplate:
    """A FUSE container and its volumes, to be changed before they go into a pod.

    Args:
        container: The first container of the DaemonSet.
        volumes: Those of the DaemonSet's volumes that it mounts.
        file_system: The type of the mount.
        host_path: Where the mount is on the node.
        container_path: The directory of the container that has the mount in it.
        sub_path: What of the mount is the dataset; empty: all of it.
    """

    container: dict[str, Any]
    volumes: list[dict[str, Any]]
    file_system: str
    host_path: str
    container_path: str
    sub_path: str

    def trim_volumes(self, prefixes: tuple[str, ...]) -> None:
        """Take away volumes by the beginning of their names, and their mounts."""
        mounts = PodDraft.items(self.container, "volumeMounts")
        self.volumes = [each for each in self.volumes if not name_of(each).startswith(prefixes)]
        self.container["volumeMounts"] = [each for each in mounts if not name_of(each).startswith(prefixes)]

    def without_caches(self) -> None:
        """Leave the cache directories to the nodes."""
        self.trim_volumes(_CACHES)

    def without_privileges(self) -> None:
        """Take away what only a privileged container can use."""
        self.trim_volumes(HOST_MOUNTS)
        self.trim_volumes(_DEVICES)
        context = self.container.get("securityContext")
        if isinstance(context, dict):
            context["privileged"] = False
            if isinstance(granted := context.get("capabilities"), dict):
                granted["add"] = [each for each in as_list(granted.get("add")) if each != "SYS_ADMIN"]
                context["capabilities"] = {key: value for key, value in granted.items() if value}

    def without_metrics(self) -> None:
        """Take away the ports of metrics that nobody is to scrape."""
        ports = PodDraft.items(self.container, "ports")
        kept = [each for each in ports if not name_of(each).endswith("-metrics")]
        self.container = {**self.container, "ports": kept} if kept else _less(self.container, "ports")

    def with_check(self) -> str:
        """Wait for the mount after the start.

        Returns:
            The name of the ConfigMap with the script.
        """
        config_map = f"{self.file_system.lower()}-{_CHECK}"
        command = f"time /{_CHECK_PATH} {self.container_path} {self.file_system} {self.sub_path}"
        mount = {"name": _CHECK, "mountPath": f"/{_CHECK_PATH}", "subPath": _CHECK_PATH, "readOnly": True}
        self.container["volumeMounts"] = [*PodDraft.items(self.container, "volumeMounts"), mount]
        lifecycle = PodDraft.within(self.container, "lifecycle")
        lifecycle["postStart"] = {"exec": {"command": ["bash", "-c", command]}}
        source = {"name": config_map, "defaultMode": _EXECUTABLE}
        self.volumes = [*self.volumes, {"name": _CHECK, "configMap": source}]
        return config_map


def fuse_template(dataset: MountedDataset, world: World) -> FuseTemplate:
    """The FUSE of a dataset.

    Raises:
        Swallowed: it has no DaemonSet or volume, or its mount is not where the webhook looks.
    """
    name = dataset.fuse_daemon_set
    daemon_set = world.get("DaemonSet", name, dataset.namespace)
    if daemon_set is None:
        raise Swallowed(missing("daemonsets.apps", name))
    spec = as_map(look(daemon_set, ("spec", "template", "spec")))
    containers = as_list(spec.get("containers"))
    if not containers:
        raise Swallowed(f'the length of containers of fuse daemonset "{dataset.namespace}/{name}" should not be 0')
    container = copy.deepcopy(dict(as_map(containers[0])))
    if not container.get("resources"):  # which an API server writes into everything
        container.pop("resources", None)
    mounts = PodDraft.items(container, "volumeMounts")
    mounted = {name_of(mount) for mount in mounts}
    attributes = _attributes(dataset, world)
    file_system = as_text(attributes.get("mount_type"))
    return FuseTemplate(
        container=container,
        volumes=[
            copy.deepcopy(dict(as_map(each))) for each in as_list(spec.get("volumes")) if name_of(each) in mounted
        ],
        file_system=file_system,
        host_path=as_text(attributes.get("fluid_path")),
        container_path=as_text(_mount(mounts, file_system).get("mountPath")),
        sub_path=as_text(attributes.get("fluid_sub_path")),
    )


def _attributes(dataset: MountedDataset, world: World) -> Mapping[str, Any]:
    whole = f"{dataset.namespace}/{dataset.name}"
    volume = world.get("PersistentVolume", dataset.volume)
    if volume is None:
        reason = f'cannot find pvc "{whole}"\'s bounded PV: {missing("persistentvolumes", dataset.volume)}'
        raise Swallowed(f"failed to get mount info by runtimeInfo {whole}: {reason}")
    attributes = as_map(look(volume, ("spec", "csi", "volumeAttributes")))
    if not attributes:
        reason = f"the pv {dataset.volume} is not created by fluid"
        raise Swallowed(f"failed to get mount info by runtimeInfo {whole}: {reason}")
    return attributes


def _mount(mounts: list[dict[str, Any]], file_system: str) -> Mapping[str, Any]:
    """The mount of the container that has the FUSE mount in it."""
    named = {name_of(mount): mount for mount in reversed(mounts)}
    failed = "failed to get fuse volume mount from container"
    if file_system in _ENGINES:
        wanted = f"{_ENGINES[file_system]}-fuse-mount"
    elif _OTHERS in named:
        wanted = _OTHERS
    else:
        raise Swallowed(f"{failed}: failed to find the prefix by mountType {file_system}")
    if wanted not in named:
        slice_ = " ".join(named)
        raise Swallowed(f"{failed}: failed to find the volumeMount from slice [{slice_}] by the name {wanted}")
    found: Mapping[str, Any] = named[wanted]
    return found


def _less(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
