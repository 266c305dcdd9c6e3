"""Every benchmark runs, and writes what it promises; its times are nobody's business here, its counts are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.binaries import MISSING, find

_ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = {"ours_seconds", "peer_seconds", "ratio", "lowest", "highest"}


def _run(name: str, output: Path, document: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--small", "--json", str(output), "--document", str(document)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["warm_reads", "cold_reads", "warm_up", "growth", "starts", "kubernetes_plane", "wrapping", "placement"]
)
def test_a_benchmark(name: str, tmp_path: Path) -> None:
    """A small run prints a table, and writes JSON of the documented shape."""
    if name == "kubernetes_plane" and not find():
        pytest.skip(MISSING)
    title = name.replace("_", " ").replace("kubernetes", "Kubernetes")
    title = {"warm_up": "Warm-up", "placement": "Planner"}.get(name, title[0].upper() + title[1:])
    (tmp_path / "doc.md").write_text(f"<!-- table: {title} -->\nyesterday\n<!-- end -->\n")
    done = _run(name, tmp_path / "out.json", tmp_path / "doc.md")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    assert set(found) == {"python", "system", "cpus", "small", "sizes", "tables"}
    assert found["small"] is True
    (table,) = found["tables"]
    assert table["title"] in done.stdout
    assert table["results"]
    for result in table["results"]:
        assert set(result) == {"name", "ours", "peer", "rounds", "bound", *_NUMBERS}
        assert all(result[key] > 0 for key in _NUMBERS)
        assert result["lowest"] <= result["ratio"] <= result["highest"]
    assert all(fact["at_least"] or fact["at_most"] is not None for fact in table["facts"])
    shown = (tmp_path / "doc.md").read_text()
    assert shown.startswith(f"<!-- table: {table['title']} -->\n\n| ")
    assert "yesterday" not in shown


def test_sizes_are_options() -> None:
    """Each size, and the seed, can be given."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cold_reads", "--help"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert all(option in done.stdout for option in ("--big", "--rows", "--rounds", "--seed", "--json", "--small"))
