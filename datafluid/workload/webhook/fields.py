"""Fields of pods that the webhook does not know: it is built for Kubernetes 1.29, and its patch takes them away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["take_newer_fields"]

_CONTAINER = (
    "lifecycle.stopSignal",
    "restartPolicyRules",
    "resources.claims.*.request",
    "securityContext.appArmorProfile",
    "volumeMounts.*.recursiveReadOnly",
    "env.*.valueFrom.fileKeyRef",
)
_SPEC = (
    "hostnameOverride",
    "resources",
    "workloadRef",
    "resourceClaims.*.resourceClaimName",
    "resourceClaims.*.resourceClaimTemplateName",
    "securityContext.appArmorProfile",
    "securityContext.seLinuxChangePolicy",
    "securityContext.supplementalGroupsPolicy",
    "volumes.*.image",
    "volumes.*.projected.sources.*.podCertificate",
)
_PATHS = (
    *_SPEC,
    *(
        f"{where}.*.{field}"
        for where in ("containers", "initContainers", "ephemeralContainers")
        for field in _CONTAINER
    ),
)


def take_newer_fields(pod: Mapping[str, Any]) -> None:
    """Remove them from a pod that may be changed."""
    for path in _PATHS:
        *above, last = path.split(".")
        for parent in _at(pod.get("spec"), above):
            if isinstance(parent, dict):
                parent.pop(last, None)


def _at(value: Any, steps: list[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif steps[0] == "*":
        for below in value if isinstance(value, list) else ():
            yield from _at(below, steps[1:])
    elif isinstance(value, Mapping) and steps[0] in value:
        yield from _at(value[steps[0]], steps[1:])
