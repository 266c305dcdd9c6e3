"""Spark reads ``fluid://`` through Hadoop's own ViewFs: stock jars, a few properties."""

from __future__ import annotations

import os

from pyspark.sql import SparkSession

import datafluid

DATASET = os.environ.get("EXAMPLE_DATASET", "default/flights")


def main() -> int:
    """Count the rows of a loaded dataset."""
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for key, value in datafluid.spark_conf([DATASET]).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    try:
        return spark.read.parquet(f"fluid://{DATASET}").count()
    finally:
        spark.stop()


if __name__ == "__main__":
    print("rows:", main())
