"""The Airflow slice: a DAG warms a dataset with an operator and reads it through ObjectStoragePath."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import datafluid
from datafluid.errors import OperationFailed
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

EXAMPLE = Path(__file__).parents[2] / "examples" / "airflow_warm.py"
RUN_TWICE = """
from airflow_warm import warm_and_count_dag as dag
for _ in range(2):
    run = dag.test()
    print("STATE", run.state)
"""


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An Airflow home of its own with a migrated database and the example as its only DAG file."""
    base = tmp_path_factory.mktemp("airflow")
    dags = base / "dags"
    dags.mkdir()
    shutil.copy(EXAMPLE, dags)
    environment = os.environ | {
        "AIRFLOW_HOME": str(base),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(dags),
    }
    command = [sys.executable, "-m", "airflow", "db", "migrate"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=300)
    return environment


def _airflow(environment: dict[str, str], program: str) -> str:
    # What the test's own fixtures set (home, credentials) wins over what the session's environment recorded.
    merged = os.environ | {k: v for k, v in environment.items() if k.startswith(("AIRFLOW", "PYTHONPATH"))}
    done = subprocess.run([sys.executable, "-c", program], env=merged, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_dag_warms_then_reads_and_asks_the_server_once(bucket: Bucket, airflow_environment: dict[str, str]) -> None:
    """Two runs of the DAG succeed; each object was fetched from the server once, by the first warm-up."""
    keys = [f"month={month}/part.parquet" for month in (1, 2, 3)]
    for key in keys:
        bucket.put(key, os.urandom(10_000))
    apply_bucket_dataset(datafluid.connect(), bucket, "flights")

    output = _airflow(airflow_environment, RUN_TWICE)

    assert output.count("STATE success") == 2, output[-3000:]
    assert sorted(bucket.gets()) == sorted(keys)


@pytest.mark.slow
def test_operator_fails_with_the_reason(bucket: Bucket, airflow_environment: dict[str, str]) -> None:
    """A path that does not exist fails the task, and the message names the path."""
    bucket.put("a.parquet", b"x")
    apply_bucket_dataset(datafluid.connect(), bucket, "flights")

    output = _airflow(
        airflow_environment,
        "from fluid_airflow import FluidDataLoadOperator\n"
        "task = FluidDataLoadOperator(task_id='warm', dataset='default/flights', paths=['/no/such'])\n"
        "from datafluid.errors import OperationFailed\n"
        "try:\n    task.execute.__wrapped__(task, {}) if hasattr(task.execute, '__wrapped__') else task.execute({})\n"
        "except OperationFailed as error:\n    print('FAILED', error)\n",
    )

    assert "FAILED" in output
    assert "no/such" in output


def test_error_type_is_what_airflow_users_catch() -> None:
    """OperationFailed is a RuntimeError, so generic failure callbacks see an ordinary error."""
    assert issubclass(OperationFailed, RuntimeError)


def test_provider_info_names_modules_that_exist() -> None:
    """Airflow imports what provider info names; each module must be there."""
    from importlib.util import find_spec

    from fluid_airflow import get_provider_info

    info = get_provider_info()
    modules = info["filesystems"] + [m for item in info["operators"] for m in item["python-modules"]]
    assert modules
    assert all(find_spec(module) for module in modules)
