"""The example of wrapped workloads, as a user runs it, and the page that is made of it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
EXAMPLE = REPOSITORY / "examples" / "wrap_workloads.py"


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout


def test_every_workload_of_the_directory_is_wrapped(tmp_path: Path) -> None:
    """Each file has a use, each result is a workload of the same kind, and spark-submit's files are there."""
    run(str(tmp_path))
    sources = {file.stem: file for file in (REPOSITORY / "examples/workloads").glob("*.yaml")}
    del sources["datasets"]
    assert {file.stem for file in tmp_path.glob("*.yaml")} == {*sources, "driver", "executor"}
    for name, source in sources.items():
        *_, wrapped = yaml.safe_load_all((tmp_path / f"{name}.yaml").read_text())
        assert wrapped.get("kind") == yaml.safe_load(source.read_text()).get("kind")
        assert wrapped != yaml.safe_load(source.read_text())
    assert "podTemplateFile" in (tmp_path / "spark.properties").read_text()


def test_the_report_tells_each() -> None:
    """In words, without an argument."""
    told = run()
    assert told.count("== ") == len(runpy.run_path(str(EXAMPLE))["USES"])


def test_the_page_is_what_wrap_does() -> None:
    """Made anew by ``python examples/wrap_workloads.py --markdown > docs/reference/wrapped.md``."""
    assert (REPOSITORY / "docs/reference/wrapped.md").read_text(encoding="utf-8") == run("--markdown")


def test_the_datasets_of_the_example_are_without_fault() -> None:
    """Lint finds nothing."""
    import datafluid

    assert datafluid.lint(REPOSITORY / "examples/workloads/datasets.yaml") == []
