"""fsspec's own suite: all of it on writable datasets, its reading half on a read-only one, warm and cold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import fsspec.tests.abstract as abstract
import pytest
from fsspec.implementations.local import make_path_posix

from datafluid.client import connect
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset, apply_local_dataset

_WRITABLE = {"accessModes": ["ReadWriteMany"]}


class Fixtures(abstract.AbstractFixtures):
    """What every variant shares; a variant says where the dataset is and how warm it gets."""

    real_directories = False
    warm = False

    @pytest.fixture
    def dataset(self, bucket: Bucket) -> DatasetHandle:
        """A writable dataset over a bucket."""
        return apply_bucket_dataset(connect(), bucket, "suite", **_WRITABLE)

    @pytest.fixture
    def fs(self, dataset: DatasetHandle) -> FluidFileSystem:
        """The filesystem."""
        FluidFileSystem.clear_instance_cache()
        return FluidFileSystem()

    @pytest.fixture
    def fs_path(self, dataset: DatasetHandle) -> str:
        """Where the suite works."""
        return f"{dataset.namespace}/{dataset.name}"

    @pytest.fixture
    def fs_join(self) -> Any:
        """Paths have slashes."""
        return lambda *parts: "/".join(parts)

    @pytest.fixture
    def supports_empty_directories(self) -> bool:
        """Buckets have none."""
        return self.real_directories

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, fs: Any, fs_join: Any, fs_path: str, dataset: DatasetHandle) -> Any:
        """The suite's source, warm or cold."""
        source = self._bulk_operations_scenario_0(fs, fs_join, fs_path)
        self._heat(dataset)
        yield source
        fs.rm(source, recursive=True)

    @pytest.fixture
    def fs_glob_edge_cases_files(self, fs: Any, fs_join: Any, fs_path: str, dataset: DatasetHandle) -> Any:
        """Likewise."""
        source = self._glob_edge_cases_files(fs, fs_join, fs_path)
        self._heat(dataset)
        yield source
        fs.rm(source, recursive=True)

    def _heat(self, dataset: DatasetHandle) -> None:
        if self.warm:
            dataset.load().wait(timeout=60)


class Whole(
    Fixtures,
    abstract.AbstractCopyTests,
    abstract.AbstractGetTests,
    abstract.AbstractPutTests,
    abstract.AbstractPipeTests,
    abstract.AbstractOpenTests,
):
    """All 137 items."""


@pytest.mark.slow
class TestBucketCold(Whole):
    """Nothing is cached."""


@pytest.mark.slow
class TestBucketWarm(Whole):
    """Every source is loaded before it is used."""

    warm = True


class TestDirectory(Whole):
    """Over a directory of this machine."""

    real_directories = True

    @pytest.fixture
    def dataset(self, tmp_path: Path) -> DatasetHandle:
        """A writable dataset over a directory."""
        (tmp_path / "data").mkdir()
        return apply_local_dataset(connect(), tmp_path / "data", "suite", **_WRITABLE)


class TestMount(Whole):
    """Over a mount."""

    real_directories = True

    @pytest.fixture
    def fs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FluidFileSystem:
        """Where a dataset is mounted, no plane is asked."""
        (tmp_path / "mnt/default/suite").mkdir(parents=True)
        monkeypatch.setenv("DATAFLUID_MOUNT_ROOT", str(tmp_path / "mnt"))
        FluidFileSystem.clear_instance_cache()
        return FluidFileSystem()

    @pytest.fixture
    def fs_path(self) -> str:
        """Where the suite works."""
        return "default/suite"

    @pytest.fixture
    def dataset(self) -> None:
        """None is declared."""


class ReadOnly(Fixtures, abstract.AbstractGetTests):
    """The reading half, on a dataset that may not be written: the files are made behind its back."""

    @pytest.fixture
    def directory(self, tmp_path: Path) -> Path:
        """Where the files are."""
        (tmp_path / "data").mkdir()
        return tmp_path / "data"

    @pytest.fixture
    def dataset(self, directory: Path) -> DatasetHandle:
        """A read-only dataset."""
        return apply_local_dataset(connect(), directory, "suite", annotations={"datafluid.io/refresh": "0"})

    def _behind(self, maker: Any, directory: Path, *more: Any) -> str:
        made = maker(fsspec_local(), os.path.join, make_path_posix(str(directory)), *more)
        return "default/suite/" + os.path.relpath(made, directory)

    @pytest.fixture
    def fs_bulk_operations_scenario_0(self, fs: Any, directory: Path) -> str:  # type: ignore[override]
        """The suite's source."""
        return self._behind(self._bulk_operations_scenario_0, directory)

    @pytest.fixture
    def fs_glob_edge_cases_files(self, fs: Any, directory: Path) -> str:  # type: ignore[override]
        """Likewise."""
        return self._behind(self._glob_edge_cases_files, directory)

    @pytest.fixture
    def fs_dir_and_file_with_same_name_prefix(self, fs: Any, directory: Path) -> str:  # type: ignore[override]
        """Likewise."""
        return self._behind(self._dir_and_file_with_same_name_prefix, directory)

    @pytest.fixture
    def fs_10_files_with_hashed_names(self, fs: Any, directory: Path) -> str:  # type: ignore[override]
        """Likewise."""
        return self._behind(self._10_files_with_hashed_names, directory)

    @pytest.fixture
    def fs_target(self, fs: Any) -> Any:
        """Nothing is copied into a read-only dataset."""


class TestReadOnly(ReadOnly):
    """All but the one test that writes to the source itself."""

    test_get_directory_recursive = None  # type: ignore[assignment]  # its source is made through the filesystem


def fsspec_local() -> Any:
    """fsspec's local filesystem, making directories as it goes."""
    import fsspec

    return fsspec.filesystem("file", auto_mkdir=True)
