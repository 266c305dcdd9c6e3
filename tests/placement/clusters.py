"""Random clusters: nodes with labels, taints and capacities, pods that run, and workloads that ask for room."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Manifest = dict[str, Any]
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
APPS = ("web", "train", "etl")
_TAINTS = ({"key": "gpu", "effect": "NoSchedule"}, {"key": "spot", "value": "yes", "effect": "PreferNoSchedule"})


def node(name: str, *, cpu: int = 8, gpus: int = 0, zone: str = "a", **spec: Any) -> Manifest:
    """A node as an API server has it."""
    return {
        "metadata": {"name": name, "labels": {HOSTNAME: name, ZONE: zone}},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": str(cpu), "memory": "32Gi", "pods": "20", "nvidia.com/gpu": str(gpus)},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def pod(app: str = "train", *, cpu: str = "1", gpus: int = 0, node: str | None = None, **spec: Any) -> Manifest:
    """A pod, or a template of pods."""
    resources: Manifest = {"requests": {"cpu": cpu}}
    if gpus:
        resources["limits"] = {"nvidia.com/gpu": gpus}
    where = {"nodeName": node} if node else {}
    return {
        "metadata": {"name": f"{app}-pod", "namespace": "team", "labels": {"app": app}},
        "spec": {"containers": [{"name": "main", "image": "none", "resources": resources}], **where, **spec},
    }


def spread(key: str, most: int, app: str = "train") -> Manifest:
    """A topology spread constraint that must hold."""
    return {
        "maxSkew": most,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": app}},
    }


def apart(key: str, app: str) -> Manifest:
    """A required pod anti-affinity."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def near(key: str, app: str) -> Manifest:
    """A required pod affinity."""
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


@st.composite
def nodes(draw: st.DrawFn, least: int = 1, most: int = 8) -> list[Manifest]:
    """Nodes of three zones, some tainted, some cordoned, some with GPUs."""
    found = []
    for number in range(draw(st.integers(least, most))):
        taints = draw(st.lists(st.sampled_from(_TAINTS), max_size=1))
        found.append(
            node(
                f"n{number}",
                cpu=draw(st.integers(1, 8)),
                gpus=draw(st.sampled_from((0, 0, 1, 4))),
                zone=draw(st.sampled_from("abc")),
                **({"taints": taints} if taints else {}),
                **({"unschedulable": True} if draw(st.integers(0, 9)) == 0 else {}),
            )
        )
    return found


@st.composite
def running(draw: st.DrawFn, names: list[str]) -> list[Manifest]:
    """Pods on these nodes, some of which keep others away."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        affinity = {"affinity": apart(HOSTNAME, draw(st.sampled_from(APPS)))} if draw(st.integers(0, 3)) == 0 else {}
        made = pod(
            draw(st.sampled_from(APPS)),
            cpu=draw(st.sampled_from(("100m", "500m", "1"))),
            node=draw(st.sampled_from(names)),
            **affinity,
        )
        made["metadata"]["name"] = f"running-{number}"
        found.append(made)
    return found


@st.composite
def templates(draw: st.DrawFn) -> Manifest:
    """What a workload asks for."""
    more: Manifest = {}
    if draw(st.booleans()):
        more["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    constraints = [spread(key, draw(st.integers(1, 2))) for key in (ZONE, HOSTNAME) if draw(st.integers(0, 2)) == 0]
    if constraints:
        more["topologySpreadConstraints"] = constraints
    choice = draw(st.integers(0, 5))
    if choice == 0:
        more["affinity"] = apart(draw(st.sampled_from((HOSTNAME, ZONE))), draw(st.sampled_from(APPS)))
    elif choice == 1:
        more["affinity"] = near(ZONE, draw(st.sampled_from(APPS)))
    if draw(st.integers(0, 4)) == 0:
        more["nodeSelector"] = {ZONE: draw(st.sampled_from("abc"))}
    return pod(cpu=draw(st.sampled_from(("500m", "1", "3"))), gpus=draw(st.sampled_from((0, 0, 0, 1))), **more)
