"""Hadoop clients of other versions than the one that PySpark brings: Presto's own, and that of an older Spark."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.engines.maven import jars
from tests.engines.packages import packages

__all__ = ["older_pyspark", "presto_shell"]

_PRESTO_HADOOP = "com.facebook.presto.hadoop:hadoop-apache2:2.7.4-12"
_LOGGING = ("org.slf4j:slf4j-jdk14:1.7.36", "org.slf4j:jcl-over-slf4j:1.7.36", "org.slf4j:log4j-over-slf4j:1.7.36")
_OLDER_PYSPARK = ("pyspark==3.5.9", "py4j==0.10.9.9")
_SECONDS = 600


def presto_shell(configuration: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``hadoop fs`` of the Hadoop that Presto ships.

    Args:
        configuration: A directory with ``core-site.xml``.
        arguments: As of ``hadoop fs``: ``-ls``, ``viewfs://team/demo``.
    """
    library = jars(_PRESTO_HADOOP, *_LOGGING)
    command = ["java", "-Xmx256m", "-cp", f"{configuration}:{library}/*", "org.apache.hadoop.fs.FsShell", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)


def older_pyspark() -> Mapping[str, str]:
    """An environment in which ``import pyspark`` is Spark 3.5 with Hadoop 3.3."""
    return os.environ | {"PYTHONPATH": str(packages(*_OLDER_PYSPARK, alone=True)), "PYSPARK_PYTHON": sys.executable}
