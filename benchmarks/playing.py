"""A trace played under one policy: who places caches and pods, and what becomes of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from benchmarks.trace import QUOTA, WORKER, Flags, Job, Scheduler, Trace
from datafluid.errors import Unschedulable
from datafluid.model.node_report import Disk, NodeReport
from datafluid.placement import Inventory, InventoryNode, Plan, PlannedDataset, PodGroup, PodNeeds, labels, plan

__all__ = ["GIB", "HOSTNAME", "POLICIES", "Outcome", "Policy", "node_report", "play", "runtime"]

Policy = Literal["default scheduler", "Fluid's webhook", "planner", "planner, scaled out", "planner, required"]
POLICIES: tuple[Policy, ...] = (
    "default scheduler",
    "Fluid's webhook",
    "planner",
    "planner, scaled out",
    "planner, required",
)
_SCALED_OUT = ("planner, scaled out", "planner, required")
HOSTNAME = "kubernetes.io/hostname"
GIB = 1 << 30


def runtime(workers: int) -> dict[str, object]:
    """A runtime with one SSD level."""
    level = {"mediumtype": "SSD", "path": "/mnt/ssd", "quota": QUOTA}
    worker = {"resources": {"requests": {"cpu": int(WORKER[0]), "memory": f"{int(WORKER[1])}Gi"}}}
    return {
        "kind": "AlluxioRuntime",
        "spec": {"replicas": workers, "worker": worker, "tieredstore": {"levels": [level]}},
    }


def node_report(node: str, ssd: int) -> NodeReport:
    """A node with a small root disk, and an SSD with so much free."""
    disks = [Disk(device="8:1", medium="HDD", filesystem="ext4", capacity=99 * GIB, free=60 * GIB, mounts=("/",))]
    if ssd:
        disks.append(Disk(device="8:2", medium="SSD", filesystem="xfs", capacity=ssd, free=ssd, mounts=("/mnt/ssd",)))
    return NodeReport(node=node, as_of="2026-01-01T00:00:00+00:00", disks=tuple(disks))


@dataclass
class Outcome:
    """What became of the pods under one policy."""

    local: int = 0
    placed: int = 0
    blocks: float = 0.0
    waited: float = 0.0
    imbalances: list[float] = field(default_factory=list)
    workers: int = 0
    on_disks: int = 0

    @property
    def pod_locality(self) -> float:
        """The share of pods on a node with a worker of their dataset."""
        return self.local / self.placed

    @property
    def wait(self) -> float:
        """Seconds from a pod's submission to its placement, on average."""
        return self.waited / self.placed

    def row(self) -> tuple[str, ...]:
        """As the table has it."""
        return (
            f"{self.pod_locality:.3f}",
            f"{self.blocks / self.placed:.3f}",
            f"{self.wait:.1f}",
            f"{np.mean(self.imbalances):.2f}",
            str(self.workers),
            f"{self.on_disks / max(1, self.workers):.2f}",
        )


