"""The benchmark of warm reads runs, and writes what it promises; its times are nobody's business here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks/warm_reads.py"
_NUMBERS = ("ours_seconds", "peer_seconds", "ratio", "lowest", "highest")


@pytest.mark.slow
def test_the_benchmark_of_warm_reads(tmp_path: Path) -> None:
    """A small run prints a table, writes JSON of the documented shape, and sees no GET while it reads warm."""
    output = tmp_path / "out.json"
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), "--small", "--json", str(output)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warm reads" in done.stdout
    assert "during the warm reads: 0" in done.stdout

    found: dict[str, Any] = json.loads(output.read_text())
    assert set(found) == {"python", "system", "cpus", "small", "gets_while_warm", "results"}
    assert found["small"] is True
    assert found["gets_while_warm"] == 0
    names = [result["name"].partition(",")[0] for result in found["results"]]
    assert names == [
        "sequential read",
        "random read",
        "open",
        "info of one file",
        "Parquet scan",
        "pandas.read_parquet",
        "import fluid_fsspec",
        "import datafluid",
        "datafluid --help",
    ]
    for result in found["results"]:
        assert set(result) == {"name", "ours", "peer", "rounds", *_NUMBERS}
        assert all(isinstance(result[key], float) and result[key] > 0 for key in _NUMBERS)
        assert result["lowest"] <= result["ratio"] <= result["highest"]
        assert isinstance(result["rounds"], int)
