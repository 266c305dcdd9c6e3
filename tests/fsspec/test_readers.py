"""Every reader that speaks fsspec, cold and warm: right answers, and no request for a file that is cached."""

from __future__ import annotations

import gc
import io
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from datafluid.client import Client
from datafluid.handles import DatasetHandle
from fluid_fsspec import FluidFileSystem
from fluid_fsspec.reading import FluidFile
from tests.conftest import Bucket
from tests.datasets import apply_bucket_dataset

_URL = "fluid://default/readings"
_PARTS = 4
_ROWS = 5_000

# Dask uses what pandas is about to take away.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword:DeprecationWarning")

_Reader = Callable[[FluidFileSystem], "Answer"]


@dataclass(frozen=True)
class Answer:
    """What every reader must find: how many rows, the sum of a column, and the distinct names."""

    rows: int
    total: int
    names: tuple[str, ...]


EXPECTED = Answer(_PARTS * _ROWS, sum(range(_PARTS * _ROWS)), ("even", "odd"))


def _tables() -> list[tuple[str, bytes]]:
    """The same rows twice: Parquet in parts, and CSV in parts."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    found = []
    for part in range(_PARTS):
        values = list(range(part * _ROWS, (part + 1) * _ROWS))
        names = ["odd" if value % 2 else "even" for value in values]
        table = pa.table({"value": pa.array(values, pa.int64()), "name": names})
        parquet, text = io.BytesIO(), io.BytesIO()
        pq.write_table(table, parquet, row_group_size=1_000)
        csv.write_csv(table, text)
        found += [
            (f"parquet/part-{part}.parquet", parquet.getvalue()),
            (f"csv/part-{part}.csv", text.getvalue()),
        ]
    return found


@pytest.fixture
def readings(client: Client, bucket: Bucket) -> DatasetHandle:
    """A bucket with the rows as Parquet and as CSV, nothing of it cached."""
    for key, data in _tables():
        bucket.put(key, data)
    return apply_bucket_dataset(client, bucket, "readings")


# -- the readers ----------------------------------------------------------------------------------------


def _of_pandas(frame: object) -> Answer:
    import pandas as pd

    assert isinstance(frame, pd.DataFrame)
    return Answer(len(frame), int(frame["value"].sum()), tuple(sorted(str(name) for name in frame["name"].unique())))


def pandas_parquet(fs: FluidFileSystem) -> Answer:
    """A directory of Parquet files by URL."""
    pd = pytest.importorskip("pandas")
    return _of_pandas(pd.read_parquet(f"{_URL}/parquet"))


def pandas_parquet_file(fs: FluidFileSystem) -> Answer:
    """One Parquet file after the other by URL."""
    pd = pytest.importorskip("pandas")
    frames = [pd.read_parquet(f"{_URL}/parquet/part-{part}.parquet") for part in range(_PARTS)]
    return _of_pandas(pd.concat(frames))


def pandas_csv(fs: FluidFileSystem) -> Answer:
    """CSV by URL."""
    pd = pytest.importorskip("pandas")
    return _of_pandas(pd.concat([pd.read_csv(f"{_URL}/csv/part-{part}.csv") for part in range(_PARTS)]))


def arrow_dataset(fs: FluidFileSystem) -> Answer:
    """A PyArrow dataset through ``to_arrow()``."""
    dataset = pytest.importorskip("pyarrow.dataset")
    compute = pytest.importorskip("pyarrow.compute")
    table = dataset.dataset("default/readings/parquet", filesystem=fs.to_arrow()).to_table()
    return Answer(
        table.num_rows, compute.sum(table["value"]).as_py(), tuple(sorted(table["name"].unique().to_pylist()))
    )


def arrow_dataset_by_fsspec(fs: FluidFileSystem) -> Answer:
    """A PyArrow dataset that is handed the fsspec filesystem itself."""
    dataset = pytest.importorskip("pyarrow.dataset")
    table = dataset.dataset("default/readings/csv", filesystem=fs, format="csv").to_table()
    return _of_pandas(table.to_pandas())


def polars_dataset(fs: FluidFileSystem) -> Answer:
    """Polars, lazily, over a PyArrow dataset."""
    pl = pytest.importorskip("polars")
    dataset = pytest.importorskip("pyarrow.dataset")
    lazy = pl.scan_pyarrow_dataset(dataset.dataset("default/readings/parquet", filesystem=fs.to_arrow()))
    total = lazy.select(pl.len().alias("rows"), pl.col("value").sum()).collect()
    names = lazy.select(pl.col("name").unique().sort()).collect()
    return Answer(total["rows"][0], total["value"][0], tuple(names["name"].to_list()))


def polars_open_files(fs: FluidFileSystem) -> Answer:
    """Polars, eagerly, from open files."""
    pl = pytest.importorskip("polars")
    frames = []
    for path in fs.ls("default/readings/parquet", detail=False):
        with fs.open(path) as file:
            frames.append(pl.read_parquet(file))
    frame = pl.concat(frames)
    return Answer(frame.height, frame["value"].sum(), tuple(frame["name"].unique().sort().to_list()))


def duckdb_parquet(fs: FluidFileSystem) -> Answer:
    """DuckDB with the filesystem registered, over a glob."""
    return _by_duckdb(fs, f"read_parquet('{_URL}/parquet/*.parquet')")


def duckdb_csv(fs: FluidFileSystem) -> Answer:
    """DuckDB over CSV."""
    return _by_duckdb(fs, f"read_csv('{_URL}/csv/*.csv')")


def _by_duckdb(fs: FluidFileSystem, table: str) -> Answer:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        found = connection.sql(f"select count(*), sum(value)::bigint, list_sort(list(distinct name)) from {table}")
        ((rows, total, names),) = found.fetchall()
    return Answer(rows, total, tuple(names))


def dask_parquet(fs: FluidFileSystem) -> Answer:
    """Dask over Parquet by URL."""
    dd = pytest.importorskip("dask.dataframe")
    return _of_pandas(dd.read_parquet(f"{_URL}/parquet").compute(scheduler="synchronous"))


def dask_csv(fs: FluidFileSystem) -> Answer:
    """Dask over CSV by URL, in blocks that end inside lines."""
    dd = pytest.importorskip("dask.dataframe")
    return _of_pandas(dd.read_csv(f"{_URL}/csv/*.csv", blocksize=20_000).compute(scheduler="synchronous"))


READERS: list[_Reader] = [
    pandas_parquet,
    pandas_parquet_file,
    pandas_csv,
    arrow_dataset,
    arrow_dataset_by_fsspec,
    polars_dataset,
    polars_open_files,
    duckdb_parquet,
    duckdb_csv,
    dask_parquet,
    dask_csv,
]


def _id(reader: _Reader) -> str:
    return reader.__name__


# -- what must hold for each ----------------------------------------------------------------------------


@pytest.mark.parametrize("read", READERS, ids=_id)
def test_cold_reads_fetch_and_are_right(
    read: _Reader, readings: DatasetHandle, bucket: Bucket, fs: FluidFileSystem
) -> None:
    """A reader finds every row when nothing is cached, and the server is asked for the files."""
    assert read(fs) == EXPECTED
    assert bucket.gets()


@pytest.mark.parametrize("read", READERS, ids=_id)
def test_warm_reads_make_no_request(
    read: _Reader, readings: DatasetHandle, client: Client, bucket: Bucket, fs: FluidFileSystem
) -> None:
    """After a DataLoad the server sees no GET while a reader reads; after evicting, it does again."""
    readings.load().wait(timeout=60)
    before = len(bucket.gets())
    assert before > 0
    assert read(fs) == EXPECTED
    assert read(fs) == EXPECTED
    assert len(bucket.gets()) == before

    client.cache.evict("default/readings")
    assert read(fs) == EXPECTED
    assert len(bucket.gets()) > before


def test_a_second_cold_read_is_warm(readings: DatasetHandle, bucket: Bucket, fs: FluidFileSystem) -> None:
    """What one reader has fetched whole is there for the next one, without any DataLoad."""
    assert pandas_csv(fs) == EXPECTED
    before = len(bucket.gets())
    assert duckdb_csv(fs) == EXPECTED
    assert dask_csv(fs) == EXPECTED
    assert len(bucket.gets()) == before


def test_arrow_opens_cached_files_itself(
    readings: DatasetHandle, fs: FluidFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cache hit Arrow reads a file of its own; only while bytes are missing it reads through Python."""
    read: list[str] = []

    def counting(self: FluidFile, size: int | None = -1) -> bytes:
        read.append(self.path)
        return original(self, size)

    original = FluidFile.read
    monkeypatch.setattr(FluidFile, "read", counting)
    arrow = fs.to_arrow()
    path = "default/readings/csv/part-0.csv"
    with arrow.open_input_file(path) as cold:
        assert cold.read(5) == b'"valu'
    assert set(read) == {path}
    read.clear()
    readings.load("csv").wait(timeout=60)
    with arrow.open_input_file(path) as file, arrow.open_input_stream(path) as stream:
        assert file.read() == stream.read()
    assert read == []


