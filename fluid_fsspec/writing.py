"""Open files that are written: they appear whole when they are closed, and not at all when their block is left by an
exception.
"""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from datafluid.engine.ranges import UNIT
from datafluid.engine.streams import AllOrNothing

if TYPE_CHECKING:
    from datafluid.engine.editing import Writer

__all__ = ["CompressedFile", "TextFile", "WriteFile"]


class WriteFile(AllOrNothing, io.BufferedWriter):
    """A file that is being written.

    Args:
        writer: Where it goes.
        path: Its bare path.
        autocommit: Appear when closed; without, when committed.
    """

    raw: Writer

    def __init__(self, writer: Writer, path: str, *, autocommit: bool) -> None:
        super().__init__(writer, UNIT)
        self.path = path
        self.autocommit = autocommit

    def close(self) -> None:
        """Publish the file, unless it waits for `commit`.

        Raises:
            AlreadyExists: it was opened with ``x`` and something has appeared meanwhile.
            Unavailable, Forbidden: as the under-store raises them; nothing was written.
        """
        if self.autocommit:
            super().close()
        elif not self.raw.closed:
            self.flush()

    def commit(self) -> None:
        """Publish the file: the end of a transaction."""
        super().close()

    def discard(self) -> None:
        """Forget what was written."""
        self.raw.discard()

    def __del__(self) -> None:
        if not self.raw.closed:
            warnings.warn(f"{self.path} was never closed, so nothing was written", ResourceWarning, stacklevel=2)
            self.discard()


class CompressedFile(AllOrNothing, io.BufferedWriter):
    """A compressor over a file that is being written: closing it closes both, and an exception discards both.

    Args:
        compressor: A file that compresses into ``target``.
        target: A `WriteFile`.
    """

    def __init__(self, compressor: Any, target: WriteFile) -> None:
        super().__init__(compressor, UNIT)
        self._target = target

    def close(self) -> None:
        """Write the end, then publish."""
        if not self.closed:
            super().close()
            self._target.close()

    def discard(self) -> None:
        """Forget what was written."""
        self._target.discard()
        with suppress(ValueError):  # the compressor has nowhere to write its end to
            super().close()


class TextFile(io.TextIOWrapper):
    """Text over a file of ours; an exception in the block that writes it discards it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *exception: object) -> None:
        binary: Any = self.buffer
        if kind is not None and hasattr(binary, "discard"):
            binary.discard()
        else:
            self.close()
