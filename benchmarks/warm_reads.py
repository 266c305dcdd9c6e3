"""What a warm read costs, beside the same read of a plain local file, in the same run.

    python benchmarks/warm_reads.py [--small] [--json FILE]

A dataset over a real S3 server on loopback is loaded into a temporary cache. Then each read is done through
``fluid://`` and by its peer on a copy of the files, in turns, and the median of the ratios is told: 1.00 is as
fast as the peer, 2.00 takes twice as long. Fails when the server saw a GET during the warm reads.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

from datafluid.client import Client, connect
from datafluid.testing.s3 import S3Server, serve_s3
from fluid_fsspec import FluidFileSystem

_DATASET = "default/bench"
_BUCKET = "warm-reads"
_SMALL_FILE = 4 << 10
_MIB = 1 << 20

_Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is read.

    Args:
        big: Bytes of the file that is read sequentially and at random.
        files: Files of 4 KiB.
        reads: Random reads of 4 KiB.
        infos: Calls of info.
        rows: Rows of each of the four Parquet files.
        rounds: How often each pair is measured.
        starts: How often each pair of processes is started.
    """

    big: int = 200 * _MIB
    files: int = 1_000
    reads: int = 5_000
    infos: int = 2_000
    rows: int = 500_000
    rounds: int = 9
    starts: int = 11


