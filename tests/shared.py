"""Where the recordings of Fluid are, when they are: beside the repository. Tests read them; the product never does."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
FLUID = SHARED / "reference" / "fluid"

needs_recordings = pytest.mark.skipif(
    not FLUID.is_dir(), reason="needs what was recorded from Fluid, in ../shared/reference/fluid"
)
