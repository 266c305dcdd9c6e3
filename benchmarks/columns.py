"""Two of twenty Parquet columns through each reader: what they cost in bytes, and how many requests are in flight."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.busy import Busy, serve_busy
from benchmarks.ground import Ground
from benchmarks.races import Fact

__all__ = ["column_facts"]

_COLUMNS = 20
_GROUPS = 5
_WANTED = ["c3", "c11"]
_DELAY = 0.02  # seconds that the store takes to answer: about what one in the same region takes
_PATH = "default/columns/table.parquet"
_URL = f"fluid://{_PATH}"
_ONE_AT_A_TIME = ("PyArrow", "pandas", "Polars, to_arrow()")  # Arrow locks a file that is written in Python


def column_facts(base: Ground, *, rows: int, seed: int) -> list[Fact]:
    """Store the file, read the columns in every way, and count."""
    ranges = _store_table(base, rows, seed)
    useful = sum(end - start for start, end in ranges)
    facts = []
    with serve_busy(base.server.endpoint, delay=_DELAY) as busy:
        base.dataset("columns", "columns", endpoint=busy.endpoint)
        for name, read in _readers(base.fs, ranges).items():
            seen = _counted(base, busy, read)
            facts.append(
                Fact(name=f"bytes fetched for each useful one, {name}", value=seen.fetched / useful, at_most=1.2)
            )
            least = 1 if name in _ONE_AT_A_TIME else 2
            facts.append(Fact(name=f"most requests in flight, {name}", value=seen.in_flight, at_least=least))
    return facts


@dataclass(frozen=True)
class _Seen:
    fetched: int
    in_flight: int


def _counted(base: Ground, busy: Busy, read: Callable[[], object]) -> _Seen:
    base.client.cache.evict("default/columns")
    before = base.client.cache.status().metrics.get("fetched_bytes", 0)
    busy.forget()
    read()
    return _Seen(base.client.cache.status().metrics.get("fetched_bytes", 0) - before, busy.most)


def _store_table(base: Ground, rows: int, seed: int) -> list[tuple[int, int]]:
    """Store the file; returns where the wanted columns are in it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = np.random.default_rng(seed)
    columns = {f"c{number}": source.random(rows) for number in range(_COLUMNS)}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, row_group_size=max(1, rows // _GROUPS), compression="none")
    base.put("columns/table.parquet", buffer.getvalue())
    found = pq.ParquetFile(buffer).metadata
    groups = (found.row_group(number) for number in range(found.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    wanted = (chunk for chunk in chunks if chunk.path_in_schema in _WANTED)
    return [(start, start + chunk.total_compressed_size) for chunk in wanted for start in [_start(chunk)]]


def _start(chunk: Any) -> int:
    return min(offset for offset in (chunk.dictionary_page_offset, chunk.data_page_offset) if offset is not None)


def _readers(fs: Any, ranges: list[tuple[int, int]]) -> Mapping[str, Callable[[], object]]:
    def arrow() -> object:
        import pyarrow.parquet as pq

        return pq.read_table(_PATH, filesystem=fs, columns=_WANTED)

    def pandas() -> object:
        import pandas as pd

        return pd.read_parquet(_URL, columns=_WANTED)

    def fsspec_parquet() -> object:
        import pandas as pd
        from fsspec.parquet import open_parquet_file

        with open_parquet_file(_URL, columns=_WANTED, engine="pyarrow") as file:
            return pd.read_parquet(file, columns=_WANTED)

    def polars() -> object:
        import polars as pl
        import pyarrow.dataset as ds

        found = ds.dataset(_PATH, filesystem=fs.to_arrow())
        return pl.scan_pyarrow_dataset(found).select(_WANTED).collect()

    def polars_known() -> object:
        import polars as pl
        from fsspec.parquet import open_parquet_file

        with open_parquet_file(_URL, columns=_WANTED, engine="pyarrow") as file:
            return pl.read_parquet(file, columns=_WANTED, use_pyarrow=True)

    def duckdb() -> object:
        import duckdb

        with duckdb.connect() as connection:
            connection.register_filesystem(fs)
            connection.execute("SET threads = 4")
            return connection.sql(f"SELECT {', '.join(_WANTED)} FROM '{_URL}'").fetchall()

    return {
        "PyArrow": arrow,
        "pandas": pandas,
        "Polars, to_arrow()": polars,
        "Polars, open_parquet_file": polars_known,
        "pandas, open_parquet_file": fsspec_parquet,
        "DuckDB, 4 threads": duckdb,
        "read_ranges": lambda: fs.read_ranges(_PATH, ranges),
    }
