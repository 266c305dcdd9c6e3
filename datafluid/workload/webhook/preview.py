"""What Fluid's webhook would do to a pod. The real one needs a cluster; this needs the manifests around the pod."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.podlabels import is_seen
from datafluid.workload.webhook.call import Call
from datafluid.workload.webhook.draft import PodDraft
from datafluid.workload.webhook.fields import take_newer_fields
from datafluid.workload.webhook.outcome import Denied, Swallowed
from datafluid.workload.webhook.profile import Profile
from datafluid.workload.webhook.world import World

__all__ = ["Preview", "preview_webhook"]

#: What Fluid's chart puts into the environment of the webhook.
_INSTALLED = {"FILE_PREFETCHER_IMAGE": "fluidcloudnative/fluid-file-prefetcher:v0.1.0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What the webhook answers.

    Args:
        allowed: Whether the pod may be created.
        message: The denial, or why nothing was done; empty otherwise. In Fluid's own words.
        pod: The pod that would be created; None if it is denied.
        ignored: An error that Fluid only logs: the pod is admitted as far as it had been changed by then.
        seen: Whether the webhook, as Fluid installs it, is called for this pod at all. The rest says what it
            would do if it were.
        config_maps: Namespace and name of each ConfigMap that it makes sure of, because the pod mounts it.

    Example:
        >>> preview_webhook({"metadata": {"name": "a"}, "spec": {}}, namespace="team", objects=[]).seen
        False
    """

    allowed: bool
    message: str = ""
    pod: dict[str, Any] | None
    ignored: str = ""
    seen: bool
    config_maps: tuple[tuple[str, str], ...] = ()


def preview_webhook(
    pod: Mapping[str, Any],
    *,
    namespace: str,
    objects: Iterable[Mapping[str, Any]],
    profile: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
) -> Preview:
    """What Fluid's webhook would do to a pod: the pod it would make, its denial, or the error it would swallow.

    It is Fluid's webhook with all that surprises in it. `datafluid.wrap` is how a pod gets what it needs.

    Args:
        pod: The manifest of the pod, as it is sent.
        namespace: The namespace of the request.
        objects: The manifests around it: Datasets, runtimes, claims; for sidecars also volumes and DaemonSets.
        profile: The plugins profile of the webhook; by default the one that Fluid's chart installs.
        env: The environment of the webhook; by default what the chart puts there.

    Returns:
        The answer. What Fluid makes up at random is made of zeros, and what it orders at random is ordered by name.

    Raises:
        Invalid: the webhook would not start with this profile, or would never answer.

    Example:
        >>> claim = {"name": "data", "persistentVolumeClaim": {"claimName": "flights"}}
        >>> pod = {"metadata": {"labels": {"fuse.serverful.fluid.io/inject": "true"}}, "spec": {"volumes": [claim]}}
        >>> preview_webhook(pod, namespace="team", objects=[]).message
        'failed to collect runtime infos from PVCs [flights]: failed to get the following PVCs [flights]'
    """
    draft = PodDraft(copy.deepcopy(dict(pod)), namespace)
    seen = is_seen(draft.labels)
    call = Call(
        draft=draft,
        world=World(objects),
        profile=Profile.of(profile),
        env=_INSTALLED if env is None else env,
    )
    ignored = ""
    try:
        if why := call.why_not():
            return Preview(allowed=True, message=why, pod=draft.pod, seen=seen)
        call.run()
    except Denied as error:
        return Preview(allowed=False, message=str(error), pod=None, seen=seen, config_maps=draft.config_maps)
    except Swallowed as error:
        ignored = str(error)
    take_newer_fields(draft.pod)
    return Preview(allowed=True, pod=draft.pod, ignored=ignored, seen=seen, config_maps=draft.config_maps)
