"""A Spark driver on this machine that asks a cluster for executors; it waits until it is killed."""

from __future__ import annotations

import json
import signal
import sys

from pyspark.sql import SparkSession


def main(master: str, properties: dict[str, str]) -> None:
    """Ask for executors."""
    builder = SparkSession.builder.master(master).config("spark.ui.enabled", "false")
    for name, value in properties.items():
        builder = builder.config(name, value)
    builder.getOrCreate()
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
