"""The planner: how long a plan takes, and what it is worth on a simulated cluster.

python -m benchmarks.placement [--small] [--json FILE]

The first table races plans of clusters of different sizes: the ratio of times beside the ratio of nodes says whether
the planner is linear. The second plays one trace (`benchmarks.trace`) five times, the pods always placed by the same
model of the default scheduler: left to itself; with the preference that Fluid's webhook gives; with the planner's pins
and the same preference; with its proposals to scale out followed as well; and with the cache required by those jobs for
all of whose pods the plan finds room beside it.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

from benchmarks.playing import GIB, HOSTNAME, POLICIES, Outcome, Policy, node_report, play, runtime
from benchmarks.program import main
from benchmarks.races import Fact, Lane, Race, Table, run_race, tell
from benchmarks.trace import Trace, make_trace
from datafluid.placement import Inventory, PlannedDataset, PodGroup, PodNeeds, plan


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much.

    Args:
        nodes: Nodes of the largest cluster that is planned for.
        pods: Pods that run there, and pods that are planned.
        trace_nodes: Nodes of the simulated cluster.
        datasets: Its datasets.
        jobs: Its jobs.
        seed: What the trace is drawn from.
        rounds: How often each race is run.
    """

    nodes: int = 5_000
    pods: int = 1_000
    trace_nodes: int = 1_000
    datasets: int = 200
    jobs: int = 5_000
    seed: int = 20261125
    rounds: int = 5


SMALL = Sizes(nodes=200, pods=40, trace_nodes=60, datasets=10, jobs=120, rounds=2)


def measure(sizes: Sizes) -> list[Table]:
    """Race the plans, then play the trace."""
    table = Table("Planner")
    table.results += run_race(_race(sizes), sizes.rounds)
    trace = make_trace(nodes=sizes.trace_nodes, datasets=sizes.datasets, jobs=sizes.jobs, seed=sizes.seed)
    told = {policy: _played(trace, policy) for policy in POLICIES}
    table.headings = (
        "placed by",
        "pods beside their cache",
        "blocks on their node",
        "mean wait, s",
        "imbalance",
        "workers",
    )
    table.headings += ("of them on disks with room",)
    table.rows = [(policy, *each.row()) for policy, each in told.items()]
    if sizes.jobs >= Sizes().jobs:
        best, alone = told["planner, required"], told["default scheduler"]
        table.facts.append(Fact(name="pods away from a required cache", value=1 - best.pod_locality, at_most=0.1))
        longer = max(0.0, best.wait - alone.wait)
        table.facts.append(Fact(name="seconds that a pod waits longer than by default", value=longer, at_most=1.0))
    return [table]


# -- how long it takes


def _race(sizes: Sizes) -> Race:
    large, quarter = (_inventory(count, sizes.pods) for count in (sizes.nodes, sizes.nodes // 4))
    group = PodGroup(role="pod", needs=PodNeeds.of(_template()), count=sizes.pods)
    new = PlannedDataset(manifest={"metadata": {"name": "flights"}}, runtime=runtime(20))
    return Race(
        name=f"a plan for {sizes.pods} pods and 20 workers",
        ours=Lane(label=f"{sizes.nodes} nodes", work=lambda: plan(large, [group], [new])),
        peers=[Lane(label=f"{sizes.nodes // 4} nodes", work=lambda: plan(quarter, [group], [new]), bound=4.4)],
        compare=False,
        clock=time.process_time,
    )


def _inventory(nodes: int, pods: int) -> Inventory:
    made = [
        {
            "metadata": {"name": f"n{n}", "labels": {HOSTNAME: f"n{n}", "topology.kubernetes.io/zone": f"z{n % 7}"}},
            "spec": {"taints": [{"key": "spot", "effect": "NoSchedule"}] if n % 11 == 0 else []},
            "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": str(n % 9)}},
        }
        for n in range(nodes)
    ]
    running = [
        {
            "metadata": {"name": f"p{n}", "labels": {"app": f"a{n % 20}"}},
            "spec": {"nodeName": f"n{n * 7 % nodes}", "containers": [{"resources": {"requests": {"cpu": "4"}}}]},
        }
        for n in range(pods)
    ]
    return Inventory.of(made, running, reports=[node_report(f"n{n}", 900 * GIB) for n in range(nodes)])


def _template() -> dict[str, object]:
    spread = {
        "maxSkew": 5,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "train"}},
    }
    container = {"resources": {"requests": {"cpu": "8", "memory": "16Gi"}, "limits": {"nvidia.com/gpu": 1}}}
    return {
        "metadata": {"labels": {"app": "train"}},
        "spec": {"containers": [container], "topologySpreadConstraints": [spread]},
    }


def _played(trace: Trace, policy: Policy) -> Outcome:
    tell(f"Playing the trace: {policy} …")
    return play(trace, policy)


if __name__ == "__main__":
    sys.exit(main(measure, Sizes(), SMALL, None))
