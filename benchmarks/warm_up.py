"""What it costs to warm a dataset, beside the fastest copy programs, from the same server to the same disk.

python -m benchmarks.warm_up [--small] [--json FILE]

Ours ends with every file sealed, hashed and in the index; the peers' with plain files. ``load().wait()`` is what a
user calls, and starts a process of its own; the copy programs are processes too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.ground import BUCKET, MIB, Ground, ground
from benchmarks.peers import rclone_copy, s5cmd_copy
from benchmarks.program import main
from benchmarks.races import Lane, Race, Table, run_race, tell
from datafluid.client import connect
from datafluid.handles import DatasetHandle

_OBSTORE_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """What is warmed.

    Args:
        small_files: Files of ``small_bytes``.
        large_files: Files of ``large_bytes``.
        rounds: How often each race is run.
        peers: Only peers with one of these words in their labels, comma-separated.
        seed: What the bytes are drawn from.
    """

    small_files: int = 1_000
    small_bytes: int = 64 << 10
    large_files: int = 4
    large_bytes: int = 256 * MIB
    rounds: int = 7
    peers: str = ""
    seed: int = 1


SMALL = Sizes(small_files=20, large_files=1, large_bytes=2 * MIB, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """Warm many small files, and few large ones."""
    table = Table("Warm-up")
    kinds = {"small": (sizes.small_files, sizes.small_bytes), "large": (sizes.large_files, sizes.large_bytes)}
    with ground() as base:
        for kind, (files, size) in kinds.items():
            tell(f"Storing {files} files …")
            for number in range(files):
                base.put_random(f"{kind}/{number:05}.bin", size, seed=sizes.seed)
            table.results += run_race(_race(base, kind, files, size), sizes.rounds, sizes.peers)
    return [table]


def _race(base: Ground, kind: str, files: int, size: int) -> Race:
    copies = {"s5cmd cp": s5cmd_copy, "rclone copy": rclone_copy}
    peers = [_Copy(base, kind, label, make) for label, make in copies.items()]
    bare = _Bare(base, kind, "obstore, bare loop")
    return Race(
        name=f"{files} files of {size >> 10} KiB",
        ours=_Load(base, kind, "load().wait()").lane(),
        peers=[*(peer.lane(bound=1.0) for peer in peers if peer.found), bare.lane()],
        compare=False,
    )


@dataclass
class _Way:
    """A way to bring a prefix to this disk.

    Each run has a directory of its own: a file system may be slow to give out what was freed a moment ago.
    """

    base: Ground
    kind: str
    label: str
    target: Path | None = None

    def lane(self, *, bound: float | None = None) -> Lane:
        """Its lane in a race."""
        return Lane(label=self.label, work=self.bring, prepare=self.prepare, bound=bound)

    def prepare(self) -> None:
        """Make the directory; what a run before brought goes when it is large."""
        if self.target is not None and self.kind == "large":
            shutil.rmtree(self.target)
        self.target = Path(tempfile.mkdtemp(dir=self.base.base, prefix=f"{self.kind}-"))
        os.sync()

    def bring(self) -> object:
        """Do it."""
        raise NotImplementedError


class _Load(_Way):
    """Ours, as a user calls it."""

    dataset: DatasetHandle

    def prepare(self) -> None:
        """Make a home with the dataset in it, bound and cold."""
        super().prepare()
        os.environ["DATAFLUID_HOME"] = str(self.target)
        self.dataset = replace(self.base, client=connect()).dataset(self.kind, self.kind)

    def bring(self) -> object:
        """Load, and wait for it."""
        return self.dataset.load().wait(timeout=600)


class _Copy(_Way):
    """A copy program."""

    def __init__(self, base: Ground, kind: str, label: str, make: Callable[..., list[str] | None]) -> None:
        super().__init__(base, kind, label)
        self.make = make
        self.found = make(base, kind, base.base, large=False) is not None
        if not self.found:
            tell(f"{label}: not found, left out")

    def bring(self) -> object:
        """Run it."""
        command = self.make(self.base, self.kind, self.target, large=self.kind == "large")
        assert command is not None
        return subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class _Bare(_Way):
    """Objects to files with obstore, without an index, without checksums."""

    def bring(self) -> object:
        """Run a loop of its own."""
        assert self.target is not None
        return asyncio.run(_bare(self.base, self.kind, self.target))


async def _bare(base: Ground, prefix: str, target: Path) -> None:
    """Objects to files with obstore, without an index, without checksums; large ones in ranges of 16 MiB."""
    import obstore
    from obstore.store import S3Store

    store = S3Store(BUCKET, **base.server.obstore_options())  # type: ignore[arg-type]
    found = obstore.list(store, prefix).collect()
    parts = [
        (each["path"], start, min(start + 16 * MIB, each["size"]))
        for each in found
        for start in range(0, each["size"], 16 * MIB)
    ]
    for path in {path for path, _, _ in parts}:
        (target / path.rpartition("/")[2]).touch()
    left = iter(parts)

    async def work() -> None:
        for path, start, end in left:
            fd = os.open(target / path.rpartition("/")[2], os.O_WRONLY)
            data = await obstore.get_range_async(store, path, start=start, end=end)
            os.pwrite(fd, data, start)
            os.close(fd)

    await asyncio.gather(*(work() for _ in range(_OBSTORE_AT_ONCE if len(parts) > 500 else 8)))


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
