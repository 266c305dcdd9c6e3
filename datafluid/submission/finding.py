"""An object that may be there or not."""

from __future__ import annotations

from datafluid.errors import NotFound
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["find"]


def find(plane: ControlPlane, ref: Ref) -> Manifest | None:
    """The object; None when it is not there."""
    try:
        return plane.get(ref)
    except NotFound:
        return None
