"""Objects of any kind: read, watched, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from datafluid.client.base import Connected
from datafluid.plane.port import Event, Manifest, WatchEvent

__all__ = ["Objects"]


class Objects(Connected):
    """Mixed into `datafluid.client.Client`."""

    def get(self, kind: str, name: str, *, namespace: str | None = None) -> Manifest:
        """One object of any kind, as the plane holds it."""
        return self.plane.get(self.ref(kind, name, namespace=namespace))

    def delete(self, kind: str, name: str, *, namespace: str | None = None, cascade: bool = True) -> None:
        """Delete one object of any kind, and with ``cascade`` what it owns."""
        self.plane.delete(self.ref(kind, name, namespace=namespace), cascade=cascade)

    def events(self, kind: str, name: str, *, namespace: str | None = None) -> Sequence[Event]:
        """What happened to one object, oldest first."""
        return self.plane.events(self.ref(kind, name, namespace=namespace))

    def watch(
        self,
        kind: str = "Dataset",
        *,
        namespace: str | None = None,
        name: str | None = None,
        timeout: float | None = None,
    ) -> Iterator[WatchEvent]:
        """Changes to the objects of a kind, or to the one of a name, as they come; what exists comes first."""
        return self.plane.watch(self.ref(kind, "").kind, namespace=namespace, name=name, timeout=timeout)

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> list[Manifest]:
        """All objects of a kind."""
        return self.plane.list(self.ref(kind, "").kind, namespace=namespace, selector=selector)