def test_files_left_to_the_collector_do_not_warn(readings: DatasetHandle, fs: FluidFileSystem) -> None:
    """Readers that never close, as Arrow and DuckDB do, cause no ResourceWarning, as with other filesystems."""
    readings.load().wait(timeout=60)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        file = fs.open("default/readings/csv/part-0.csv")
        assert file.read(1)
        del file
        gc.collect()
    assert [str(warning.message) for warning in seen] == []


def test_a_few_columns_fetch_a_part(client: Client, bucket: Bucket, fs: FluidFileSystem) -> None:
    """Reading one column of a wide cold Parquet file fetches only a part of it."""
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    numbers = range(40_000)
    wide = {f"column{n}": [(i * 2_654_435_761 + n) % 2**31 for i in numbers] for n in range(12)}
    buffer = io.BytesIO()
    pq.write_table(pa.table(wide), buffer, compression=None, use_dictionary=False)
    bucket.put("wide.parquet", buffer.getvalue())
    apply_bucket_dataset(client, bucket, "wide")

    table = pq.read_table("default/wide/wide.parquet", columns=["column3"], filesystem=fs.to_arrow())
    assert table["column3"].to_pylist() == wide["column3"]
    summary = fs.content_summary("default/wide")
    assert summary.cached is not None
    assert 0 < summary.cached < summary.bytes / 2


