"""The KFP slice: a component warms, a task reads, in KFP's own local runner."""

from __future__ import annotations

import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

import datafluid
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

EXAMPLE = Path(__file__).parents[2] / "examples" / "kfp_pipeline.py"


@pytest.mark.slow
def test_pipeline_warms_then_reads_and_asks_the_server_once(bucket: Bucket, tmp_path: Path) -> None:
    """The pipeline's answer is right; the object's bytes left the server once over two runs."""
    table = BytesIO()
    pd.DataFrame({"value": range(1000)}).to_parquet(table)
    bucket.put("table.parquet", table.getvalue())
    apply_bucket_dataset(datafluid.connect(), bucket, "table")

    for _ in range(2):
        done = subprocess.run(
            [sys.executable, str(EXAMPLE)],
            env=os.environ | {"EXAMPLE_DATASET": "default/table"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert "rows: 1000" in done.stdout

    assert bucket.gets() == ["table.parquet"]


def test_component_compiles_to_yaml(tmp_path: Path) -> None:
    """The pipeline compiles, and the warm-up step is not cached by Kubeflow."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from kfp import compiler\n"
        "import kfp_pipeline\n"
        "compiler.Compiler().compile(kfp_pipeline.warm_and_count, sys.argv[2])\n"
    )
    target = tmp_path / "pipeline.yaml"
    subprocess.run(
        [sys.executable, "-c", program, str(EXAMPLE.parent), str(target)], check=True, capture_output=True, timeout=120
    )
    import yaml

    pipeline = next(yaml.safe_load_all(target.read_text()))
    warm = pipeline["root"]["dag"]["tasks"]["warm-dataset"]
    assert not warm["cachingOptions"].get("enableCache")
