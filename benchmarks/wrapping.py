"""What a wrap costs, beside reading and writing the YAML of the same manifest, which any tool must do.

python -m benchmarks.wrapping [--small] [--json FILE]

The times are those of ``times`` manifests.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.program import main
from benchmarks.races import Lane, Race, Table, run_race
from datafluid import DatasetUse, Topology, wrap
from datafluid.model.documents import parse
from datafluid.model.manifest import dump

_WORKLOADS = Path(__file__).parents[1] / "examples" / "workloads"
_NAMES = ("pod", "pytorchjob", "trainjob", "spark-application", "trino-values")
_USES = (DatasetUse("team/imagenet", locality="require"), DatasetUse("team/flights", api="hcfs"))


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much.

    Args:
        times: Wraps in one round.
        nodes: Nodes of the inventory that a wrap looks through for zones.
        rounds: How often each race is run.
    """

    times: int = 100
    nodes: int = 1_000
    rounds: int = 7


SMALL = Sizes(times=3, nodes=10, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """Race each kind."""
    table = Table("Wrapping")
    topology = _topology(sizes.nodes)
    for name in _NAMES:
        text = (_WORKLOADS / f"{name}.yaml").read_text()
        manifest = yaml.safe_load(text)
        race = Race(
            name=f"{sizes.times} x {name}",
            ours=Lane(label="wrap", work=lambda one=manifest: _wraps(one, topology, sizes.times)),
            peers=[Lane(label="parse and dump", work=lambda one=text: _yaml(one, sizes.times), bound=1.0)],
            compare=False,
        )
        table.results += run_race(race, sizes.rounds)
    return [table]


def _wraps(manifest: dict[str, Any], topology: Topology, times: int) -> int:
    return sum(len(wrap(manifest, _USES, topology=topology).report) for _ in range(times))


def _yaml(text: str, times: int) -> int:
    return sum(len(dump(document.data for document in parse(text))) for _ in range(times))


def _topology(nodes: int) -> Topology:
    datasets = yaml.safe_load_all((_WORKLOADS / "datasets.yaml").read_text())
    labels = {"fluid.io/s-team-flights": "true", "topology.kubernetes.io/zone": "z1"}
    inventory = [{"kind": "Node", "metadata": {"name": f"n{number}", "labels": labels}} for number in range(nodes)]
    return Topology.of([*datasets, *inventory], namespace="team")


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, sys.argv[1:]))