class _Played:
    """One policy at work on the trace."""

    def __init__(self, trace: Trace, policy: Policy) -> None:
        self.trace = trace
        self.policy = policy
        self.scheduler = Scheduler(trace.cluster, seed=len(policy))
        self.outcome = Outcome()
        self.holders: dict[int, Flags] = {}
        self.pins: dict[int, Flags] = {}
        self.disk = trace.cluster.ssd.copy()
        self.queue: deque[tuple[Job, bool]] = deque()

    def run(self) -> Outcome:
        for job in self.trace.jobs:
            self._until(job.at)
            if job.dataset not in self.holders:
                self._make_cache(job)
            elif self.policy in _SCALED_OUT:
                self._scale_out(job)
            required = self.policy == "planner, required" and self._has_room(job)
            self.queue.extend([(job, required)] * job.pods)
            self._place(job.at)
            self.outcome.imbalances.append(self.scheduler.imbalance)
        self._until(float("inf"))
        return self.outcome

    def _until(self, moment: float) -> None:
        for ended in self.scheduler.ends(moment):
            if self.queue:
                self._place(ended)

    def _place(self, now: float) -> None:
        """Whoever waits, in turn; of pods that ask the same, only the first is tried in vain."""
        waiting, refused = len(self.queue), set()
        for _ in range(waiting):
            job, required = self.queue.popleft()
            asked = (job.request, job.dataset if required else None)
            node = None if asked in refused else self._node_for(job, required)
            if node is None:
                refused.add(asked)
                self.queue.append((job, required))
                continue
            self.scheduler.run(node, job.request, now + job.seconds)
            self._count(job, node, now - job.at)

    def _node_for(self, job: Job, required: bool) -> int | None:
        if self.policy == "default scheduler":
            return self.scheduler.choose(job.request)
        holders = self.holders[job.dataset]
        return self.scheduler.choose(job.request, among=holders if required else None, preferred=holders)

    def _count(self, job: Job, node: int, waited: float) -> None:
        holders = self.holders[job.dataset]
        self.outcome.placed += 1
        self.outcome.waited += waited
        if holders[node]:
            self.outcome.local += 1
            self.outcome.blocks += 1 / int(holders.sum())  # every block is on one worker, evenly

    # -- caches

    def _make_cache(self, job: Job) -> None:
        dataset = self.trace.datasets[job.dataset]
        nodes = len(self.trace.cluster.capacity)
        self.holders[job.dataset] = np.zeros(nodes, dtype=bool)
        self.pins[job.dataset] = np.ones(nodes, dtype=bool)
        if self.policy.startswith("planner"):
            found = self._plan(job, exists=False, workers=dataset.workers)
            if found is not None:
                hostnames = found.pins[f"default/{_name(job)}"].hostnames
                self.pins[job.dataset] = np.isin(np.arange(nodes), [int(each[1:]) for each in hostnames])
        self._add_workers(job, dataset.workers)

    def _scale_out(self, job: Job) -> None:
        holders = self.holders[job.dataset]
        if not holders.any() or self._has_room(job):
            return
        found = self._plan(job, exists=True, workers=int(holders.sum()))
        if found is not None and (wanted := found.scale_out.get(f"default/{_name(job)}")):
            self._add_workers(job, wanted - int(holders.sum()))

    def _has_room(self, job: Job) -> bool:
        """Whether all its pods find room beside the cache."""
        asked, free = np.asarray(job.request), self.scheduler.free[self.holders[job.dataset]]
        wanted = asked > 0
        return bool(np.floor(free[:, wanted] / asked[wanted]).min(axis=1, initial=1e9).sum() >= job.pods)

    def _add_workers(self, job: Job, count: int) -> None:
        holders = self.holders[job.dataset]
        for _ in range(count):
            node = self.scheduler.choose(WORKER, among=self.pins[job.dataset] & ~holders)
            if node is None:
                return
            self.scheduler.take(node, WORKER)
            holders[node] = True
            self.outcome.workers += 1
            if self.disk[node] >= QUOTA:
                self.disk[node] -= QUOTA
                self.outcome.on_disks += 1

    def _plan(self, job: Job, *, exists: bool, workers: int) -> Plan | None:
        manifest = {"metadata": {"name": _name(job)}, "spec": {"placement": "Shared"}, "status": {"phase": "Bound"}}
        asked = PlannedDataset(manifest=manifest, runtime=runtime(workers), exists=exists)
        cpu, memory, gpus = job.request
        requests = {"cpu": int(cpu * 1000), "memory": int(memory * GIB), "nvidia.com/gpu": int(gpus)}
        group = PodGroup(role="pod", needs=PodNeeds(namespace="default", labels={}, requests=requests), count=job.pods)
        try:
            return plan(Inventory(nodes=tuple(self._nodes(job))), [group], [asked])
        except Unschedulable:
            return None

    def _nodes(self, job: Job) -> Iterator[InventoryNode]:
        key, holders = labels("default", _name(job)).dataset, self.holders[job.dataset]
        for number, (cpu, memory, gpus) in enumerate(self.scheduler.free):
            name = f"n{number}"
            marks: Mapping[str, str] = {key: "true"} if holders[number] else {}
            free = {"cpu": int(cpu * 1000), "memory": int(memory * GIB), "nvidia.com/gpu": int(gpus), "pods": 100}
            report = node_report(name, int(self.disk[number]))
            has = {"nvidia.com/gpu": int(self.trace.cluster.capacity[number][2])}
            yield InventoryNode(name=name, labels={HOSTNAME: name, **marks}, allocatable=has, free=free, report=report)


def _name(job: Job) -> str:
    return f"d{job.dataset}"


def play(trace: Trace, policy: Policy) -> Outcome:
    """Play it, and tell what became of the pods."""
    return _Played(trace, policy).run()
