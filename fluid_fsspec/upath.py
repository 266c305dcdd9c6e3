"""``UPath("fluid://team/flights")``."""

from __future__ import annotations

from upath import UPath

__all__ = ["FluidPath"]


class FluidPath(UPath):
    """A path in a dataset; see universal_pathlib for what it can do.

    Example:
        >>> FluidPath("fluid://team/flights") / "2013" / "01.parquet"
        FluidPath('team/flights/2013/01.parquet', protocol='fluid')
    """

    __slots__ = ()
