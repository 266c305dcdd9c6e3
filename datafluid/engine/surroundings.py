"""What the controller asks of the world outside the registry; tests give it another one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.dataset import Probe
from datafluid.engine.reconcile.tiers import Machine
from datafluid.engine.reconcile.values import Totals

__all__ = ["Surroundings"]


class Surroundings(Protocol):
    """This machine, the under-stores, and the processes of operations."""

    def machine(self, tier_paths: Sequence[str]) -> Machine:
        """The disks, and which of the paths cannot hold a tier."""

    def ignored_options(self, dataset: Mapping[str, Any]) -> tuple[str, ...]:
        """Mount options that no under-store understands, as ``mount: option``."""

    def probe(self, binding: Binding) -> Probe:
        """Reach every mount for real."""

    def count(self, binding: Binding, *, seconds: float) -> Totals | None:
        """Bytes and files of all mounts; None when that takes longer."""

    def forget(self, uid: str, *, but: Collection[str] = ()) -> None:
        """A dataset is gone, or all of its origins but some: what was cached of it goes, too."""

    def alive(self, uid: str, scheduled: int) -> bool:
        """Whether a process holds the lock of a run."""

    def start(self, uid: str, scheduled: int) -> bool:
        """Start a process for a run; False when one holds its lock already."""
