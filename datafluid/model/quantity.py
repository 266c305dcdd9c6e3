"""Sizes and percentages as Kubernetes and Fluid write them. Pure; what is unknown is None, never 0."""

from __future__ import annotations

import re
from decimal import Decimal
from math import ceil

from datafluid.errors import Invalid

__all__ = ["format_percent", "format_quantity", "format_size", "parse_percent", "parse_quantity", "parse_size"]

_QUANTITY = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?\Z", re.ASCII
)
_BINARY = {suffix: 1024**power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)}
_DECIMAL: dict[str, Decimal | int] = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"),
    "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18,
}  # fmt: skip
_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>[KMGTPE]i?B|B)?\Z", re.ASCII)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LONGEST = 64


def parse_quantity(text: str | int, *, parts: int = 1) -> int:
    """A Kubernetes quantity as a whole number, rounded up.

    Args:
        text: ``2Gi``, ``100M``, ``1e3``, ``1536``.
        parts: How many parts of one are counted: 1000 makes ``500m`` of a processor 500.

    Raises:
        Invalid: it is not a quantity.

    Example:
        >>> parse_quantity("2Gi"), parse_quantity("1.5k"), parse_quantity(7)
        (2147483648, 1500, 7)
        >>> parse_quantity("500m", parts=1000)
        500
    """
    found = _QUANTITY.match(str(text)) if len(str(text)) <= _LONGEST else None
    if found is None or isinstance(text, bool):
        raise Invalid(f"{str(text)[:_LONGEST]!r} is not a quantity.", hint="Write for example 500Mi, 20Gi or 1T.")
    number, suffix = Decimal(found["number"]), found["suffix"] or ""
    if suffix[:1] in ("e", "E") and suffix not in ("E", "Ei"):
        exponent = int(suffix[1:])
        if abs(exponent) > _LONGEST:
            raise Invalid(f"{text!r} is not a quantity that a disk can have.", hint="Write for example 20Gi.")
        return ceil(number.scaleb(exponent) * parts)
    units: dict[str, Decimal | int] = {**_DECIMAL, **_BINARY}
    return ceil(number * units.get(suffix, 1) * parts)


def format_quantity(size: int) -> str:
    """The shortest exact quantity of a number of bytes.

    Example:
        >>> format_quantity(20 << 30), format_quantity(1000)
        ('20Gi', '1000')
    """
    for suffix, factor in reversed(_BINARY.items()):
        if size and size % factor == 0:
            return f"{size // factor}{suffix}"
    return str(size)


def parse_size(text: str | None) -> int | None:
    """A size as Fluid's status strings have it; None for ``""``, ``N/A``, ``[Calculating]`` and anything else.

    Example:
        >>> parse_size("1.50KiB"), parse_size("[Calculating]")
        (1536, None)
    """
    found = _SIZE.match(text.strip()) if text else None
    if found is None:
        return None
    unit = (found["unit"] or "B").replace("i", "")
    power = "BKMGTPE".index(unit[0]) if unit != "B" else 0
    return round(Decimal(found["number"]) * int(1024**power))


def format_size(size: int) -> str:
    """A size as Fluid writes it: two decimals and a binary unit.

    Example:
        >>> format_size(465043456), format_size(0)
        ('443.50MiB', '0.00B')
    """
    value, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if value < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{value:.2f}{unit}"


def parse_percent(text: str | None) -> float | None:
    """A percentage of Fluid's status strings as a fraction; None when it is not one.

    Example:
        >>> parse_percent("45.5%"), parse_percent("N/A")
        (0.455, None)
    """
    if not text or not text.strip().endswith("%"):
        return None
    try:
        return float(Decimal(text.strip()[:-1]) / 100)
    except ArithmeticError:
        return None


def format_percent(fraction: float) -> str:
    """A fraction as Fluid writes percentages: one decimal.

    Example:
        >>> format_percent(0.4551)
        '45.5%'
    """
    return f"{fraction * 100:.1f}%"