# -- zarr -----------------------------------------------------------------------------------------------

_SHAPE, _CHUNKS = (60, 40), (16, 16)


@pytest.fixture
def array(client: Client, bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> DatasetHandle:
    """A zarr array of two dimensions in a bucket."""
    zarr = pytest.importorskip("zarr")
    np = pytest.importorskip("numpy")
    place = tmp_path_factory.mktemp("zarr") / "grid.zarr"
    made = zarr.create_array(store=str(place), shape=_SHAPE, chunks=_CHUNKS, dtype="i4")
    made[:] = np.arange(math.prod(_SHAPE), dtype="i4").reshape(_SHAPE)
    for file in sorted(place.rglob("*")):
        if file.is_file():
            bucket.put(f"grid.zarr/{file.relative_to(place).as_posix()}", file.read_bytes())
    return apply_bucket_dataset(client, bucket, "grid")


@pytest.mark.parametrize("by_url", [True, False], ids=["url", "store"])
def test_zarr(by_url: bool, array: DatasetHandle, client: Client, bucket: Bucket, fs: FluidFileSystem) -> None:
    """Zarr reads an array by URL and through an FsspecStore: cold, warm without a GET, and cold again."""
    zarr = pytest.importorskip("zarr")
    np = pytest.importorskip("numpy")
    wanted = np.arange(math.prod(_SHAPE), dtype="i4").reshape(_SHAPE)

    def read() -> None:
        if by_url:
            opened = zarr.open_array("fluid://default/grid/grid.zarr", mode="r")
        else:
            from fsspec.implementations.asyn_wrapper import AsyncFileSystemWrapper

            asynchronous = AsyncFileSystemWrapper(fs, asynchronous=True)
            store = zarr.storage.FsspecStore(asynchronous, read_only=True, path="default/grid/grid.zarr")
            opened = zarr.open_array(store, mode="r")
        assert np.array_equal(opened[:], wanted)
        assert np.array_equal(opened[10:30, 5:35], wanted[10:30, 5:35])

    read()
    cold = len(bucket.gets())
    assert cold > 0
    array.load().wait(timeout=60)
    warm = len(bucket.gets())
    read()
    assert len(bucket.gets()) == warm
    client.cache.evict("default/grid")
    read()
    assert len(bucket.gets()) > warm
