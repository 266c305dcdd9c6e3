"""Real engines, started once a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.alluxio import Alluxio, running_alluxio


@pytest.fixture(scope="session")
def alluxio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alluxio]:
    """A real Alluxio; skipped without Java or Maven."""
    with running_alluxio(tmp_path_factory.mktemp("alluxio")) as found:
        yield found