SMALL = Sizes(big=4 * _MIB, files=20, reads=50, infos=20, rows=1_000, rounds=2, starts=2)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One pair. Times are medians, in seconds; ``ratio`` is the median of the rounds' ratios."""

    name: str
    ours: str
    peer: str
    ours_seconds: float
    peer_seconds: float
    ratio: float
    lowest: float
    highest: float
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two ways to do the same thing."""

    name: str
    ours: str
    peer: str
    do_ours: _Work
    do_peer: _Work


@dataclass(frozen=True)
class Ground:
    """The loaded dataset, and the same files in a plain directory."""

    server: S3Server
    client: Client
    fs: FluidFileSystem
    plain: Path

    def gets(self) -> int:
        """How many objects the server has been asked for; listings are not among them."""
        prefix = f"/{_BUCKET}/"
        self.server.settle()
        return sum(request.path != prefix for request in self.server.requests("GET", below=prefix))


# -- the ground


@contextmanager
def ground(sizes: Sizes) -> Iterator[Ground]:
    """A bucket, the dataset over it, loaded, and a copy of its files."""
    with tempfile.TemporaryDirectory(prefix="datafluid-bench-") as name:
        base = Path(name)
        (base / "s3").mkdir()
        with serve_s3(base / "s3") as server:
            os.environ |= {
                "DATAFLUID_HOME": str(base / "home"),
                "DATAFLUID_CONFIG": str(base / "config.toml"),
                "AWS_ACCESS_KEY_ID": server.access_key,
                "AWS_SECRET_ACCESS_KEY": server.secret_key,
            }
            for variable in ("DATAFLUID_CONTEXT", "DATAFLUID_NAMESPACE", "DATAFLUID_MOUNT_ROOT"):
                os.environ.pop(variable, None)
            server.create_bucket(_BUCKET)
            plain = base / "plain"
            for key, data in _files(sizes):
                (plain / key).parent.mkdir(parents=True, exist_ok=True)
                (plain / key).write_bytes(data)
                server.put(_BUCKET, key, data)
            client = connect()
            client.apply(_manifest(server))
            dataset = client.dataset(_DATASET)
            dataset.wait(timeout=60)
            dataset.load().wait(timeout=600)
            yield Ground(server, client, FluidFileSystem(skip_instance_cache=True), plain)


def _manifest(server: S3Server) -> dict[str, Any]:
    namespace, _, name = _DATASET.partition("/")
    options = {
        "endpoint": server.endpoint,
        "region": server.region,
        "allow_http": "true",
        "virtual_hosted_style_request": "false",
    }
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": "Dataset",
        "metadata": {"name": name, "namespace": namespace, "annotations": {"datafluid.io/refresh": "1h"}},
        "spec": {"mounts": [{"mountPoint": f"s3://{_BUCKET}", "name": name, "path": "/", "options": options}]},
    }


def _files(sizes: Sizes) -> Iterator[tuple[str, bytes]]:
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    source = random.Random(1)
    yield "big.bin", source.randbytes(sizes.big)
    for number in range(sizes.files):
        yield f"small/{number:04}.bin", source.randbytes(_SMALL_FILE)
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


# -- the pairs


def pairs(ground: Ground, sizes: Sizes) -> list[Pair]:
    """Every read that is measured in this process."""
    local = LocalFileSystem(skip_instance_cache=True)
    plain, table = str(ground.plain), f"{_DATASET}/table"
    big_ours, big_peer = f"{_DATASET}/big.bin", f"{plain}/big.bin"
    names = [f"small/{number:04}.bin" for number in range(sizes.files)]
    source = random.Random(2)
    offsets = [source.randrange(sizes.big - _SMALL_FILE) for _ in range(sizes.reads)]
    fs = ground.fs
    return [
        Pair(
            name=f"sequential read, 1 MiB each, {sizes.big // _MIB} MiB",
            ours="fs.open",
            peer="open",
            do_ours=lambda: _sequential(fs.open, big_ours),
            do_peer=lambda: _sequential(open, big_peer),
        ),
        Pair(
            name=f"random read, 4 KiB each, {sizes.reads} times",
            ours="fs.open",
            peer="LocalFileSystem.open",
            do_ours=lambda: _at_random(fs, big_ours, offsets),
            do_peer=lambda: _at_random(local, big_peer, offsets),
        ),
        Pair(
            name=f"open, read, close, {sizes.files} files of 4 KiB",
            ours="fs.open",
            peer="LocalFileSystem.open",
            do_ours=lambda: _each(fs, [f"{_DATASET}/{name}" for name in names]),
            do_peer=lambda: _each(local, [f"{plain}/{name}" for name in names]),
        ),
        Pair(
            name=f"info of one file, {sizes.infos} times",
            ours="fs.info",
            peer="LocalFileSystem.info",
            do_ours=lambda: _infos(fs, big_ours, sizes.infos),
            do_peer=lambda: _infos(local, big_peer, sizes.infos),
        ),
        Pair(
            name=f"Parquet scan, {4 * sizes.rows} rows",
            ours="to_arrow()",
            peer="pyarrow, local",
            do_ours=lambda: _scan(table, fs.to_arrow()),
            do_peer=lambda: _scan(f"{plain}/table", None),
        ),
        Pair(
            name=f"pandas.read_parquet, {4 * sizes.rows} rows",
            ours="fluid://",
            peer="file://",
            do_ours=lambda: _frame(f"fluid://{table}"),
            do_peer=lambda: _frame(f"file://{plain}/table"),
        ),
    ]


def starts() -> list[Pair]:
    """Every start of a process that is measured."""

    def python(*arguments: str) -> _Work:
        command = [sys.executable, *arguments]
        return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return [
        Pair(
            name="import fluid_fsspec",
            ours="import fluid_fsspec",
            peer="import fsspec",
            do_ours=python("-c", "import fluid_fsspec"),
            do_peer=python("-c", "import fsspec"),
        ),
        Pair(
            name="import datafluid",
            ours="import datafluid",
            peer="an empty program",
            do_ours=python("-c", "import datafluid"),
            do_peer=python("-c", "pass"),
        ),
        Pair(
            name="datafluid --help",
            ours="datafluid --help",
            peer="an empty program",
            do_ours=python("-m", "datafluid", "--help"),
            do_peer=python("-c", "pass"),
        ),
    ]


def _sequential(opener: Callable[[str, str], Any], path: str) -> int:
    total = 0
    with opener(path, "rb") as file:
        while data := file.read(_MIB):
            total += len(data)
    return total


def _at_random(fs: Any, path: str, offsets: list[int]) -> int:
    total = 0
    with fs.open(path, "rb") as file:
        for offset in offsets:
            file.seek(offset)
            total += len(file.read(_SMALL_FILE))
    return total


def _each(fs: Any, paths: list[str]) -> int:
    total = 0
    for path in paths:
        with fs.open(path, "rb") as file:
            total += len(file.read())
    return total


def _infos(fs: Any, path: str, count: int) -> int:
    return sum(fs.info(path)["size"] for _ in range(count))


def _scan(place: str, filesystem: Any) -> int:
    import pyarrow.dataset as ds

    table = ds.dataset(place, format="parquet", filesystem=filesystem).to_table()
    rows: int = table.num_rows
    return rows


def _frame(url: str) -> int:
    import pandas as pd

    return len(pd.read_parquet(url))


# -- measuring


def measure(pair: Pair, rounds: int, *, compare: bool = True) -> Result:
    """Do both in turns, the one first and then the other, and take medians.

    Args:
        compare: Both must return the same.

    Raises:
        RuntimeError: they did not.
    """
    first, second = pair.do_ours(), pair.do_peer()  # warm both; this round does not count
    if compare and first != second:
        raise RuntimeError(f"{pair.name}: {first} through fluid://, {second} by the peer")
    ours, peer = [], []
    for number in range(rounds):
        order = ((pair.do_ours, ours), (pair.do_peer, peer))
        for work, times in order if number % 2 == 0 else reversed(order):
            times.append(_seconds(work))
    ratios = [a / b for a, b in zip(ours, peer, strict=True)]
    return Result(
        name=pair.name,
        ours=pair.ours,
        peer=pair.peer,
        ours_seconds=statistics.median(ours),
        peer_seconds=statistics.median(peer),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        rounds=rounds,
    )


def _seconds(work: _Work) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def run(sizes: Sizes, tell: Callable[[str], None]) -> tuple[list[Result], int]:
    """Measure everything; returns the results and how many GETs the server saw meanwhile."""
    tell("Storing and loading …")
    results = []
    with ground(sizes) as place:
        before = place.gets()
        for pair in pairs(place, sizes):
            tell(f"{pair.name} …")
            results.append(measure(pair, sizes.rounds))
        gets = place.gets() - before
        for pair in starts():
            tell(f"{pair.name} …")
            results.append(measure(pair, sizes.starts, compare=False))
    return results, gets


def report(results: list[Result], gets: int) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "through", "ms", "peer", "ms", "ratio", "lowest", "highest", title="Warm reads")
    for result in results:
        table.add_row(
            result.name,
            result.ours,
            f"{result.ours_seconds * 1000:.1f}",
            result.peer,
            f"{result.peer_seconds * 1000:.1f}",
            f"{result.ratio:.2f}",
            f"{result.lowest:.2f}",
            f"{result.highest:.2f}",
        )
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    console.print(f"GET requests at the server during the warm reads: {gets}")


def document(results: list[Result], gets: int, *, small: bool) -> dict[str, Any]:
    """What ``--json`` writes."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "small": small,
        "gets_while_warm": gets,
        "results": [asdict(result) for result in results],
    }


def main(arguments: list[str] | None = None) -> int:
    """Run it; 1 when a warm read made a request."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    parser.add_argument("--small", action="store_true", help="a quick run, for tests: the figures mean nothing")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", ResourceWarning)
    results, gets = run(SMALL if options.small else Sizes(), lambda text: print(text, file=sys.stderr, flush=True))
    report(results, gets)
    if options.json is not None:
        options.json.write_text(json.dumps(document(results, gets, small=options.small), indent=2) + "\n")
    return 1 if gets else 0


if __name__ == "__main__":
    sys.exit(main())
