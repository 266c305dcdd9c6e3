"""Which object keys a path can name. Pure."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["addressable", "can_name", "without_controls"]

_LONGEST_NAME = 255


def addressable(key: str) -> bool:
    """Whether a path below a dataset can name this key.

    Object stores allow keys that no file system can: empty, ``.`` and ``..`` components, NUL, components longer
    than 255 bytes; file systems allow names that are no UTF-8. Such keys are listed and counted, and loads report
    them; they are never turned into paths.

    Example:
        >>> [addressable(key) for key in ("a/b", "a//b", "../x", "/x", "x/")]
        [True, False, False, False, False]
    """
    if not key or "\0" in key:
        return False
    try:
        return all(
            part not in (b"", b".", b"..") and len(part) <= _LONGEST_NAME for part in key.encode("utf-8").split(b"/")
        )
    except UnicodeEncodeError:
        return False


def without_controls(key: str) -> bool:
    """Whether obstore can ask for a key: it must be a path, and free of control characters.

    Example:
        >>> [without_controls(key) for key in ("a/b", "a//b", "a\\nb")]
        [True, False, False]
    """
    return addressable(key) and not any(ord(one) < 32 or ord(one) == 127 for one in key)


def can_name(store: object) -> Callable[[str], bool]:
    """What decides whether a key of a store can be read: `addressable`, unless the store is more particular."""
    found: Callable[[str], bool] = getattr(store, "can_name", addressable)
    return found
