"""What the functions that hand Hadoop's configuration to its consumers are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datafluid.model.names import shortened
from datafluid.workload.places import ContainerPlace, PodPlace

__all__ = ["Attachment"]

_LONGEST = 253  # characters of most names


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Hadoop's configuration for one workload, and the containers that have to find it.

    Args:
        properties: Hadoop's properties.
        name: What the workload is called.
        namespace: Its namespace; None when whoever applies it chooses.
        readers: The containers that use Hadoop, and the places they are in.
    """

    properties: Mapping[str, str]
    name: str
    namespace: str | None
    readers: Sequence[tuple[PodPlace, ContainerPlace]]

    @property
    def config_map(self) -> str:
        """The ConfigMap with core-site.xml."""
        return self.named("fluid-hadoop")

    def named(self, what: str) -> str:
        """A name for something of the workload's: a workload's own may be as long as any name."""
        return shortened(f"{self.name}-{what}", longest=_LONGEST)
