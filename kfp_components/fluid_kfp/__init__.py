"""Fluid datasets in Kubeflow Pipelines: components that make a dataset ready before a step reads it.

Dataset references travel as plain strings (``namespace/name``): the pipelines back end refuses artifacts with
an unknown scheme, so ``fluid://`` never goes into an artifact's URI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluid_kfp.components import warm_dataset

__all__ = ["warm_dataset"]


def __getattr__(name: str) -> Any:
    if name == "warm_dataset":
        from fluid_kfp.components import warm_dataset

        return warm_dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
