"""docs/guarantees.md: every sentence names tests that there are, and every attack proves a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_REPOSITORY = Path(__file__).parents[2]
_FAULTS = _REPOSITORY / "tests" / "faults"
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def _rows() -> Iterator[tuple[str, list[tuple[Path, str]]]]:
    """Each promise with the tests that its row names."""
    for line in (_REPOSITORY / "docs" / "guarantees.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| promise "):
            promise, _, proof = line.strip("| ").rsplit(" | ", 2)
            found = _TEST.findall(proof)
            yield promise, [(_REPOSITORY / file if "/" in file else _FAULTS / file, test) for file, test in found]


def test_every_promise_names_tests_that_there_are() -> None:
    """By file and function."""
    rows = list(_rows())
    assert len(rows) > 50
    for promise, named in rows:
        assert named, promise
        for file, test in named:
            assert re.search(rf"^def {test}\(", file.read_text(encoding="utf-8"), re.MULTILINE), f"{promise}: {test}"


def test_every_file_of_attacks_proves_something() -> None:
    """None is forgotten in the document."""
    assert set(_FAULTS.glob("test_*.py")) <= {file for _, named in _rows() for file, _ in named}
