"""The Spark slice: a real SparkSession reads ``fluid://`` with the properties of `datafluid.spark_conf`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest

import datafluid
from datafluid.errors import Invalid
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

EXAMPLE = Path(__file__).parents[2] / "examples" / "spark_read.py"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="needs Java 17: install a JDK")
def test_spark_reads_a_loaded_dataset_without_asking_the_server(bucket: Bucket, tmp_path: Path) -> None:
    """Spark counts the rows of a hive-partitioned dataset from the cache alone."""
    for month in (1, 2):
        table = BytesIO()
        pd.DataFrame({"value": range(500)}).to_parquet(table)
        bucket.put(f"month={month}/part.parquet", table.getvalue())
    handle = apply_bucket_dataset(datafluid.connect(), bucket, "table")
    handle.load().wait(timeout=60)
    before = len(bucket.gets())

    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        env=os.environ | {"EXAMPLE_DATASET": "default/table", "PYSPARK_PYTHON": sys.executable},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert "rows: 1000" in done.stdout
    assert len(bucket.gets()) == before


def test_spark_conf_needs_a_dataset() -> None:
    """An empty list is refused with a hint instead of giving a configuration that reads nothing."""
    with pytest.raises(Invalid, match="at least one dataset"):
        datafluid.spark_conf([])
