"""The parts that a runtime is made of, read from its manifest: pods, containers, networks, resources.

One table knows where each kind keeps them; lint, ``describe`` and the diagnosis read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Container", "PodPart", "parts_of"]

Name = Literal["master", "worker", "fuse"]
Path = tuple[str, ...]

#: Kind -> part -> the fields of ``spec`` whose containers share its pods, the part's own first.
_CONTAINERS: dict[str, dict[Name, tuple[str, ...]]] = {
    "AlluxioRuntime": {
        "master": ("master", "jobMaster", "apiGateway"),
        "worker": ("worker", "jobWorker"),
        "fuse": ("fuse",),
    },
    "JuiceFSRuntime": {"worker": ("worker",), "fuse": ("fuse",)},
    "JindoRuntime": {"master": ("master",), "worker": ("worker",), "fuse": ("fuse",)},
    "EFCRuntime": {"master": ("master",), "worker": ("worker",), "fuse": ("fuse",)},
    "VineyardRuntime": {"master": ("master",), "worker": ("worker",), "fuse": ("fuse",)},
    "ThinRuntime": {"worker": ("worker",), "fuse": ("fuse",)},
    "CacheRuntime": {"master": ("master",), "worker": ("worker",), "fuse": ("client",)},
}
_HOST_NETWORK = ("", None, "HostNetwork")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a part.

    Args:
        path: Where its settings stand.
        spec: Its settings.
        host_network: Whether it asks for the node's network.
    """

    path: Path
    spec: Mapping[str, Any]
    host_network: bool = True

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        """``requests`` and ``limits`` as far as they are set."""
        found = self.spec.get("resources")
        return {key: value for key, value in _map(found).items() if isinstance(value, Mapping)}


@dataclass(frozen=True, slots=True, kw_only=True)
class PodPart:
    """A part of a runtime: pods that are all alike.

    Args:
        name: ``master``, ``worker`` or ``fuse``.
        containers: Its containers, its own first.
        replicas: How many pods; None for the FUSE, which runs where it is used.
        host_network: Whether its pods are in the node's network: what its own container says.
    """

    name: Name
    containers: tuple[Container, ...]
    replicas: int | None
    host_network: bool

    @property
    def path(self) -> Path:
        """Where its settings stand."""
        return self.containers[0].path


def parts_of(runtime: Mapping[str, Any]) -> tuple[PodPart, ...]:
    """The parts of a runtime, those that it has switched off left out.

    Args:
        runtime: The manifest; anything at all may be in it.

    Example:
        >>> thin = {"kind": "ThinRuntime", "spec": {"fuse": {"networkMode": "ContainerNetwork"}}}
        >>> [(part.name, part.replicas, part.host_network) for part in parts_of(thin)]
        [('fuse', None, False)]
    """
    kind, spec = str(runtime.get("kind")), _map(runtime.get("spec"))
    found = []
    for name, fields in _CONTAINERS.get(kind, {}).items():
        if _is_off(kind, name, _map(spec.get(fields[0]))):
            continue
        containers = tuple(_containers(kind, spec, fields))
        found.append(
            PodPart(
                name=name,
                containers=containers,
                replicas=None if name == "fuse" else _replicas(spec, name),
                host_network=containers[0].host_network,
            )
        )
    return tuple(found)


def _containers(kind: str, spec: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[Container]:
    for field in fields:
        component = _map(spec.get(field))
        if field == "apiGateway" and component.get("enabled") is not True:
            continue
        mode = spec.get("networkmode") if kind == "JindoRuntime" else component.get("networkMode")
        host = mode in _HOST_NETWORK and kind != "CacheRuntime"
        yield Container(path=("spec", field), spec=component, host_network=host)


def _is_off(kind: str, name: Name, component: Mapping[str, Any]) -> bool:
    if kind == "ThinRuntime" and name == "worker":
        return component.get("enabled") is not True
    return component.get("disabled") is True


def _replicas(spec: Mapping[str, Any], name: Name) -> int:
    wanted = _map(spec.get(name)).get("replicas")
    if name == "worker" and isinstance(spec.get("replicas"), int):
        wanted = spec["replicas"]  # the runtime's own number wins
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) else 1


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
