"""The planner against the real kube-scheduler: two hundred random clusters, and where their pods really go.

Every cluster has nodes with taints, cordons, GPUs and pods that run, some of which keep others away; every workload
asks for processors or GPUs, tolerates or does not, spreads, keeps apart or together. All of them live on one control
plane, told apart by a node selector, so that the scheduler decides about them at the same time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from datafluid.errors import Unschedulable
from datafluid.placement import Inventory, Plan, PlannedDataset, PodGroup, PodNeeds, plan
from datafluid.placement.cacheworker import worker_pod
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import FARM, HOSTNAME, ZONE, Farm, farm
from tests.placement.clusters import apart, near, pod, spread

Manifest = dict[str, Any]
CLUSTERS = 200
_AT_ONCE = 4


@dataclass
class Trial:
    """One random cluster, a workload, and the plan for both."""

    number: int
    farm: Farm
    template: Manifest
    count: int
    dataset: PlannedDataset
    plan: Plan | None = None
    refusal: Unschedulable | None = None
    landed: list[str | None] = field(default_factory=list)

    def __str__(self) -> str:
        return f"trial {self.number}: {self.count} x {self.template}, {self.plan or self.refusal}, landed {self.landed}"


def grow(where: Farm, draw: random.Random) -> None:
    """Nodes and the pods that run on them."""
    for number in range(draw.randint(3, 5)):
        taints = [{"key": "gpu", "effect": "NoSchedule"}] if draw.random() < 0.25 else None
        where.node(
            f"n{number}",
            cpu=draw.randint(2, 8),
            gpus=draw.choice((0, 0, 1, 2)),
            labels={ZONE: draw.choice("abc")},
            taints=taints,
            **({"unschedulable": True} if draw.random() < 0.1 else {}),
        )
    for _ in range(draw.randint(0, 4)):
        affinity = {"affinity": apart(HOSTNAME, draw.choice(("train", "etl")))} if draw.random() < 0.25 else {}
        running = pod(draw.choice(("train", "web", "etl")), cpu=draw.choice(("100m", "1", "2")), **affinity)
        where.pod(running, on=draw.choice(where.nodes))


def workload(draw: random.Random) -> Manifest:
    """What is asked for."""
    more: Manifest = {}
    if draw.random() < 0.4:
        more["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    constraints = [spread(key, draw.randint(1, 2)) for key in (ZONE, HOSTNAME) if draw.random() < 0.35]
    if constraints:
        more["topologySpreadConstraints"] = constraints
    if (chance := draw.random()) < 0.15:
        more["affinity"] = apart(draw.choice((HOSTNAME, ZONE)), draw.choice(("train", "web")))
    elif chance < 0.3:
        more["affinity"] = near(ZONE, draw.choice(("train", "web")))
    made = pod("train", cpu=draw.choice(("500m", "1", "3")), gpus=draw.choice((0, 0, 0, 1)), **more)
    made["metadata"].pop("namespace")
    return made


def dataset(namespace: str, workers: int) -> PlannedDataset:
    """A new dataset whose cache is required."""
    manifest = {"metadata": {"name": "flights", "namespace": namespace}, "spec": {}}
    spec = {"replicas": workers, "worker": {"resources": {"requests": {"cpu": "500m"}}}}
    return PlannedDataset(manifest=manifest, runtime={"kind": "AlluxioRuntime", "spec": spec}, locality="require")


def within(where: Farm, template: Manifest) -> Manifest:
    """The template as it will be created: tied to the farm, which the planner sees as a node selector."""
    spec = template["spec"]
    return {**template, "spec": {**spec, "nodeSelector": {**spec.get("nodeSelector", {}), FARM: where.id}}}


@pytest.fixture(scope="module")
def trials(cluster: Cluster) -> Iterator[list[Trial]]:
    """All of them, planned from what the server says of their nodes and pods."""
    with ExitStack() as stack, ThreadPoolExecutor(_AT_ONCE) as pool:
        farms = list(pool.map(lambda _: stack.enter_context(farm(cluster)), range(CLUSTERS)))
        made = [
            Trial(number, each, workload(draw), draw.randint(1, 4), dataset(each.namespace, draw.randint(1, 2)))
            for number, each in enumerate(farms)
            for draw in [random.Random(f"workload {number}")]
        ]
        list(pool.map(lambda each: grow(each.farm, random.Random(f"cluster {each.number}")), made))
        list(pool.map(decide, made))
        yield made


def decide(trial: Trial) -> None:
    """Plan without and with the cache."""
    inventory = Inventory.of(*trial.farm.manifests())
    needs = PodNeeds.of(within(trial.farm, trial.template), namespace=trial.farm.namespace)
    group = PodGroup(role="pod", needs=needs, count=trial.count)
    try:
        trial.plan = plan(inventory, [group], [trial.dataset])
    except Unschedulable as error:
        trial.refusal = error
        try:
            trial.plan = plan(inventory, [group], [])
        except Unschedulable:
            trial.plan = None


def each_of(trials: Iterable[Trial], act: Callable[[Trial], Any]) -> list[Any]:
    """Some at a time, so that the scheduler has much to do at once."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(act, trials))


