"""Every plane passes the conformance suite, and so does its async twin."""

from __future__ import annotations

from pathlib import Path

import pytest

from datafluid.engine.home import Home
from datafluid.engine.plane import EmbeddedPlane
from datafluid.plane.port import ControlPlane
from datafluid.testing import AsyncClusterContract, AsyncPlaneContract, ClusterContract, InMemoryPlane, PlaneContract


class TestEmbedded(PlaneContract):
    """The plane of one machine."""

    @pytest.fixture
    def plane(self, home: Path) -> ControlPlane:  # type: ignore[override]
        """In this test's home."""
        return EmbeddedPlane(Home.open(home))


class TestEmbeddedAsync(AsyncPlaneContract):
    """Its async twin."""

    @pytest.fixture
    def sync_plane(self, home: Path) -> ControlPlane:  # type: ignore[override]
        """In this test's home."""
        return EmbeddedPlane(Home.open(home))


class TestInMemory(ClusterContract):
    """The plane for tests of programs that use datafluid."""

    @pytest.fixture
    def plane(self) -> ControlPlane:  # type: ignore[override]
        """An empty one."""
        return InMemoryPlane()


class TestInMemoryAsync(AsyncClusterContract):
    """Its async twin."""

    @pytest.fixture
    def sync_plane(self) -> ControlPlane:  # type: ignore[override]
        """An empty one."""
        return InMemoryPlane()
