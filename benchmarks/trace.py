"""A made-up day of a cluster: nodes, datasets, and jobs that read them; and a kube-scheduler to place their pods.

Everything comes from one seed. Popularity is Zipf's, sizes and durations are log-normal, requests are those of usual
nodes and pods: 2 to 16 processors with 4 GiB each, or 1, 4 or 8 GPUs. The scheduler is the default one as far as it
matters here: it filters by what is free, looks at no more than so many feasible nodes, beginning where it stopped,
and scores by least and balanced allocation and, doubled, by preferred node affinity.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["QUOTA", "WORKER", "Cluster", "Dataset", "Job", "Scheduler", "Trace", "make_trace"]

GIB = 1 << 30
#: What a cache worker may hold on its node's disk, and what it asks for: processors, GiB, GPUs.
QUOTA = 200 * GIB
WORKER = (2.0, 8.0, 0.0)
_BLOCK = 128 << 20
_LOAD = 0.6  # of what the scarcer of processors and GPUs could do
#: Share, processors, GiB, GPUs, GiB of SSD.
_KINDS = ((0.33, 32, 128, 0, 1788), (0.22, 32, 128, 0, 0), (0.25, 96, 384, 0, 3576), (0.20, 96, 768, 8, 7152))
_GPU_PODS = ((0.5, (8.0, 64.0, 1.0)), (0.2, (32.0, 256.0, 4.0)), (0.3, (64.0, 512.0, 8.0)))

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Dataset:
    """What is read.

    Args:
        blocks: How many blocks it has.
        workers: On how many nodes its blocks find room.
        gpu: Whether its jobs need GPUs.
    """

    number: int
    blocks: int
    workers: int
    gpu: bool


@dataclass(frozen=True)
class Job:
    """Pods that read a dataset.

    Args:
        at: When it is submitted, in seconds.
        request: Processors, GiB and GPUs of each pod.
        seconds: How long each pod runs.
    """

    at: float
    dataset: int
    pods: int
    request: tuple[float, float, float]
    seconds: float


@dataclass(frozen=True)
class Cluster:
    """Nodes: what each has of processors, GiB and GPUs, and its SSD in bytes (0 for none)."""

    capacity: Floats
    ssd: NDArray[np.int64]


@dataclass(frozen=True)
class Trace:
    """All of it."""

    cluster: Cluster
    datasets: tuple[Dataset, ...]
    jobs: tuple[Job, ...]


def make_trace(*, nodes: int, datasets: int, jobs: int, seed: int) -> Trace:
    """The same trace for the same arguments."""
    draw = random.Random(seed)
    kinds = draw.choices(_KINDS, weights=[each[0] for each in _KINDS], k=nodes)
    cluster = Cluster(
        capacity=np.array([each[1:4] for each in kinds], dtype=float),
        ssd=np.array([each[4] * GIB for each in kinds], dtype=np.int64),
    )
    made = tuple(_dataset(number, draw) for number in range(datasets))
    weights = [1 / (rank + 1) for rank in range(datasets)]
    popular = draw.sample(range(datasets), datasets)
    asked = [_job(made[each], draw) for each in draw.choices(popular, weights=weights, k=jobs)]
    work = np.sum([np.array(each.request) * each.pods * each.seconds for each in asked], axis=0)
    busiest = float(np.max((work / cluster.capacity.sum(axis=0))[[0, 2]]))
    moments = sorted(draw.uniform(0, busiest / _LOAD) for _ in asked)
    placed = tuple(
        Job(at=at, dataset=each.dataset, pods=each.pods, request=each.request, seconds=each.seconds)
        for at, each in zip(moments, asked, strict=True)
    )
    return Trace(cluster=cluster, datasets=made, jobs=placed)


def _dataset(number: int, draw: random.Random) -> Dataset:
    size = min(3200.0, max(20.0, draw.lognormvariate(5.7, 1.1))) * GIB
    return Dataset(number=number, blocks=int(size // _BLOCK), workers=int(-(-size // QUOTA)), gpu=draw.random() < 0.4)


def _job(dataset: Dataset, draw: random.Random) -> Job:
    seconds = min(6 * 3600.0, draw.lognormvariate(7.0, 1.0))
    if dataset.gpu:
        request = draw.choices([each[1] for each in _GPU_PODS], weights=[each[0] for each in _GPU_PODS])[0]
        pods = draw.choices((1, 2, 4, 8), weights=(50, 25, 15, 10))[0]
    else:
        cpu = draw.choice((2.0, 4.0, 8.0, 16.0))
        request, pods = (cpu, 4 * cpu, 0.0), draw.choices((1, 2, 4, 8, 16), weights=(30, 25, 20, 15, 10))[0]
    return Job(at=0.0, dataset=dataset.number, pods=pods, request=request, seconds=seconds)


@dataclass
class Scheduler:
    """The default scheduler, and what it has placed.

    Args:
        cluster: Its nodes.
        free: What is left of them.
    """

    cluster: Cluster
    seed: int = 0
    free: Floats = field(init=False)
    _next: int = field(init=False, default=0)
    _ending: list[tuple[float, int, int, tuple[float, float, float]]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.free = self.cluster.capacity.copy()
        self._draw = np.random.default_rng(self.seed)
        count = len(self.free)
        percent = max(5.0, 50 - count / 125)
        self._enough = count if count < 100 else max(100, int(count * percent / 100))

    def choose(
        self, request: Sequence[float], *, among: Flags | None = None, preferred: Flags | None = None
    ) -> int | None:
        """The node for a pod; None when none has room."""
        asked = np.asarray(request)
        fits = np.all(self.free >= asked, axis=1)
        if among is not None:
            fits &= among
        order = np.roll(np.arange(len(fits)), -self._next)
        feasible = order[fits[order]][: self._enough]
        if not len(feasible):
            return None
        looked = int(np.flatnonzero(order == feasible[-1])[0]) + 1 if len(feasible) == self._enough else len(order)
        self._next = (self._next + looked) % len(fits)
        score = self._score(feasible, asked)
        if preferred is not None and preferred[feasible].any():
            score = score + 200.0 * preferred[feasible]
        best = feasible[score >= score.max() - 1e-9]
        return int(self._draw.choice(best))

    def _score(self, nodes: NDArray[np.int64], asked: Floats) -> Floats:
        capacity = self.cluster.capacity[nodes][:, :2]
        left = (self.free[nodes][:, :2] - asked[:2]) / capacity
        least = left.mean(axis=1) * 100
        balanced = (1 - np.abs(left[:, 0] - left[:, 1]) / 2) * 100
        return np.floor(least) + np.floor(balanced)

    def take(self, node: int, request: Sequence[float]) -> None:
        """Place a pod that stays."""
        self.free[node] -= np.asarray(request)

    def run(self, node: int, request: tuple[float, float, float], until: float) -> None:
        """Place a pod that ends."""
        self.take(node, request)
        heapq.heappush(self._ending, (until, len(self._ending), node, request))

    def ends(self, until: float) -> Iterator[float]:
        """Let pods end up to a moment, and tell when each did."""
        while self._ending and self._ending[0][0] <= until:
            moment, _, node, request = heapq.heappop(self._ending)
            self.free[node] += np.asarray(request)
            yield moment

    @property
    def imbalance(self) -> float:
        """How much the nodes differ in the share of their processors that is taken: deviation over mean."""
        taken = 1 - self.free[:, 0] / self.cluster.capacity[:, 0]
        return float(taken.std() / taken.mean()) if taken.mean() > 0 else 0.0
