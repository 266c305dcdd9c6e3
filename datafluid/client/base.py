"""What every part of the client stands on: one plane, one default namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datafluid.context import Context
from datafluid.errors import Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane

if TYPE_CHECKING:
    from datafluid.engine.plane import EmbeddedPlane

__all__ = ["Connected"]


class Connected:
    """A plane and the names on it; see `datafluid.client.Client`."""

    def __init__(self, plane: ControlPlane, context: Context | None = None) -> None:
        self.plane = plane
        self.context = context or Context()

    def __repr__(self) -> str:
        return f"Client(context={self.context.name!r}, namespace={self.context.namespace!r})"

    def ref(self, kind: str, name: str, *, namespace: str | None = None) -> Ref:
        """Name an object: the kind may be given as its plural or short name, in any case.

        A kind that is not Fluid's stands behind its apiVersion: ``v1/Pod``, ``apps/v1/StatefulSet``.

        Raises:
            Invalid: there is no such kind; suggests one.
        """
        from datafluid.model.kinds import find_kind

        if "/" in kind:
            return Ref(kind, name, namespace or self.context.namespace)
        found = find_kind(kind)
        if not found.namespaced:
            return Ref(found.kind, name)
        own, slash, bare = name.partition("/")
        if slash:
            return Ref(found.kind, bare, own)
        return Ref(found.kind, name, namespace or self.context.namespace)

    def embedded(self, otherwise: str, hint: str = "") -> EmbeddedPlane:
        """The plane, when it is this machine's; else Unsupported says what another one does ``otherwise``."""
        from datafluid.engine.plane import EmbeddedPlane

        if not isinstance(self.plane, EmbeddedPlane):
            raise Unsupported(f"the {self.plane.name} plane {otherwise}.", hint=hint)
        return self.plane
