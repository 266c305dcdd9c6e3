"""Who lives in a cluster: the controllers, by who runs them."""

from __future__ import annotations

from tests.cluster.double import batch, datasets, flow, kubelet, operations, runtimes, storage, workloads
from tests.cluster.double.traits import TRAITS
from tests.cluster.double.world import Controller


def fluid() -> list[Controller]:
    """Fluid's controllers."""
    kinds = ("DataLoad", "DataMigrate", "DataProcess", "DataBackup")
    return [
        datasets.controller(),
        *(runtimes.controller(trait) for trait in TRAITS.values()),
        *(operations.controller(kind) for kind in kinds),
        flow.controller(),
    ]


def nodes() -> list[Controller]:
    """What runs on nodes. No test has a real one."""
    return [kubelet.controller()]


def kubernetes() -> list[Controller]:
    """Kubernetes' own controllers, for planes that have none."""
    return [storage.controller(), *workloads.controllers(), *batch.controllers()]
