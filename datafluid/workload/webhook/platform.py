"""Labels by which a pod asks for what, and the platform that follows from them."""

from __future__ import annotations

from collections.abc import Mapping

from datafluid.model.names import LABEL_PREFIX
from datafluid.model.plain import as_text
from datafluid.model.podlabels import SERVERLESS
from datafluid.workload.webhook.draft import PodDraft
from datafluid.workload.webhook.outcome import Swallowed

__all__ = [
    "KEEP_CACHES",
    "NO_FUSE_CHECK",
    "WAIT_IN_APP",
    "is_serverless",
    "platform_of",
]

_INJECT = f"{LABEL_PREFIX}inject"
KEEP_CACHES = f"cachedir.sidecar.{_INJECT}"
WAIT_IN_APP, NO_FUSE_CHECK = f"app.poststart.{_INJECT}", f"fuse.sidecar.poststart.{_INJECT}"
_OLD_SERVERLESS, _UNPRIVILEGED = f"fuse.sidecar.{_INJECT}", f"unprivileged.sidecar.{_INJECT}"
_PLATFORM = f"serverless.{LABEL_PREFIX}platform"
_PLATFORM_KEY = "KEY_SERVERLESS_PLATFORM"
_PLATFORMS = ("default", "unprivileged")


def is_serverless(draft: PodDraft, env: Mapping[str, str]) -> bool:
    """Whether a pod wants its FUSE beside it."""
    key = env.get(_PLATFORM_KEY, "")
    asked = any(draft.labels.get(label) == "true" for label in (SERVERLESS, _OLD_SERVERLESS))
    return asked or bool(key and key in draft.labels)


def platform_of(draft: PodDraft, env: Mapping[str, str]) -> str:
    """``default`` or ``unprivileged``.

    Raises:
        Swallowed: the pod asks for another one, or for two.
    """
    platform = _asked_platform(draft, env)
    if platform not in _PLATFORMS:
        raise Swallowed(f"fuse sidecar mutator cannot be found for platform {platform}")
    return platform


def _asked_platform(draft: PodDraft, env: Mapping[str, str]) -> str:
    labels, key = draft.labels, env.get(_PLATFORM_KEY, "")
    wanted = labels.get(SERVERLESS) == "true"
    if key in labels:
        if wanted:
            both = f'"{key}" and "{SERVERLESS}" is not allowed to set together, remove "{key}" and retry'
            raise Swallowed(f"fail to get serverless platform from pod's meta: {both}")
        return as_text(labels[key])
    if labels.get(_UNPRIVILEGED) == "true":
        return "unprivileged"
    if wanted and labels.get(_OLD_SERVERLESS) != "true" and _PLATFORM in draft.annotations:
        return as_text(draft.annotations[_PLATFORM])
    return "default"
