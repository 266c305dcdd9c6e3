"""An Airflow DAG: warm a dataset every night, then read it where it is warm.

Run it once, without a scheduler:  ``airflow dags test warm_and_count``
"""

from __future__ import annotations

import os

import pendulum
from airflow.sdk import ObjectStoragePath, dag, task
from fluid_airflow import FluidDataLoadOperator

DATASET = os.environ.get("EXAMPLE_DATASET", "default/flights")


@dag(schedule="0 3 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="UTC"), catchup=False)
def warm_and_count() -> None:
    """Two steps: a DataLoad, then a read through ``fluid://``."""
    warm = FluidDataLoadOperator(task_id="warm", dataset=DATASET)

    @task
    def count_bytes() -> int:
        """Read every Parquet file of the dataset through ObjectStoragePath."""
        root = ObjectStoragePath(f"fluid://{DATASET}")
        return sum(len(path.read_bytes()) for path in sorted(root.rglob("*.parquet")))

    warm >> count_bytes()


warm_and_count_dag = warm_and_count()
