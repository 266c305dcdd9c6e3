"""Reading plain data that must be exactly of its type: whatever else it is raises TypeError."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["made", "text", "texts"]


def made(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, each of the right type; what ``kind`` does not have is left out.

    Raises:
        TypeError: a field is of another type.

    Example:
        >>> from datafluid.model.tiers import TierLevel
        >>> made(TierLevel, {"path": "/a", "quota": 7, "colour": "red"})
        {'path': '/a', 'quota': 7}
    """
    types = {name: str(type_) for name, type_ in kind.__annotations__.items()}
    return {name: _READ[types[name]](value) for name, value in data.items() if name in types}


def text(value: Any) -> str:
    """The value, if it is a string."""
    if not isinstance(value, str):
        raise TypeError
    return value


def texts(value: Any) -> tuple[str, ...]:
    """The value, if it is a list of strings."""
    return tuple(text(each) for each in value)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _perhaps(value: Any) -> int | None:
    return None if value is None else _whole(value)


def _share(value: Any) -> float | None:
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise TypeError
    return value


_READ: dict[str, Callable[[Any], Any]] = {
    "str": text,
    "int": _whole,
    "int | None": _perhaps,
    "float | None": _share,
    "tuple[str, ...]": texts,
}
