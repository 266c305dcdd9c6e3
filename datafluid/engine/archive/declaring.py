"""Declaring what an archive brings, and binding it without a look at its under-stores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.home import Home
from datafluid.engine.machine import ThisMachine
from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.reconcile.dataset import Probe
from datafluid.engine.reconcile.values import Totals
from datafluid.errors import Conflict
from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest

__all__ = ["Declared", "declare"]

_SIZE = re.compile(r"[0-9.]{1,20}[A-Za-z]{0,3}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """An object of an archive, as it is here now.

    Args:
        new: It was not declared before.
        binding: A dataset's; None for the others.
    """

    ref: Ref
    new: bool
    binding: Binding | None


def declare(home: Home, objects: Sequence[Manifest], origin: Mapping[str, Any]) -> list[Declared]:
    """Declare what is not declared yet, all of it or nothing, and bind the datasets.

    Args:
        origin: Where the objects come from: ``packed``, the time, and ``totals`` of datasets by ``namespace/name``.

    Raises:
        Conflict: something is declared otherwise here; nothing was changed.
        Invalid: something does not pass admission; nothing was changed.
        Unavailable: a dataset cannot be bound; the message says why.
    """
    plane = EmbeddedPlane(home, surroundings=_Unasked(home, origin))
    planned = [_planned(plane, manifest) for manifest in objects]
    for manifest, (_, new) in zip(objects, planned, strict=True):
        if new:
            plane.apply(manifest)
    return [Declared(ref=ref, new=new, binding=_advanced(plane, ref)) for ref, new in planned]


class _Unasked(ThisMachine):
    """This machine, with under-stores that are taken at the archive's word: here they may be out of reach for ever."""

    def __init__(self, home: Home, origin: Mapping[str, Any]) -> None:
        super().__init__(home)
        self._origin = origin

    def probe(self, binding: Binding) -> Probe:
        """Nothing is asked."""
        return Probe(
            unasked=f"It came in an archive of {self._origin['packed']}, and its under-store was not asked yet"
        )

    def count(self, binding: Binding, *, seconds: float) -> Totals | None:
        """How much it held, where that was known."""
        totals = self._origin["totals"].get(f"{binding.namespace}/{binding.name}")
        size, files = (totals.get(key) for key in ("ufsTotal", "fileNum")) if isinstance(totals, dict) else (None, None)
        if isinstance(size, str) and _SIZE.fullmatch(size) and isinstance(files, str) and _COUNT.fullmatch(files):
            return Totals(size=size, files=int(files))
        return None


def _planned(plane: EmbeddedPlane, manifest: Manifest) -> tuple[Ref, bool]:
    """What an object would be here, and whether it is new."""
    planned = plane.apply(manifest, dry_run=True)
    ref = Ref.of(planned)
    known = plane.registry.find(ref)
    if known is not None and planned["metadata"]["generation"] != known["metadata"]["generation"]:
        raise Conflict(f"{ref} is declared otherwise here.", hint="Delete it first, or use another home.")
    return ref, known is None


def _advanced(plane: EmbeddedPlane, ref: Ref) -> Binding | None:
    """Move an object as far as it comes; a dataset's binding. One that is bound already stays as it is."""
    plane.advance(ref)
    return plane.registry.binding(ref.namespace or "", ref.name) if ref.kind == "Dataset" else None
