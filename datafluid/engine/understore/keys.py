"""Which object keys a path can name. Pure."""

from __future__ import annotations

__all__ = ["addressable"]

_LONGEST_NAME = 255


def addressable(key: str) -> bool:
    """Whether a path below a dataset can name this key.

    Object stores allow keys that no file system can: empty, ``.`` and ``..`` components, NUL, components longer
    than 255 bytes. Such keys are listed and counted, and loads report them; they are never turned into paths.

    Example:
        >>> [addressable(key) for key in ("a/b", "a//b", "../x", "/x", "x/")]
        [True, False, False, False, False]
    """
    if not key or "\0" in key:
        return False
    return all(
        part not in ("", ".", "..") and len(part.encode("utf-8", "surrogateescape")) <= _LONGEST_NAME
        for part in key.split("/")
    )
