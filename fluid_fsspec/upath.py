"""``UPath("fluid://team/flights")``."""

from __future__ import annotations

from fsspec import register_implementation
from upath import UPath

from fluid_fsspec.filesystem import FluidFileSystem

__all__ = ["FluidPath"]

# universal_pathlib takes paths apart by the rules of the registered class, and guesses for one that is not loaded yet.
register_implementation("fluid", FluidFileSystem, clobber=True)


class FluidPath(UPath):
    """A path in a dataset; see universal_pathlib for what it can do.

    Example:
        >>> FluidPath("fluid://team/flights") / "2013" / "01.parquet"
        FluidPath('team/flights/2013/01.parquet', protocol='fluid')
        >>> (FluidPath("fluid://team/flights") / "2013").as_uri()
        'fluid://team/flights/2013'
    """

    __slots__ = ()
