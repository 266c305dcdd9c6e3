"""What a warm read costs, beside the same read of a plain local file, and of the caches of fsspec.

python -m benchmarks.warm_reads [--small] [--json FILE]

A dataset over a real S3 server on loopback is loaded into a temporary cache. Then each read is done through
``fluid://`` and by its peers, in turns. Fails when the server saw a GET during the warm reads. What runs in one thread
is measured in CPU time, as nothing is waited for; the scans by the clock.
"""

from __future__ import annotations

import io
import itertools
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.implementations.cached import SimpleCacheFileSystem, WholeFileCacheFileSystem
from fsspec.implementations.local import LocalFileSystem

from benchmarks.ground import MIB, Ground, ground
from benchmarks.peers import alluxio_over_files
from benchmarks.program import main
from benchmarks.races import Fact, Lane, Race, Table, run_race, tell
from fluid_fsspec import paths

_DATASET = "default/warm"
_SMALL_FILE = 4 << 10
_TURN = itertools.count()


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is read.

    Args:
        big: Bytes of the file that is read sequentially and at random.
        files: Files of 4 KiB.
        siblings: Files beside the one that is asked for with info.
        reads: Random reads of 4 KiB.
        infos: Calls of info.
        rows: Rows of each of the four Parquet files.
        rounds: How often each race is run.
        peers: Only peers with one of these words in their labels, comma-separated.
        seed: What the bytes and the places are drawn from.
    """

    big: int = 200 * MIB
    files: int = 1_000
    siblings: int = 10_000
    reads: int = 5_000
    infos: int = 2_000
    rows: int = 500_000
    rounds: int = 9
    peers: str = ""
    seed: int = 1


SMALL = Sizes(big=4 * MIB, files=20, siblings=30, reads=50, infos=20, rows=1_000, rounds=2)


@dataclass(frozen=True)
class Warm:
    """The loaded dataset, and the same files in a plain directory and in the caches of fsspec."""

    ground: Ground
    plain: Path
    caches: dict[str, Any]

    @property
    def fs(self) -> Any:
        """Ours."""
        return self.ground.fs

    def peers(self, work: Callable[[Any, str], object], bound: float) -> list[Lane]:
        """The same work on the plain files and in the caches."""
        local = LocalFileSystem(skip_instance_cache=True)
        lanes = [Lane(label="LocalFileSystem", work=lambda: work(local, str(self.plain)), bound=bound)]
        for label, cache in self.caches.items():
            lanes.append(Lane(label=label, work=lambda cache=cache: work(cache, str(self.plain))))
        return lanes

    def ours(self, work: Callable[[Any, str], object]) -> Lane:
        """The work through ``fluid://``."""
        return Lane(label="fluid://", work=lambda: work(self.fs, _DATASET))


