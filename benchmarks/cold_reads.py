"""What a first read costs, while the bytes come into the cache, beside obstore, s3fs and the caches of fsspec.

python -m benchmarks.cold_reads [--small] [--peers obstore,s3fs] [--json FILE]

And what two of twenty Parquet columns cost: see `benchmarks.columns`.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.columns import column_facts
from benchmarks.ground import BUCKET, MIB, Ground, ground
from benchmarks.program import main
from benchmarks.races import Lane, Race, Table, run_race, tell

_RANGE = 8 * MIB
_STREAMS = 4
_READ = 1 * MIB


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is read.

    Args:
        big: Bytes of the object.
        rows: Rows of the Parquet file of twenty columns.
        rounds: How often each race is run.
        seed: What the bytes are drawn from.
        peers: Only peers with one of these words in their labels, comma-separated.
    """

    big: int = 256 * MIB
    rows: int = 1_000_000
    rounds: int = 7
    seed: int = 1
    peers: str = ""


SMALL = Sizes(big=4 * MIB, rows=1_000_000, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """Race the first reads, and count the bytes of two columns."""
    table = Table("Cold reads")
    with ground() as base:
        tell("Storing …")
        base.put_random("cold/big.bin", sizes.big, seed=sizes.seed)
        base.dataset("cold", "cold")
        for race in _races(base, sizes):
            table.results += run_race(race, sizes.rounds, sizes.peers)
        table.facts += column_facts(base, rows=sizes.rows, seed=sizes.seed)
    return [table]


# -- one large object


def _races(base: Ground, sizes: Sizes) -> list[Race]:
    name = f"{sizes.big // MIB} MiB, "
    opened = Lane(
        label="fs.open", work=lambda: _read_all(base.fs, "default/cold/big.bin"), prepare=lambda: _evict(base)
    )
    whole = Lane(
        label="fs.cat_file", work=lambda: len(base.fs.cat_file("default/cold/big.bin")), prepare=opened.prepare
    )
    s3 = _s3fs(base)
    return [
        Race(
            name=name + "read in MiBs",
            ours=opened,
            peers=[
                _Disk("obstore ranges, to disk", lambda target: _obstore(base, sizes.big, target)).lane(1.1),
                Lane(label="s3fs open", work=lambda: _read_all(s3, f"{BUCKET}/cold/big.bin"), bound=1.0),
                *(
                    _Disk(
                        kind, lambda target, kind=kind: _read_all(_cached(base, kind, target), f"{BUCKET}/cold/big.bin")
                    ).lane()
                    for kind in ("simplecache", "filecache", "blockcache")
                ),
            ],
        ),
        Race(
            name=name + "read whole",
            ours=whole,
            peers=[Lane(label="s3fs cat_file", work=lambda: len(s3.cat_file(f"{BUCKET}/cold/big.bin")), bound=0.5)],
        ),
    ]


@dataclass
class _Disk:
    """Work that writes below a directory, which is empty each time."""

    label: str
    work: Callable[[Path], object]
    target: Path | None = None

    def lane(self, bound: float | None = None) -> Lane:
        """Its lane in a race."""
        return Lane(label=self.label, work=self.run, prepare=self.prepare, bound=bound)

    def prepare(self) -> None:
        """Empty the directory."""
        if self.target is not None:
            shutil.rmtree(self.target)
        self.target = Path(tempfile.mkdtemp(dir=os.environ["DATAFLUID_HOME"] + "/.."))

    def run(self) -> object:
        """Do the work."""
        assert self.target is not None
        return self.work(self.target)


def _evict(base: Ground) -> None:
    base.client.cache.evict("default/cold")


def _read_all(fs: Any, path: str) -> int:
    total = 0
    with fs.open(path, "rb") as file:
        while data := file.read(_READ):
            total += len(data)
    return total


def _obstore(base: Ground, size: int, target: Path) -> int:
    """The ranges that our read-ahead asks for, as many at once, written to a file."""
    import obstore
    from obstore.store import S3Store

    store = S3Store(BUCKET, **base.server.obstore_options())  # type: ignore[arg-type]
    fd = os.open(target / "big.bin", os.O_RDWR | os.O_CREAT)

    def bring(start: int) -> int:
        data = obstore.get_range(store, "cold/big.bin", start=start, end=min(start + _RANGE, size))
        return os.pwrite(fd, data, start)

    with ThreadPoolExecutor(_STREAMS) as pool:
        total = sum(pool.map(bring, range(0, size, _RANGE)))
    os.close(fd)
    return total


def _s3fs(base: Ground) -> Any:
    import s3fs

    return s3fs.S3FileSystem(
        key=base.server.access_key,
        secret=base.server.secret_key,
        endpoint_url=base.server.endpoint,
        skip_instance_cache=True,
    )


def _cached(base: Ground, kind: str, target: Path) -> Any:
    import fsspec

    return fsspec.filesystem(kind, fs=_s3fs(base), cache_storage=str(target), skip_instance_cache=True)


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
