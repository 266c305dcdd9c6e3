"""What a dataset card shows, as values: pure functions from a status snapshot, for every renderer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafluid.model.status import DatasetStatus

__all__ = ["CardView", "view_of"]

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """Everything a card shows, ready to be drawn.

    Args:
        title: ``namespace/name``.
        phase: Fluid's phase, or ``unknown``.
        fraction: How much is cached, 0 to 1; None when it is not known, which is not 0.
        rows: Label and text, in order.
        note: One sentence that explains an unusual state, or "".
    """

    title: str
    phase: str
    fraction: float | None
    rows: tuple[tuple[str, str], ...]
    note: str = ""


def view_of(status: DatasetStatus) -> CardView:
    """The card of a snapshot. Unknown figures are shown as unknown, never as 0."""
    rows = (
        ("URL", f"fluid://{status.namespace}/{status.name}"),
        ("Mounts", ", ".join(mount.mount_point for mount in status.mounts) or "none"),
        ("Runtime", ", ".join(runtime.type or _UNKNOWN for runtime in status.runtimes) or "none"),
        ("Size", _size(status.total, calculating=status.calculating)),
        ("Files", _UNKNOWN if status.files is None else f"{status.files:,}"),
        ("Cached", _cached(status)),
        ("Capacity", _size(status.capacity)),
    )
    return CardView(
        title=f"{status.namespace}/{status.name}",
        phase=status.phase or _UNKNOWN,
        fraction=status.fraction,
        rows=rows,
        note=_note(status),
    )


def _size(size: int | None, *, calculating: bool = False) -> str:
    from datafluid.model.quantity import format_size

    if size is None:
        return "still counting" if calculating else _UNKNOWN
    return format_size(size)


def _cached(status: DatasetStatus) -> str:
    size = _size(status.cached)
    return size if status.fraction is None else f"{size} ({status.fraction:.1%})"


def _note(status: DatasetStatus) -> str:
    if status.phase != "Bound":
        return "Not readable yet: see its events."
    if status.total is not None and status.capacity is not None and status.capacity < status.total:
        return "The cache is smaller than the dataset: it can never be cached whole."
    return ""
