"""Where the recordings of Fluid are, when they are: beside the repository. Tests read them; the product never does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[2] / "shared"
FLUID = SHARED / "reference" / "fluid"

needs_recordings = pytest.mark.skipif(
    not FLUID.is_dir(), reason="needs what was recorded from Fluid, in ../shared/reference/fluid"
)


def golden(name: str) -> dict[str, Any]:
    """A table of what Fluid was recorded to compute; empty when it is not there."""
    path = FLUID / "golden" / name
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found
