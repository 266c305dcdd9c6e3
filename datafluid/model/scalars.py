"""Plain words of YAML, read as kubectl reads them: a manifest must mean the same here and on a cluster.

kubectl's YAML is neither 1.1 nor 1.2: ``yes``, ``on`` and ``y`` are true, ``0755`` is octal and ``089`` is not,
``1_000`` and ``1e3`` are numbers; ``1:30``, dates and everything else are text.
"""

from __future__ import annotations

import math
import re

__all__ = ["meaning"]

_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BASES = {"b": 2, "o": 8, "x": 16}
_DIGITS = re.compile(r"([-+]?)(?:0([bB][01]+|[oO][0-7]+|[xX][0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_LONGEST = 64  # characters of a number


def meaning(word: str) -> str | int | float | bool | None:
    """What a word means that stands without quotes: the word itself when it is text.

    Numbers that JSON, and so a server, cannot hold are text.

    Example:
        >>> [meaning(word) for word in ("0755", "yes", "1_000", "~", "1:30", ".inf")]
        [493, True, 1000, None, '1:30', '.inf']
    """
    if word in _NULL:
        return None
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    if word[0] not in "+-.0123456789" or len(word) > _LONGEST:
        return word
    digits = word.replace("_", "")
    if found := _DIGITS.fullmatch(digits):
        sign, based, octal, decimal = found.groups()
        number = int(based[1:], _BASES[based[0].lower()]) if based else int(octal, 8) if octal else int(decimal)
        return -number if sign == "-" else number
    if _FLOAT.fullmatch(digits):
        value = float(digits)
        if math.isinf(value):
            return word
        return int(value) if digits.lstrip("+-").isdecimal() else value
    return word
