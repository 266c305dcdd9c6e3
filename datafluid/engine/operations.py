"""What an operation does: from its manifest to the loader or the migration, and from their results to an outcome."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafluid.engine.home import Home
from datafluid.engine.reconcile.dataset import Totals
from datafluid.engine.registry import Registry
from datafluid.errors import DatafluidError
from datafluid.plane.port import Manifest

if TYPE_CHECKING:
    from datafluid.engine.volume import Volume

__all__ = ["Outcome", "run_operation"]

Progress = Callable[[Mapping[str, Any]], None]
Cancelled = Callable[[], bool]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Args:
        phase: ``Complete`` or ``Failed``.
        reason: One word for programs.
        message: One sentence for people.
        progress: The last progress.
        totals: What the datasets hold, by uid, where the run found out.
    """

    phase: str
    reason: str
    message: str
    progress: Mapping[str, Any] | None = None
    totals: Mapping[str, Totals] | None = None

    @classmethod
    def cancelled(cls, progress: Mapping[str, Any] | None = None) -> Outcome:
        """It was told to stop."""
        done = f" after {progress.get('filesDone', 0)} files" if progress else ""
        message = f"It was cancelled{done}; what it has loaded stays cached."
        return cls(phase="Failed", reason="Cancelled", message=message, progress=progress)


def run_operation(
    home: Home, registry: Registry, operation: Manifest, progress: Progress, cancelled: Cancelled
) -> Outcome:
    """Do what an operation says, here and now."""
    kind = operation["kind"]
    try:
        if kind == "DataLoad":
            return _load(home, registry, operation, progress, cancelled)
        return _migrate(home, registry, operation, progress, cancelled)
    except (DatafluidError, OSError) as error:
        return Outcome(phase="Failed", reason=type(error).__name__, message=str(error))


