"""How Go reads numbers and truth, where Fluid shows it."""

from __future__ import annotations

import json
import re

__all__ = ["parse_bool", "parse_int32", "quoted"]

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_INT32 = range(-(2**31), 2**31)
_LONGEST = 100  # digits; more is out of range, and Python would refuse to read them


def parse_bool(text: str) -> bool | None:
    """A truth value; None for anything else.

    Example:
        >>> parse_bool("T"), parse_bool("0"), parse_bool("yes")
        (True, False, None)
    """
    return True if text in _TRUE else False if text in _FALSE else None


def parse_int32(text: str) -> tuple[int, str]:
    """A number, or 0 and what is wrong.

    Example:
        >>> parse_int32("120"), parse_int32("10m"), parse_int32("3000000000")
        ((120, ''), (0, 'invalid syntax'), (0, 'value out of range'))
    """
    if not _INTEGER.fullmatch(text):
        return 0, "invalid syntax"
    if len(text) > _LONGEST or int(text) not in _INT32:
        return 0, "value out of range"
    return int(text), ""


def quoted(text: str) -> str:
    """A string as an error message has it."""
    return json.dumps(text, ensure_ascii=False)
