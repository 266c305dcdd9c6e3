"""``fluid://`` for fsspec: whatever reads through fsspec reads Fluid datasets.

pd.read_parquet("fluid://team/flights/2013")
fsspec.open("fluid://team/flights/planes.parquet")
FluidFileSystem().explain("fluid://team/flights/planes.parquet")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fluid_fsspec.filesystem import FluidFileSystem

if TYPE_CHECKING:
    from fluid_fsspec.explaining import Explanation
    from fluid_fsspec.locality import BlockLocation, ContentSummary, FileChecksum

__all__ = ["BlockLocation", "ContentSummary", "Explanation", "FileChecksum", "FluidFileSystem"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from fluid_fsspec import explaining, locality

    return getattr(explaining if name == "Explanation" else locality, name)


def __dir__() -> list[str]:
    return sorted(__all__)
