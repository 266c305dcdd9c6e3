"""Fluid datasets in Apache Airflow: warm them, wait for them, read them as ``fluid://`` paths.

Importing this package imports nothing of Airflow: Airflow itself reads `get_provider_info` at start-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluid_airflow.operators import FluidDataLoadOperator

__all__ = ["FluidDataLoadOperator", "get_provider_info"]


def get_provider_info() -> dict[str, Any]:
    """What Airflow's provider manager wants to know, by its provider_info schema.

    Example:
        >>> get_provider_info()["filesystems"]
        ['fluid_airflow.filesystem']
    """
    return {
        "package-name": "datafluid",
        "name": "Fluid",
        "description": "Fluid datasets: warm-up, waiting and fluid:// paths.",
        "integrations": [{"integration-name": "Fluid", "external-doc-url": "", "tags": ["software"]}],
        "operators": [{"integration-name": "Fluid", "python-modules": ["fluid_airflow.operators"]}],
        "filesystems": ["fluid_airflow.filesystem"],
    }


def __getattr__(name: str) -> Any:
    if name == "FluidDataLoadOperator":
        from fluid_airflow.operators import FluidDataLoadOperator

        return FluidDataLoadOperator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
