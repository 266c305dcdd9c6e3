"""How far a load or a migration is: counted in threads, told with the keys of ``status.progress``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datafluid.engine.mounted import Entry

__all__ = ["Cancelled", "Headway", "Progress"]

_ERRORS_SHOWN = 20

Progress = Callable[[Mapping[str, Any]], None]
Cancelled = Callable[[], bool]


@dataclass(eq=False)
class Headway:
    """What there is to do, what is done, and what went wrong.

    Args:
        told: Called with the figures by `tell`.
    """

    told: Progress = lambda figures: None
    files_total: int = 0
    bytes_total: int = 0
    files_done: int = 0
    bytes_done: int = 0
    failures: list[tuple[Entry, Exception]] = field(default_factory=list)
    _bytes_moved: int = 0  # of those done: what was there before says nothing of the rate
    _started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, entries: Iterable[Entry]) -> None:
        """These are to be done, too."""
        for entry in entries:
            self.files_total += 1
            self.bytes_total += entry.size

    def expect_no_more(self, entry: Entry) -> None:
        """This one is not to be done after all."""
        self.files_total -= 1
        self.bytes_total -= entry.size

    def moved(self, size: int) -> None:
        """So many bytes came."""
        with self._lock:
            self.bytes_done += size
            self._bytes_moved += size

    def found(self, size: int) -> None:
        """So many bytes were there already."""
        with self._lock:
            self.bytes_done += size

    def done(self) -> None:
        """A file is where it should be."""
        with self._lock:
            self.files_done += 1

    def failed(self, entry: Entry, error: Exception) -> None:
        """A file is not."""
        with self._lock:
            self.failures.append((entry, error))

    def errors(self) -> tuple[str, ...]:
        """What went wrong, the first few, each as ``path: reason``."""
        return tuple(f"{entry.path}: {error}" for entry, error in self.failures[:_ERRORS_SHOWN])

    def figures(self) -> Mapping[str, Any]:
        """As ``status.progress`` has it; bytes, bytes a second, seconds."""
        rate = self._bytes_moved / max(0.001, time.monotonic() - self._started)
        left = max(0, self.bytes_total - self.bytes_done)
        eta = round(left / rate, 1) if rate else None
        return {
            "bytesTotal": self.bytes_total,
            "bytesDone": min(self.bytes_done, self.bytes_total),
            "filesTotal": self.files_total,
            "filesDone": self.files_done,
            "rate": round(rate),
            "etaSeconds": eta if left else 0,
            "errors": list(self.errors()),
        }

    def tell(self) -> None:
        """Tell how far it is."""
        self.told(self.figures())
