"""What a Spark job does with ``fluid://``, told as JSON. Runs in a process of its own: any Spark may be on its path."""

from __future__ import annotations

import json
import sys
from typing import Any

from pyspark.sql import SparkSession


def read_and_write(spark: Any, root: str) -> dict[str, Any]:
    """Everything a job does with files: read, prune, write, append, overwrite, save as text."""
    rows = spark.read.parquet(f"{root}/in")
    out = f"{root}/out"
    rows.write.partitionBy("part").parquet(out)
    rows.limit(1).write.mode("append").partitionBy("part").parquet(out)
    appended = spark.read.parquet(out).count()
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "dynamic")
    rows.where("part = 1").limit(1).write.mode("overwrite").partitionBy("part").parquet(out)
    one_part = spark.read.parquet(out).groupBy("part").count().collect()
    spark.conf.set("spark.sql.sources.partitionOverwriteMode", "static")
    rows.limit(3).write.mode("overwrite").parquet(out)
    spark.sparkContext.parallelize(["alpha", "beta"], 1).saveAsTextFile(f"{root}/text")
    return {
        "read": rows.count(),
        "pruned": spark.read.parquet(f"{root}/in").where("part = 1").count(),
        "appended": appended,
        "one part": {row["part"]: row["count"] for row in one_part},
        "overwritten": spark.read.parquet(out).count(),
        "text": sorted(spark.sparkContext.textFile(f"{root}/text").collect()),
        "names": sorted(spark.read.parquet(f"{root}/in").inputFiles()),
    }


def read(spark: Any, root: str) -> dict[str, Any]:
    """Read a text, and say where Spark's scheduler would rather run its tasks."""
    lines = spark.sparkContext.textFile(f"{root}/words.txt", 1)
    scheduler = spark.sparkContext._jsc.sc()
    hosts = [
        scheduler.getPreferredLocs(lines._jrdd.rdd(), part).mkString(",") for part in range(lines.getNumPartitions())
    ]
    return {"lines": lines.count(), "hosts": hosts}


def main(what: str, root: str, properties: dict[str, str]) -> None:
    """Do one of them, with the properties and no others that matter."""
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    for name, value in properties.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    told = {"read_and_write": read_and_write, "read": read}[what](spark, root)
    jvm = spark.sparkContext._jvm
    print(json.dumps({"hadoop": jvm.org.apache.hadoop.util.VersionInfo.getVersion(), **told}))
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]))