def tied(template: Manifest, key: str, values: Iterable[str]) -> Manifest:
    """The template, for nodes with these values of a label only."""
    term = {"matchExpressions": [{"key": key, "operator": "In", "values": list(values)}]}
    affinity = {
        **template["spec"].get("affinity", {}),
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}},
    }
    return {**template, "spec": {**template["spec"], "affinity": affinity}}


def test_the_scheduler_agrees_with_every_plan(trials: list[Trial]) -> None:
    """As many pods find a node as the plan has room for, on nodes that it names; what it refuses finds none.

    Even numbers: the workload alone. Odd numbers: first the cache's workers, tied as planned, which all find a node;
    then a pod that requires the cache, which finds one of theirs.
    """
    alone = [each for each in trials if each.number % 2 == 0]
    cached = [each for each in trials if each.number % 2 and each.refusal is None]
    for turn in range(4):
        rounds = [each for each in alone if turn < max(each.count, 1)]
        pods = each_of(rounds, lambda each: each.farm.pod(within(each.farm, each.template)))
        for trial, landed in zip(rounds, each_landed(rounds, pods), strict=True):
            trial.landed.append(landed)
    for trial in alone:
        names = {name.removeprefix(f"{trial.farm.id}-") for name in (trial.plan.nodes if trial.plan else ())}
        found = [each for each in trial.landed if each is not None]
        assert set(found) <= names, trial
        assert len(found) == (trial.plan.room["pod"][0] if trial.plan else 0), trial
    workers_follow(cached)
    assert len(cached) > CLUSTERS // 4
    # The trials are of all sorts: no node, some nodes, room for some of the pods, room for all.
    plans = [each.plan for each in alone if each.plan is not None]
    assert len(plans) < len(alone)
    assert any(len(found.nodes) < len(each.farm.nodes) for each in alone if (found := each.plan) is not None)
    assert any(0 < found.room["pod"][0] < found.room["pod"][1] for found in plans)
    assert any(found.room["pod"][0] == found.room["pod"][1] for found in plans)


def each_landed(trials: list[Trial], pods: list[str]) -> list[str | None]:
    """Where the pods went."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda trial, name: trial.farm.landed(name), trials, pods))


def workers_follow(trials: list[Trial]) -> None:
    """The workers go to the pinned nodes, all of them; the workload then finds one of theirs."""

    def act(trial: Trial) -> None:
        assert trial.plan is not None
        hostnames = trial.plan.pins[trial.dataset.id].hostnames
        worker = within(
            trial.farm, tied(worker_pod(trial.dataset.manifest, trial.dataset.runtime), HOSTNAME, hostnames)
        )
        worker["spec"]["containers"] = [
            {"name": f"c{number}", "image": "none", **each} for number, each in enumerate(worker["spec"]["containers"])
        ]
        went = [trial.farm.landed(trial.farm.pod(worker)) for _ in range(trial.dataset.workers)]
        assert None not in went, trial
        assert {f"{trial.farm.id}-{name}" for name in went} <= set(hostnames), trial
        for name in went:
            trial.farm.label(f"{trial.farm.id}-{name}", trial.dataset.labels.dataset)
        pod = within(trial.farm, tied(trial.template, trial.dataset.labels.dataset, ["true"]))
        assert trial.farm.landed(trial.farm.pod(pod)) in went, trial

    each_of(trials, act)
