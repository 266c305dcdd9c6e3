"""`make demo`'s program runs, twice in a row, and cleans up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "demo.py"


@pytest.mark.slow
def test_the_demo_runs_twice_and_leaves_nothing(tmp_path: Path) -> None:
    """Answers agree, warm reads make no request, and its directory is gone afterwards."""
    environ = {**os.environ, "TMPDIR": str(tmp_path), "DATAFLUID_TOOLS": str(DEMO.parents[1] / ".cache" / "bin")}
    environ.pop("DATAFLUID_HOME")
    for _ in range(2):
        done = subprocess.run([sys.executable, str(DEMO)], env=environ, capture_output=True, text=True, timeout=200)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "All answers agree with the source." in done.stdout
        assert "flights-every-minute: Complete" in done.stdout
        rows = [line.split("│")[1:-1] for line in done.stdout.splitlines() if line.count("│") == 6]
        assert [row[-1].strip() for row in rows] == ["0"] * 4
    assert [path.name for path in tmp_path.iterdir()] == []
