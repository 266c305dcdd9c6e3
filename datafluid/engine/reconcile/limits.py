"""Fields that have no meaning on one machine: such manifests are accepted, and a condition says what is ignored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["limits_of_dataset", "limits_of_runtime"]

_COMPONENTS = ("master", "worker", "fuse", "jobMaster", "jobWorker", "client", "apiGateway")
_POD_FIELDS = ("nodeSelector", "tolerations", "resources", "podMetadata", "image", "imageTag")


def limits_of_dataset(dataset: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about fields of a Dataset that have no meaning here."""
    spec = dataset["spec"]
    if (spec.get("nodeAffinity") or {}).get("required"):
        yield "nodeAffinity: there is one node"
    if spec.get("tolerations"):
        yield "tolerations: nothing is scheduled"
    if spec.get("owner"):
        yield "owner: files belong to you"
    if spec.get("dataRestoreLocation"):
        yield "dataRestoreLocation: nothing is restored"


def limits_of_runtime(runtime: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about fields of a runtime that have no meaning here."""
    spec = runtime.get("spec", {})
    if (replicas := spec.get("replicas")) and replicas > 1:
        yield f"replicas: {replicas}: this machine holds one copy"
    for name in _COMPONENTS:
        yield from _component(name, spec.get(name) or {})
    if spec.get("networkmode") == "HostNetwork":
        yield "networkmode: HostNetwork: nothing listens on a network"
    if properties := spec.get("properties"):
        yield f"properties: {_count(len(properties), 'setting')} of the engine"
    for name in ("hadoopConfig", "jvmOptions", "volumes", "volumeClaimTemplates"):
        if spec.get(name):
            yield f"{name}: no engine runs here"
    if (spec.get("data") or {}).get("replicas", 0) > 1:
        yield "data.replicas: this machine holds one copy"


def _component(name: str, component: Any) -> Iterator[str]:
    if not isinstance(component, Mapping):
        return
    if (replicas := component.get("replicas") or 0) > 1:
        what = "no master runs here, so there is nothing to fail over" if name == "master" else "there is one process"
        yield f"{name}.replicas: {replicas}: {what}"
    if component.get("networkMode") == "HostNetwork":
        yield f"{name}.networkMode: HostNetwork: nothing listens on a network"
    if fields := [field for field in _POD_FIELDS if component.get(field)]:
        yield f"{name}.{', '.join(fields)}: no pods run here"
    if name == "apiGateway" and component.get("enabled"):
        yield "apiGateway: read through fluid:// instead"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
