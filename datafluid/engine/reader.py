"""Reading an object: one version of it, and only what is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from datafluid.engine.understore.port import ObjectInfo
from datafluid.engine.version import VersionReader
from datafluid.errors import NotFound, StaleVersion

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Reader"]

_MOVES = 3  # an object may change again while we look for its new version, but hardly so often
_T = TypeVar("_T")


class Reader:
    """An open object. Safe to use from several threads.

    Made by `datafluid.engine.volume.Volume.open`. It reads one version: when the object has changed before anything
    was told of it, bytes or size, the reader moves to the new version; afterwards it raises StaleVersion.

    Args:
        info: What is known of the object, perhaps no more true.
        open_version: Opens a version of it.
        forget: Makes the next look ask the store.
        look: Looks the object up.
    """

    def __init__(
        self,
        info: ObjectInfo,
        open_version: Callable[[ObjectInfo], VersionReader],
        *,
        forget: Callable[[], None],
        look: Callable[[], ObjectInfo],
    ) -> None:
        self._open = open_version
        self._forget = forget
        self._look = look
        self._lock = threading.Lock()
        self._told = False
        self._current = open_version(info)
        self._past: list[VersionReader] = []  # other threads may be in them

    @property
    def size(self) -> int:
        """Bytes of the object. Whoever asks reads this version from now on."""
        with self._lock:
            self._told = True
            return self._current.size

    @property
    def version(self) -> str:
        """The version that is read."""
        return self._current.wanted.info.version

    def pread(self, offset: int, length: int) -> bytes:
        """Bytes ``[offset, offset + length)``; fewer only at the end of the object.

        Raises:
            StaleVersion: the object changed under the reader; the next one that is opened reads the new version.
            Unavailable, Forbidden: as the under-store raises them.
        """
        return self._steadily(lambda version: version.read(offset, offset + length), tells=True)

    def readinto_at(self, offset: int, buffer: Buffer) -> int:
        """Fill ``buffer`` from ``offset`` on; returns how many bytes came."""
        view = memoryview(buffer).cast("B")
        data = self.pread(offset, len(view))
        view[: len(data)] = data
        return len(data)

    def ensure(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch what is missing of several ``(start, end)`` ranges, in parallel, as far as there is room."""
        wanted = list(ranges)
        self._steadily(lambda version: version.ensure(wanted), tells=False)

    def close(self) -> None:
        """Let go of the file; reads afterwards fail."""
        for version in (*self._past, self._current):
            version.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _steadily(self, work: Callable[[VersionReader], _T], *, tells: bool) -> _T:
        """Do something with the version that is read, or again with the next one when it was nobody's yet."""
        while True:
            version = self._current
            try:
                done = work(version)
            except (StaleVersion, NotFound):
                self._forget()
                with self._lock:
                    if version is self._current:
                        if self._told or len(self._past) == _MOVES:
                            raise
                        fresh = self._open(self._look())
                        self._past.append(version)
                        self._current = fresh
                continue
            with self._lock:
                if version is self._current:
                    self._told = self._told or tells
                    return done
