"""Reading some bytes of an open file, few or many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from datafluid.engine.ranges import read_at

SIZE = (33 << 20) + 4321
DATA = random.Random(7).randbytes(SIZE)


@pytest.fixture(scope="module")
def descriptor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """An open file with DATA."""
    path: Path = tmp_path_factory.mktemp("ranges") / "file"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        yield file.fileno()


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 10), (17, 17), (0, SIZE), (1, SIZE - 1), (5, 5 + (16 << 20)), (4096, (24 << 20) + 4096)],
)
def test_all_that_is_asked_for_comes(descriptor: int, start: int, end: int) -> None:
    assert read_at(descriptor, start, end) == DATA[start:end]


@pytest.mark.parametrize("start", [SIZE - 100, 9 << 20, SIZE, SIZE + 5])
@pytest.mark.parametrize("beyond", [1, 64 << 20])
def test_less_comes_at_the_end_only(descriptor: int, start: int, beyond: int) -> None:
    assert read_at(descriptor, start, SIZE + beyond) == DATA[start:]
