"""Looking at what a plane holds, without failing at what may not be read: the rim of lint and diagnosis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from datafluid.errors import Forbidden, NotFound, Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Event, Manifest, SeesMetadata

__all__ = ["Look", "served"]

_SECRET = "v1/Secret"  # noqa: S105  # a kind


class Look:
    """Asks a plane, keeps what it sees, and notes what it may not see.

    Args:
        plane: Whom to ask.

    Example:
        >>> from datafluid.testing import InMemoryPlane
        >>> look = Look(InMemoryPlane())
        >>> look.at("Dataset", namespace="team")
        >>> look.objects, look.unknown
        ({'Dataset': []}, {})
    """

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.cluster = isinstance(plane, Cluster)
        self.objects: dict[str, list[Manifest]] = {}
        self.unknown: dict[str, str] = {}
        self.served = self._served()

    def at(self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None) -> None:
        """Look at the objects of a kind."""
        if self.served and kind not in self.served:
            return
        try:
            self._keep(kind, self.plane.list(kind, namespace=namespace, selector=selector))
        except Forbidden as error:
            self.unknown[kind] = error.rule or error.message
        except (NotFound, Unsupported):
            self._keep(kind, ())  # the plane has no such kind

    def get(self, ref: Ref) -> None:
        """Look at one object, if it is there."""
        if self.served and ref.kind not in self.served:
            return
        try:
            self._keep(ref.kind, [self.plane.get(ref)])
        except Forbidden as error:
            self.unknown[str(ref)] = error.rule or error.message
        except (NotFound, Unsupported):
            self._keep(ref.kind, ())

    def events(self, ref: Ref) -> list[Event]:
        """What happened to one object; nothing to one that went since it was looked at."""
        try:
            return self.plane.events(ref)
        except NotFound:
            return []

    def secrets(self, namespaces: Iterable[str]) -> frozenset[str] | None:
        """``namespace/name`` of the Secrets there are; None when the plane does not tell. No value is ever read."""
        if not isinstance(self.plane, SeesMetadata):
            return None
        found: list[Manifest] = []
        try:
            for namespace in namespaces:
                found += self.plane.metadata(_SECRET, namespace=namespace)
        except (Forbidden, Unsupported) as error:
            self.unknown[_SECRET] = getattr(error, "rule", None) or error.message
            return None
        return frozenset(f"{each['metadata']['namespace']}/{each['metadata']['name']}" for each in found)

    def first(self, kind: str, name: str) -> Manifest | None:
        """What was seen of a kind under a name."""
        return next((each for each in self.objects.get(kind, ()) if each["metadata"]["name"] == name), None)

    def _keep(self, kind: str, found: Iterable[Manifest]) -> None:
        self.objects.setdefault(kind, []).extend(found)

    def _served(self) -> frozenset[str]:
        if not isinstance(self.plane, Cluster):
            return frozenset()
        try:
            return self.plane.kinds()
        except Forbidden as error:
            self.unknown["discovery"] = error.rule or error.message
            return frozenset()


def served(plane: ControlPlane, kinds: Iterable[str], *, namespace: str | None) -> list[Manifest]:
    """The objects of kinds of which a cluster's Fluid may lack some: of those there are none.

    Args:
        plane: Where.
        kinds: Which.
        namespace: In which namespace; None: in all.

    Example:
        >>> from datafluid.testing import InMemoryPlane
        >>> served(InMemoryPlane(), ("DataLoad", "DataProcess"), namespace="team")
        []
    """
    found: list[Manifest] = []
    for kind in kinds:
        with suppress(Unsupported):
            found += plane.list(kind, namespace=namespace)
    return found
