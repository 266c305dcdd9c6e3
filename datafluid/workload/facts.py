"""What is known of one dataset where it lives: frozen, read once, enough to wrap a workload offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from datafluid.model.plain import as_list, as_map, as_text, look

__all__ = ["READ_ONLY_MANY", "DatasetFacts", "Tier"]

READ_ONLY_MANY = "ReadOnlyMany"
#: Of a master in the container network; in the host network it is drawn.
_STATIC_RPC_PORT = {"alluxio": 19998, "jindo": 8101}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A directory of a cache on its node.

    Args:
        path: Without what Fluid appends for the dataset.
        on_host: Whether it is the node's own; one of an ``emptyDir`` no other pod can reach.

    Example:
        >>> Tier(path="/dev/shm").on_host
        True
    """

    path: str
    on_host: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetFacts:
    """What is known of one dataset.

    Args:
        namespace: Its namespace.
        name: Its name.
        uid: Its UID, which stands in label keys that would grow too long.
        runtime_type: ``alluxio``, ``juicefs``, ...; None when not known.
        runtime: The ``spec`` of its runtime.
        access_modes: Of its claim, or as declared; None when not known.
        endpoint: Where Hadoop clients find it, as the status has it.
        masters: How many masters its engine has.
        physical: Namespace, name and path of the dataset that it refers to; None for one with mounts of its own.
        client_config: What its ConfigMap ``<name>-config`` holds, which Alluxio's clients read.

    Example:
        >>> facts = DatasetFacts(namespace="team", name="flights", runtime_type="alluxio", masters=3)
        >>> facts.master_hosts("cluster.local")[2]
        'flights-master-2.team.svc.cluster.local'
    """

    namespace: str
    name: str
    uid: str | None = None
    runtime_type: str | None = None
    runtime: Mapping[str, Any] = field(default_factory=dict, repr=False)  # its properties may hold secrets
    access_modes: tuple[str, ...] | None = None
    endpoint: str | None = None
    masters: int = 1
    physical: tuple[str, str, str] | None = None
    client_config: Mapping[str, str] | None = field(default=None, repr=False)

    @property
    def writable(self) -> bool | None:
        """Whether its access modes allow writes; None when they are not known."""
        return None if self.access_modes is None else any("Write" in mode for mode in self.access_modes)

    @property
    def labels_nodes(self) -> bool:
        """Whether nodes with its cache carry its label: not those of a ThinRuntime without workers."""
        return self.runtime_type != "thin" or look(self.runtime, ("worker", "enabled")) is True

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The directories of its cache, level by level."""
        levels = as_list(look(self.runtime, ("tieredstore", "levels")))
        return tuple(
            Tier(path=path.strip().rstrip("/"), on_host=as_map(level).get("volumeType") in (None, "", "hostPath"))
            for level in levels
            for path in as_text(as_map(level).get("path")).split(",")
            if path.strip()
        )

    def in_container_network(self, component: str) -> bool:
        """Whether a component (``master``, ``worker``) runs in the container network; the host's is the default."""
        path = ("networkmode",) if self.runtime_type == "jindo" else (component, "networkMode")
        return as_text(look(self.runtime, path)) == "ContainerNetwork"

    @property
    def master_port(self) -> int | None:
        """The port of its masters; None while nobody knows: in the host network it is drawn at setup."""
        published = (self.endpoint or "").rpartition(":")[2].split("/")[0]
        if published.isdigit():
            return int(published)
        said = look(self.runtime, ("master", "ports", "rpc"))
        if isinstance(said, int):
            return said
        in_container_network = self.runtime and self.in_container_network("master")
        return _STATIC_RPC_PORT.get(self.runtime_type or "") if in_container_network else None

    def master_hosts(self, domain: str) -> tuple[str, ...]:
        """Its masters by their full names; the status names the first only, and short."""
        called = f"{self.name}-jindofs" if self.runtime_type == "jindo" else self.name
        return tuple(
            f"{called}-master-{number}.{self.namespace}.svc.{domain}" for number in range(max(self.masters, 1))
        )