def races(warm: Warm, sizes: Sizes) -> list[Race]:
    """Every read that is measured."""
    source = random.Random(sizes.seed)
    offsets = [source.randrange(sizes.big - _SMALL_FILE) for _ in range(sizes.reads)]
    names = [f"small/{number:05}.bin" for number in range(sizes.files)]
    plain = warm.plain
    work = {
        f"random read, 4 KiB each, {sizes.reads} times": (
            lambda fs, at: _at_random(fs, f"{at}/big.bin", offsets),
            1.11,
        ),
        f"open, read, close, {sizes.files} files of 4 KiB": (lambda fs, at: _each(fs, at, names), 1.5),
        f"info of one file, {sizes.infos} times": (lambda fs, at: _infos(fs, f"{at}/big.bin", sizes.infos), 2.0),
        f"info among {sizes.siblings} siblings": (
            lambda fs, at: _infos(fs, f"{at}/many/{sizes.siblings // 2:05}.bin", sizes.infos // 10 + 1),
            2.0,
        ),
    }
    sequential = Race(
        name=f"sequential read, 1 MiB each, {sizes.big // MIB} MiB",
        clock=time.process_time,
        ours=Lane(label="fluid://", work=lambda: _sequential(warm.fs.open, f"{_DATASET}/big.bin")),
        peers=[Lane(label="builtin open", work=lambda: _sequential(open, f"{plain}/big.bin"), bound=1 / 0.95)],
    )
    first = Race(
        name=f"info of {sizes.files} files, each the first time",
        clock=time.process_time,
        ours=Lane(label="fluid://", work=lambda: _sizes(warm.fs, _DATASET, names), prepare=lambda: _forget(warm.fs)),
        peers=[
            Lane(
                label="LocalFileSystem",
                work=lambda: _sizes(LocalFileSystem(skip_instance_cache=True), str(plain), names),
                bound=4.0,
            )
        ],
    )
    scan = Race(
        name=f"Parquet scan, {4 * sizes.rows} rows",
        ours=Lane(label="to_arrow()", work=lambda: _scan(f"{_DATASET}/table", warm.fs.to_arrow())),
        peers=[Lane(label="PyArrow, local", work=lambda: _scan(f"{plain}/table", None), bound=1 / 0.95)],
    )
    frame = Race(
        name=f"pandas.read_parquet, {4 * sizes.rows} rows",
        ours=Lane(label="fluid://", work=lambda: _frame(f"fluid://{_DATASET}/table")),
        peers=[Lane(label="file://", work=lambda: _frame(f"file://{plain}/table"), bound=1 / 0.9)],
    )
    files = [
        Race(name=name, ours=warm.ours(do), peers=warm.peers(do, bound), clock=time.process_time)
        for name, (do, bound) in work.items()
    ]
    return [sequential, *files, first, scan, frame]


def _sequential(opener: Callable[[str, str], Any], path: str) -> int:
    total = 0
    with opener(path, "rb") as file:
        while data := file.read(MIB):
            total += len(data)
    return total


def _at_random(fs: Any, path: str, offsets: list[int]) -> int:
    total = 0
    with fs.open(path, "rb") as file:
        for offset in offsets:
            file.seek(offset)
            total += len(file.read(_SMALL_FILE))
    return total


def _each(fs: Any, at: str, names: list[str]) -> int:
    total = 0
    for name in names:
        with fs.open(f"{at}/{name}", "rb") as file:
            total += len(file.read())
    return total


def _infos(fs: Any, path: str, count: int) -> int:
    return sum(fs.info(path)["size"] for _ in range(count))


def _sizes(fs: Any, at: str, names: list[str]) -> int:
    return sum(fs.info(f"{at}/{name}")["size"] for name in names)


def _forget(fs: Any) -> None:
    """Let the next question find a client that knows no path yet, as a new process would."""
    paths.strip.cache_clear()
    paths.split.cache_clear()
    os.environ["DATAFLUID_MOUNT_ROOT"] = f"/nothing/is/mounted/here/{next(_TURN)}"
    fs.info(_DATASET)


def _scan(place: str, filesystem: Any) -> int:
    import pyarrow.dataset as ds

    table = ds.dataset(place, format="parquet", filesystem=filesystem).to_table()
    rows: int = table.num_rows
    return rows


def _frame(url: str) -> int:
    import pandas as pd

    return len(pd.read_parquet(url))


# -- the ground


def _warm(base: Ground, sizes: Sizes) -> Warm:
    tell("Storing and loading …")
    plain = base.base / "plain"
    for key, data in _files(sizes):
        (plain / key).parent.mkdir(parents=True, exist_ok=True)
        (plain / key).write_bytes(data)
        base.put(f"warm/{key}", data)
    base.dataset("warm", "warm").load().wait(timeout=600)
    kinds = {"simplecache": SimpleCacheFileSystem, "filecache": WholeFileCacheFileSystem}
    caches: dict[str, Any] = {
        name: kind(target_protocol="file", cache_storage=str(base.base / name), skip_instance_cache=True)
        for name, kind in kinds.items()
    }
    if (alluxio := alluxio_over_files()) is not None:
        caches["alluxiofs"] = alluxio
    return Warm(base, plain, caches)


def _files(sizes: Sizes) -> Iterator[tuple[str, bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = random.Random(sizes.seed)
    yield "big.bin", source.randbytes(sizes.big)
    for number in range(sizes.files):
        yield f"small/{number:05}.bin", source.randbytes(_SMALL_FILE)
    for number in range(sizes.siblings):
        yield f"many/{number:05}.bin", b"x"
    for part in range(4):
        numbers = range(part * sizes.rows, (part + 1) * sizes.rows)
        columns = {
            "id": pa.array(numbers, pa.int64()),
            "value": pa.array([source.random() for _ in numbers], pa.float64()),
            "name": pa.array([f"name-{number % 1000}" for number in numbers]),
        }
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        yield f"table/part-{part}.parquet", buffer.getvalue()


def measure(sizes: Sizes) -> list[Table]:
    """Run every race, and count the GETs of the warm reads."""
    table = Table("Warm reads")
    with ground() as base:
        warm = _warm(base, sizes)
        before = base.gets()
        for race in races(warm, sizes):
            table.results += run_race(race, sizes.rounds, sizes.peers)
        table.facts.append(Fact(name="GET requests during the warm reads", value=base.gets() - before, at_most=0))
    return [table]


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
