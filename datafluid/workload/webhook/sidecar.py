"""The sidecar: the FUSE of each dataset runs in the pod itself, and the claim becomes a directory of the node."""

from __future__ import annotations

import copy
import itertools
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.names import LABEL_PREFIX
from datafluid.model.plain import as_text
from datafluid.model.podlabels import DONE
from datafluid.workload.webhook.draft import PodDraft, name_of
from datafluid.workload.webhook.fuse import HOST_MOUNTS, FuseTemplate, fuse_template
from datafluid.workload.webhook.marks import PROPAGATION
from datafluid.workload.webhook.mounted import MountedDataset
from datafluid.workload.webhook.outcome import Swallowed
from datafluid.workload.webhook.platform import (
    KEEP_CACHES,
    NO_FUSE_CHECK,
    WAIT_IN_APP,
    is_serverless,
    platform_of,
)
from datafluid.workload.webhook.volumes import FUSE_CONTAINER, append_volumes
from datafluid.workload.webhook.world import World

__all__ = ["inject_sidecars"]

_INIT_CONTAINER = f"init-{FUSE_CONTAINER}"
_OF_DATASET = f"dataset-{{}}.sidecar.{LABEL_PREFIX}"
_SCRAPE = f"prometheus.fuse.{LABEL_PREFIX}scrape"
_HOST_PATH_MODE = f"default.fuse-sidecar.{LABEL_PREFIX}host-mount-path-mode"
_UNIQUE = "0000000000000000-00000000"  # stands for the microseconds and eight random digits of a real call
_CHECK = "check-fluid-mount-ready"
_EXECUTABLE = 0o755
_MOST_ROUNDS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pod:
    """How the sidecars of one pod are to be."""

    draft: PodDraft
    world: World
    unprivileged: bool
    native: bool

    def says(self, label: str, value: str = "true") -> bool:
        return self.draft.labels.get(label) == value

    @property
    def unique(self) -> str:
        """What is put into host paths so that no two pods share one; empty unless the pod asks for it."""
        if self.draft.annotations.get(_HOST_PATH_MODE) != "random-suffix":
            return ""
        return f"{self.draft.name or f'{self.draft.generate_name}--generate-name'}/{_UNIQUE}"


def inject_sidecars(
    draft: PodDraft,
    datasets: Mapping[str, MountedDataset],
    world: World,
    env: Mapping[str, str],
    again: Callable[[], Mapping[str, MountedDataset]],
) -> None:
    """``FuseSidecar``: round after round, as a FUSE may itself mount a dataset.

    Args:
        draft: The pod; a round that fails leaves it as the round before did.
        datasets: What it mounts now.
        world: What is around it.
        env: The environment of the webhook.
        again: Finds what the pod mounts after a round.

    Raises:
        Swallowed: a FUSE cannot be injected.
        Denied: after a round a claim cannot be resolved.
        Invalid: the webhook would go on for ever.
    """
    for number in itertools.count():
        if not datasets:
            break
        if number == _MOST_ROUNDS or not is_serverless(draft, env):
            raise Invalid(
                "the webhook would inject for ever, and Kubernetes would refuse the pod after its timeout.",
                hint="FuseSidecar belongs into serverless lists only, and no FUSE may mount its own dataset.",
            )
        before = copy.deepcopy(draft.pod)
        try:
            _round(draft, datasets, world, env)
        except Swallowed as error:
            draft.pod = before
            raise Swallowed(
                f'failed to inject pod "{draft.namespace}/{draft.name}" with runtimeInfos: {error}'
            ) from None
        datasets = again()
    draft.label(DONE, "true")
    draft.label(f"{LABEL_PREFIX}managed-by", "fluid")


def _round(draft: PodDraft, datasets: Mapping[str, MountedDataset], world: World, env: Mapping[str, str]) -> None:
    platform = platform_of(draft, env)
    native = env.get("FUSE_SIDECAR_INJECTION_MODE") == "native-sidecar"
    pod = _Pod(draft=draft, world=world, unprivileged=platform == "unprivileged", native=native)
    draft.needs(next(iter(datasets.values())).namespace, _CHECK)
    _wait_in_app(pod, datasets)
    there = sum(name_of(each).startswith(FUSE_CONTAINER) for each in draft.containers)
    for index, (claim, dataset) in enumerate(datasets.items(), there):
        _one_sidecar(pod, claim, dataset, f"-{index}")


