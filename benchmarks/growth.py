"""What a dataset of many files costs, beside one of few.

python -m benchmarks.growth [--small] [--json FILE]

The ratio is that of the large dataset to the small one, in CPU time: 1.00 means that size does not matter.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from benchmarks.ground import BUCKET, Ground, ground
from benchmarks.program import main
from benchmarks.races import Fact, Lane, Race, Table, run_race, tell

_INDEX_BYTES = 300 + 16  # a file with a name of 60 bytes, and its checksum
_MEMORY_BYTES = 16 << 20


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many files.

    Args:
        few: Files of the small dataset, in one directory.
        many: Files of the large one, in directories of ``few``.
        times: Calls in one round.
        rounds: How often each race is run.
    """

    few: int = 1_000
    many: int = 100_000
    times: int = 200
    rounds: int = 21


SMALL = Sizes(few=10, many=100, times=5, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """Load both, and race them."""
    table = Table("Growth")
    with ground() as base:
        for name, files in (("few", sizes.few), ("many", sizes.many)):
            tell(f"Storing and loading {files} files …")
            _store(base, name, files, sizes.few)
            before = _index_bytes(base)
            base.dataset(name, name).load().wait(timeout=3600)
            grown = (_index_bytes(base) - before) / files
        table.facts.append(
            Fact(name="bytes of index for each file, with a name of 60 bytes", value=grown, at_most=_INDEX_BYTES)
        )
        for race in _races(base, sizes):
            table.results += run_race(race, sizes.rounds)
        table.facts.append(
            Fact(name="bytes of memory for reading them all", value=_memory(base, sizes), at_most=_MEMORY_BYTES)
        )
    return [table]


def _key(number: int, few: int) -> str:
    return f"dir-{number // few:04}/{number:060}"[:69]


def _store(base: Ground, dataset: str, files: int, few: int) -> None:
    """The server serves a directory: files that are put there are objects."""
    for number in range(files):
        path = base.server.root / BUCKET / dataset / _key(number, few)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%d" % number)


def _index_bytes(base: Ground) -> int:
    """Pages that the index uses, whatever lies in its log."""
    ((pages, page, free),) = base.client.cache.store.db.query(
        "SELECT page_count, page_size, freelist_count FROM pragma_page_count, pragma_page_size, pragma_freelist_count"
    )
    return int((pages - free) * page)


def _races(base: Ground, sizes: Sizes) -> list[Race]:
    work = {
        "list a directory": lambda name: len(base.fs.ls(f"default/{name}/dir-0000", detail=True)),
        f"info, {sizes.times} files": lambda name: _infos(base, name, sizes),
        f"open and read, {sizes.times} files": lambda name: _reads(base, name, sizes),
    }
    return [
        Race(
            name=name,
            ours=Lane(label=f"{sizes.many} files", work=lambda do=do: do("many")),
            clock=time.process_time,
            peers=[Lane(label=f"{sizes.few} files", work=lambda do=do: do("few"), bound=1.3)],
        )
        for name, do in work.items()
    ]


def _infos(base: Ground, dataset: str, sizes: Sizes) -> int:
    return sum(base.fs.info(f"default/{dataset}/{_key(number, sizes.few)}")["size"] for number in range(sizes.times))


def _reads(base: Ground, dataset: str, sizes: Sizes) -> int:
    total = 0
    for number in range(sizes.times):
        with base.fs.open(f"default/{dataset}/{_key(number, sizes.few)}") as file:
            total += len(file.read())
    return total


def _memory(base: Ground, sizes: Sizes) -> int:
    """By how much a reader grows that opens every file once."""
    _reads(base, "few", sizes)
    before = _resident()
    for number in range(sizes.many):
        with base.fs.open(f"default/many/{_key(number, sizes.few)}") as file:
            file.read()
    return max(0, _resident() - before)


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
