"""What a cluster has around a pod, and how its webhook of Fluid is set up: what `preview_webhook` must be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Forbidden, NotFound, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest

__all__ = ["Surroundings", "read_surroundings"]

_HOME = "fluid-system"
_PROFILE = Ref("v1/ConfigMap", "webhook-plugins", _HOME)
_WEBHOOK = Ref("apps/v1/Deployment", "fluid-webhook", _HOME)
_CLAIM, _VOLUME, _DAEMON_SET = "v1/PersistentVolumeClaim", "v1/PersistentVolume", "apps/v1/DaemonSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the answer of the webhook depends on, beside the pod.

    Args:
        objects: The manifests around the pod.
        profile: The plugins profile; None where it cannot be read, as what Fluid's chart installs.
        env: The environment of the webhook; None likewise.
        assumed: What could not be read, one sentence each.
    """

    objects: tuple[Mapping[str, Any], ...] = ()
    profile: Mapping[str, Any] | None = None
    env: Mapping[str, str] | None = None
    assumed: tuple[str, ...] = ()


def read_surroundings(plane: ControlPlane, namespaces: Iterable[str]) -> Surroundings:
    """Collect what the webhook would look at for pods of these namespaces. Nothing is changed.

    Raises:
        Unsupported: the plane is no cluster, so there is no webhook.
        Forbidden: something that the answer depends on may not be read.
        Unavailable: the plane cannot be reached.
    """
    if not isinstance(plane, Cluster):
        raise Unsupported(
            "the embedded plane has no webhook.",
            hint="Give the objects of a cluster with -f, or a context of a cluster with --context.",
        )
    served = plane.kinds()
    wanted = ("Dataset", *(name for name, kind in KINDS.items() if kind.is_runtime and kind.namespaced))
    objects: list[Manifest] = []
    for namespace in sorted(set(namespaces)):
        for kind in (*(kind for kind in wanted if kind in served), _CLAIM, _DAEMON_SET):
            objects += plane.list(kind, namespace=namespace)
    volumes = {as_text(look(each, ("spec", "volumeName"))) for each in objects if each.get("kind") == _bare(_CLAIM)}
    found = (_found(plane, Ref(_VOLUME, name)) for name in sorted(volumes - {""}))
    objects += [each for each in found if each is not None]
    return _with_settings(plane, tuple(objects))


def _with_settings(plane: ControlPlane, objects: tuple[Manifest, ...]) -> Surroundings:
    profile, deployment, assumed = None, None, []
    try:
        profile = _profile(_found(plane, _PROFILE))
        deployment = _found(plane, _WEBHOOK)
    except Forbidden:
        assumed.append(f"The settings of the webhook, in the namespace {_HOME}, may not be read.")
    if profile is None:
        assumed.append("The plugins of the webhook are taken to be those that Fluid's chart installs.")
    if deployment is None:
        assumed.append("The environment of the webhook is taken to be that of Fluid's chart.")
    env = None if deployment is None else _environment(deployment)
    return Surroundings(objects=objects, profile=profile, env=env, assumed=tuple(assumed))


def _profile(config_map: Manifest | None) -> Mapping[str, Any] | None:
    from datafluid.model.manifest import parse

    text = as_text(look(config_map, ("data", "pluginsProfile")))
    documents = parse(text) if text else []
    return as_map(documents[0].data) if documents else None


def _environment(deployment: Manifest) -> dict[str, str]:
    containers = as_list(look(deployment, ("spec", "template", "spec", "containers")))
    variables = [as_map(each) for container in containers for each in as_list(as_map(container).get("env"))]
    return {as_text(each.get("name")): as_text(each.get("value")) for each in variables if "value" in each}


def _found(plane: ControlPlane, ref: Ref) -> Manifest | None:
    try:
        return plane.get(ref)
    except NotFound:
        return None


def _bare(kind: str) -> str:
    return kind.rpartition("/")[2]
