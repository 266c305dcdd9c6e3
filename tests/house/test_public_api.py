"""What is public is written down here: a name that comes or goes is a decision."""

from __future__ import annotations

import importlib
import inspect

import pytest

API = {
    "datafluid": {
        "Applied", "Client", "Context", "DatafluidError", "DatasetHandle", "DatasetUse", "FluidURI", "LoadHandle",
        "Prefetch", "SparkSubmit", "Submitted", "Topology", "Wrapped", "connect", "errors", "lint", "placement",
        "preview_webhook", "read_topology", "spark_conf", "spark_submit", "wrap",
    },
    "datafluid.errors": {
        "AlreadyExists", "CacheFull", "Conflict", "Corrupt", "DatafluidError", "Forbidden", "Invalid", "IsADirectory",
        "NotADirectory", "NotFound", "OperationFailed", "ReadOnly", "StaleVersion", "Timeout", "Unavailable",
        "Unschedulable", "Unsupported",
    },
    "datafluid.model": {
        "KINDS", "AlluxioRuntime", "CacheRuntime", "CacheRuntimeClass", "DataBackup", "DataLoad", "DataMigrate",
        "DataProcess", "Dataset", "DatasetStatus", "EFCRuntime", "FluidURI", "JindoRuntime", "JuiceFSRuntime", "Kind",
        "ObjectMeta", "OperationStatus", "Ref", "Resource", "RuntimeStatus", "Schedule", "ThinRuntime",
        "ThinRuntimeProfile", "VineyardRuntime", "find_kind",
    },
    "datafluid.agent": {"Host", "Tier", "deployment", "publish", "survey"},
    "datafluid.placement": {
        "RUNTIME_TYPES", "DatasetLabels", "Inventory", "InventoryNode", "NodeAffinity", "Pin", "Plan", "PlannedDataset",
        "PodGroup", "PodNeeds", "Preference", "Requirement", "Term", "cache_affinity", "dataset_term", "fuse_term",
        "labels", "plan", "prefer_dataset", "require_dataset", "worker_affinity",
    },
    "datafluid.diagnosis": {"CAUSES", "Cause", "Diagnosis", "Picture", "bundle", "collect", "diagnose"},
    "datafluid.workload": {
        "DatasetFacts", "DatasetUse", "Entry", "Link", "Prefetch", "Preview", "Report", "Tier", "Topology", "Wrapped",
        "core_site_xml", "preview_webhook", "spark_properties", "view_fs_properties", "wrap",
    },
    "datafluid.testing": {
        "AsyncClusterContract", "AsyncPlaneContract", "ClusterContract", "InMemoryPlane", "PlaneContract",
        "S3Server", "serve_s3",
    },
    "fluid_fsspec": {"BlockLocation", "ContentSummary", "Explanation", "FileChecksum", "FluidFileSystem"},
    "fluid_airflow": {"FluidDataLoadOperator", "get_provider_info"},
    "fluid_kfp": {"warm_dataset"},
    "fluid_widgets": {"DatasetCard", "card", "load_ipython_extension"},
}  # fmt: skip


@pytest.mark.parametrize("name", API)
def test_all_is_the_api(name: str) -> None:
    """`__all__` says exactly this, and every name of it is there and documented."""
    module = importlib.import_module(name)
    assert set(module.__all__) == API[name]
    for each in module.__all__:
        value = getattr(module, each)
        if inspect.isclass(value) or inspect.isfunction(value) or inspect.ismodule(value):
            assert inspect.getdoc(value), f"{name}.{each} has no docstring"


@pytest.mark.parametrize(
    "name", ["datafluid", "fluid_fsspec", "datafluid.agent", "datafluid.placement", "datafluid.workload"]
)
def test_every_public_name_has_an_example(name: str) -> None:
    """Classes and functions show how they are used; `test_doctests` runs it."""
    module = importlib.import_module(name)
    for each in module.__all__:
        value = getattr(module, each)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert ">>>" in (inspect.getdoc(value) or ""), f"{name}.{each} has no example"


def test_every_package_is_typed() -> None:
    """Type checkers believe annotations only where `py.typed` stands."""
    from importlib.resources import files

    for name in ("datafluid", "fluid_fsspec", "fluid_airflow", "fluid_kfp", "fluid_widgets"):
        assert files(name).joinpath("py.typed").is_file(), name
