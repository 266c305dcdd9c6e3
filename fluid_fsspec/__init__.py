"""``fluid://`` for fsspec: whatever reads through fsspec reads Fluid datasets.

pd.read_parquet("fluid://team/flights/2013")
fsspec.open("fluid://team/flights/planes.parquet")
FluidFileSystem().explain("fluid://team/flights/planes.parquet")
"""

from __future__ import annotations

from fluid_fsspec.filesystem import FluidFileSystem
from fluid_fsspec.locality import BlockLocation, ContentSummary, Explanation, FileChecksum

__all__ = ["BlockLocation", "ContentSummary", "Explanation", "FileChecksum", "FluidFileSystem"]
