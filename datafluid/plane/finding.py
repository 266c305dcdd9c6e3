"""Asking a plane for an object that need not exist."""

from __future__ import annotations

from datafluid.errors import NotFound
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["find"]


def find(plane: ControlPlane, ref: Ref) -> Manifest | None:
    """The object, or None where `ControlPlane.get` raises NotFound.

    Example:
        >>> from datafluid.testing import InMemoryPlane
        >>> find(InMemoryPlane(), Ref("Dataset", "flights", "team")) is None
        True
    """
    try:
        return plane.get(ref)
    except NotFound:
        return None
