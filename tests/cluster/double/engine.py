"""What an engine says of itself when Fluid asks it: the figures behind ``cacheStates``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from datafluid.model.quantity import format_size

_TOTAL = int(443.5 * 2**20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One dataset's figures. ``reads`` are bytes by where they came from: (local, remote, under-store)."""

    total: int = _TOTAL
    files: int = 1152
    cached: int = 0
    reads: tuple[int, int, int] = (200, 60, 40)


@dataclass(slots=True)
class Engine:
    """The figures of all datasets; tests change them as a load would.

    Args:
        default: For datasets that have none of their own.
        late_mounts: Datasets whose engine answers that a new mount is not there yet, though it is asked to mount.
    """

    default: Figures = field(default_factory=Figures)
    figures: dict[tuple[str, str], Figures] = field(default_factory=dict)
    late_mounts: set[str] = field(default_factory=set)

    def of(self, namespace: str, name: str) -> Figures:
        """The figures of a dataset."""
        return self.figures.get((namespace, name), self.default)

    def change(self, namespace: str, name: str, **figures: object) -> None:
        """Set some of a dataset's figures."""
        self.figures[namespace, name] = replace(self.of(namespace, name), **figures)  # type: ignore[arg-type]


def size(number: int) -> str:
    """A size as Fluid writes it: ``443.50MiB``."""
    return format_size(number)


def percent(part: float, whole: float) -> str:
    """A share as Fluid writes it: ``50.0%``."""
    return f"{100 * part / whole:.1f}%" if whole else "0.0%"
