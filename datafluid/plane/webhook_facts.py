"""What a cluster has around a pod, and how its webhook of Fluid is set up: what `preview_webhook` must be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.errors import Forbidden, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.model.ref import Ref
from datafluid.plane.looking import Look
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["WebhookFacts", "read_webhook_facts"]

_HOME = "fluid-system"
_PROFILE = Ref("v1/ConfigMap", "webhook-plugins", _HOME)
_WEBHOOK = Ref("apps/v1/Deployment", "fluid-webhook", _HOME)
_FLUIDS = ("Dataset", *(name for name, kind in KINDS.items() if kind.is_runtime and kind.namespaced))
_CLAIM, _VOLUME, _DAEMON_SET = "v1/PersistentVolumeClaim", "v1/PersistentVolume", "apps/v1/DaemonSet"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookFacts:
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


def read_webhook_facts(plane: ControlPlane, namespaces: Iterable[str]) -> WebhookFacts:
    """Look at what the webhook would look at for pods of these namespaces. Nothing is changed.

    Raises:
        Unsupported: the plane is no cluster, so there is no webhook.
        Forbidden: something that the answer depends on may not be read.
        Unavailable: the plane cannot be reached.
    """
    seen = Look(plane)
    if not seen.cluster:
        raise Unsupported(
            "the embedded plane has no webhook.",
            hint="Give the objects of a cluster with -f, or a context of a cluster with --context.",
        )
    for namespace in sorted(set(namespaces)):
        for kind in (*_FLUIDS, _CLAIM, _DAEMON_SET):
            seen.at(kind, namespace=namespace)
    for name in sorted({as_text(look(claim, ("spec", "volumeName"))) for claim in seen.objects.get(_CLAIM, ())} - {""}):
        seen.get(Ref(_VOLUME, name))
    if seen.unknown:
        raise Forbidden(
            f"the webhook looks at what may not be read here: {', '.join(sorted(seen.unknown))}.",
            hint="Ask for the right to read it, or give the objects in files.",
        )
    return _with_settings(plane, tuple(each for found in seen.objects.values() for each in found))


def _with_settings(plane: ControlPlane, objects: tuple[Manifest, ...]) -> WebhookFacts:
    seen = Look(plane)
    seen.get(_PROFILE)
    seen.get(_WEBHOOK)
    profile = _profile(seen.first(_PROFILE.kind, _PROFILE.name))
    deployment = seen.first(_WEBHOOK.kind, _WEBHOOK.name)
    assumed = [f"{what} may not be read." for what in sorted(seen.unknown)]
    if profile is None:
        assumed.append("The plugins of the webhook are taken to be those that Fluid's chart installs.")
    if deployment is None:
        assumed.append("The environment of the webhook is taken to be that of Fluid's chart.")
    env = None if deployment is None else _environment(deployment)
    return WebhookFacts(objects=objects, profile=profile, env=env, assumed=tuple(assumed))


def _profile(config_map: Manifest | None) -> Mapping[str, Any] | None:
    from datafluid.model.documents import parse

    text = as_text(look(config_map, ("data", "pluginsProfile")))
    documents = parse(text) if text else []
    return as_map(documents[0].data) if documents else None


def _environment(deployment: Manifest) -> dict[str, str]:
    containers = as_list(look(deployment, ("spec", "template", "spec", "containers")))
    variables = [as_map(each) for container in containers for each in as_list(as_map(container).get("env"))]
    return {as_text(each.get("name")): as_text(each.get("value")) for each in variables if "value" in each}
