"""Whole lines out of pieces of a stream."""

from __future__ import annotations

__all__ = ["Lines"]


class Lines:
    r"""Puts lines together.

    Example:
        >>> lines = Lines()
        >>> lines.feed(b'{"a": '), lines.feed(b'1}\n{"b": 2}\n')
        ([], [b'{"a": 1}', b'{"b": 2}'])
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return [line for line in whole if line]
