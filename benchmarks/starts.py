"""What it costs to start: imports, and the command line.

python -m benchmarks.starts [--small] [--json FILE]
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.program import main
from benchmarks.races import Lane, Race, Table, run_race


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How often each race is run."""

    rounds: int = 11


SMALL = Sizes(rounds=2)
_RACES = (
    (("-c", "import fluid_fsspec"), ("-c", "import fsspec")),
    (("-c", "import datafluid"), ("-c", "pass")),
    (("-m", "datafluid", "--help"), ("-c", "pass")),
)


def measure(sizes: Sizes) -> list[Table]:
    """Start processes of each kind."""
    table = Table("Starts")
    for ours, peer in _RACES:
        race = Race(
            name=" ".join(ours), ours=_process(*ours), peers=[_process(*peer)], compare=False
        )  # fmt: skip
        table.results += run_race(race, sizes.rounds)
    return [table]


def _process(*arguments: str) -> Lane:
    command = [sys.executable, *arguments]
    start: Callable[[], object] = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    return Lane(label="python " + " ".join(arguments), work=start)


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