def _wait_in_app(pod: _Pod, datasets: Mapping[str, MountedDataset]) -> None:
    """Give each container that uses a dataset a script that waits for its mounts, and run it where that is asked."""
    claims = dict(pod.draft.claims())
    source = {"name": _CHECK, "defaultMode": _EXECUTABLE}
    renamed = append_volumes(pod.draft, [{"name": _CHECK, "configMap": source}])
    for container in (*pod.draft.containers, *pod.draft.init_containers):
        mounts = pod.draft.items(container, "volumeMounts")
        used = {
            as_text(mount.get("mountPath")): datasets[claim].runtime_type
            for mount in mounts
            if (claim := claims.get(name_of(mount), "")) in datasets
        }
        if not used:
            continue
        script = f"{_CHECK}.sh"
        mount = {"name": renamed.get(_CHECK, _CHECK), "mountPath": f"/{script}", "subPath": script, "readOnly": True}
        container["volumeMounts"] = [*mounts, mount]
        if pod.says(WAIT_IN_APP):
            command = f"time /{script} {':'.join(used)} {':'.join(used.values())}"
            lifecycle = pod.draft.within(container, "lifecycle")
            if lifecycle.get("postStart") is None:
                lifecycle["postStart"] = {"exec": {"command": ["bash", "-c", command]}}


def _one_sidecar(pod: _Pod, claim: str, dataset: MountedDataset, suffix: str) -> None:
    whole = f'"{dataset.namespace}/{dataset.name}"'
    try:
        template = fuse_template(dataset, pod.world)
    except Swallowed as error:
        raise Swallowed(f"failed to get fuse container template for runtime {whole}: {error}") from None
    _prepare(template, pod, dataset)
    used = _replace_claim(pod, claim, template)
    if pod.unique:
        for volume in template.volumes:
            directory = volume.get("hostPath")
            if name_of(volume).startswith(HOST_MOUNTS) and isinstance(directory, dict):
                directory["path"] = f"{as_text(directory.get('path'))}/{pod.unique}"
    try:
        renamed = append_volumes(pod.draft, template.volumes, suffix=suffix)
    except Swallowed as error:
        step = f"failed to append fuse container volumes for runtime {whole}"
        raise Swallowed(f"failed to mutate for runtime {whole}: {step}: {error}") from None
    for mount in pod.draft.items(template.container, "volumeMounts"):
        mount["name"] = renamed.get(name_of(mount), name_of(mount))
    _add_containers(pod, dataset, template.container, suffix, used)
    if dataset.scraped_in_sidecars and _SCRAPE not in pod.draft.annotations:
        pod.draft.annotate(_SCRAPE, "true")


def _prepare(template: FuseTemplate, pod: _Pod, dataset: MountedDataset) -> None:
    if not pod.says(KEEP_CACHES):
        template.without_caches()
    if pod.unprivileged:
        template.without_privileges()
    if not pod.says(NO_FUSE_CHECK, "false"):
        pod.draft.needs(dataset.namespace, template.with_check())
    if not dataset.scraped_in_sidecars:
        template.without_metrics()


def _replace_claim(pod: _Pod, claim: str, template: FuseTemplate) -> tuple[bool, bool]:
    """Put a directory of the node in the place of a claim.

    Returns:
        Whether containers, and whether init containers, mount it.
    """
    path = template.host_path
    if pod.unique:
        above, _, last = path.rpartition("/")
        path = posixpath.normpath(f"/{above}/{pod.unique}/{last}".replace("//", "/"))
    if template.sub_path:
        path = f"{path}/{template.sub_path}"
    replaced = {volume for volume, name in pod.draft.claims() if name == claim}
    pod.draft.spec["volumes"] = [
        {"name": name_of(each), "hostPath": {"path": path}} if name_of(each) in replaced else each
        for each in pod.draft.volumes
    ]
    containers = _propagated(pod.draft, pod.draft.containers, replaced)
    return containers, _propagated(pod.draft, pod.draft.init_containers, replaced)


def _propagated(draft: PodDraft, containers: list[dict[str, Any]], volumes: set[str]) -> bool:
    mounts = [mount for each in containers for mount in draft.items(each, "volumeMounts")]
    found = [mount for mount in mounts if name_of(mount) in volumes]
    for mount in found:
        mount["mountPropagation"] = PROPAGATION
    return bool(found)


def _add_containers(
    pod: _Pod, dataset: MountedDataset, container: Mapping[str, Any], suffix: str, used: tuple[bool, bool]
) -> None:
    """The FUSE in front of the containers that use it; for init containers one that only sleeps for two seconds."""
    in_containers, in_init_containers = used
    if pod.native:
        if in_containers or in_init_containers:
            name = FUSE_CONTAINER + suffix
            _put_first(pod, dataset, "initContainers", {**container, "name": name, "restartPolicy": "Always"})
        return
    if in_containers:
        _put_first(pod, dataset, "containers", {**container, "name": FUSE_CONTAINER + suffix})
    if in_init_containers:
        sleeping = {key: value for key, value in container.items() if key != "lifecycle"}
        sleeping |= {"name": _INIT_CONTAINER + suffix, "command": ["sleep"], "args": ["2s"]}
        _put_first(pod, dataset, "initContainers", sleeping)


def _put_first(pod: _Pod, dataset: MountedDataset, where: str, container: dict[str, Any]) -> None:
    pod.draft.spec[where] = [copy.deepcopy(container), *pod.draft.items(pod.draft.spec, where)]
    pod.draft.label(_OF_DATASET.format("namespace") + container["name"], dataset.namespace)
    pod.draft.label(_OF_DATASET.format("name") + container["name"], dataset.name)
