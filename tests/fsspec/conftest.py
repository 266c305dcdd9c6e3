"""Datasets for the filesystem's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from datafluid.client import Client, connect
from fluid_fsspec import FluidFileSystem


@pytest.fixture
def client() -> Client:
    """A client of this test's home."""
    return connect()


@pytest.fixture
def fs() -> Iterator[FluidFileSystem]:
    """A filesystem that no other test has used."""
    FluidFileSystem.clear_instance_cache()
    yield FluidFileSystem()
    FluidFileSystem.clear_instance_cache()
