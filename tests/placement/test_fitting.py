"""Whether pods fit on nodes: each of the scheduler's questions, and laws over random clusters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.placement.fitting import fit
from datafluid.placement.inventory import Inventory, RunningPod
from datafluid.placement.placing import place
from datafluid.placement.podneeds import PodNeeds
from datafluid.placement.rules import rules_of
from tests.placement.clusters import HOSTNAME, ZONE, Manifest, apart, near, node, nodes, pod, running, spread, templates


def reasons(template: Manifest, cluster: list[Manifest], pods: list[Manifest] | None = None) -> Any:
    """What is in the way of a pod."""
    found = fit(PodNeeds.of(template), Inventory.of(cluster, pods or []))
    return [each.name for each in found.nodes], dict(found.reasons)


GPU_TAINT = {"taints": [{"key": "gpu", "value": "a100", "effect": "NoSchedule"}]}


@pytest.mark.parametrize(
    ("template", "cluster", "pods", "expected"),
    [
        (pod(cpu="8"), [node("n0")], [], (["n0"], {})),
        (pod(cpu="8"), [node("n0")], [pod(cpu="1m", node="n0")], ([], {"too little cpu": 1})),
        (pod(gpus=1), [node("n0"), node("n1", gpus=1)], [], (["n1"], {"too little nvidia.com/gpu": 1})),
        (pod(), [node("n0", unschedulable=True)], [],
         ([], {"a taint that is not tolerated: node.kubernetes.io/unschedulable:NoSchedule": 1})),
        (pod(), [node("n0", **GPU_TAINT)], [], ([], {"a taint that is not tolerated: gpu=a100:NoSchedule": 1})),
        (pod(tolerations=[{"key": "gpu", "operator": "Exists"}]), [node("n0", **GPU_TAINT)], [], (["n0"], {})),
        (pod(tolerations=[{"key": "gpu", "value": "h100"}]), [node("n0", **GPU_TAINT)], [],
         ([], {"a taint that is not tolerated: gpu=a100:NoSchedule": 1})),
        (pod(tolerations=[{"operator": "Exists", "effect": "NoExecute"}]), [node("n0", **GPU_TAINT)], [],
         ([], {"a taint that is not tolerated: gpu=a100:NoSchedule": 1})),
        (pod(), [node("n0", taints=[{"key": "x", "effect": "PreferNoSchedule"}])], [], (["n0"], {})),
        (pod(nodeSelector={ZONE: "b"}), [node("n0"), node("n1", zone="b")], [],
         (["n1"], {"the node affinity or selector": 1})),
        (pod(affinity=apart(HOSTNAME, "web")), [node("n0"), node("n1")], [pod("web", node="n0")],
         (["n1"], {f"the pod anti-affinity within {HOSTNAME}": 1})),
        (pod("web"), [node("n0"), node("n1")], [pod("etl", node="n0", affinity=apart(HOSTNAME, "web"))],
         (["n1"], {"the anti-affinity of a pod that is there": 1})),
        (pod(affinity=near(ZONE, "web")), [node("n0"), node("n1", zone="b")], [pod("web", node="n1")],
         (["n1"], {f"the pod affinity within {ZONE}": 1})),
        (pod(affinity=near(ZONE, "train")), [node("n0"), node("n1", zone="b")], [], (["n0", "n1"], {})),
        (pod(affinity=near(ZONE, "web")), [node("n0")], [], ([], {f"the pod affinity within {ZONE}": 1})),
        (pod(topologySpreadConstraints=[spread(ZONE, 1)]), [node("n0"), node("n1", zone="b")], [pod(node="n0")],
         (["n1"], {f"the topology spread over {ZONE}": 1})),
        (pod(topologySpreadConstraints=[spread("rack", 1)]), [node("n0")], [], ([], {"no label rack": 1})),
    ],
)  # fmt: skip
def test_each_question_of_the_scheduler(
    template: Manifest, cluster: list[Manifest], pods: list[Manifest], expected: Any
) -> None:
    """Which nodes are left, and what is said of the others."""
    assert reasons(template, cluster, pods) == expected


def test_a_port_of_the_host_is_free_for_one() -> None:
    """Also when one of the two asks for it at one address only."""
    port = {"containerPort": 80, "hostPort": 80}
    asking = pod()
    asking["spec"]["containers"][0]["ports"] = [port]
    taking = pod("web", node="n0")
    taking["spec"]["containers"][0]["ports"] = [{**port, "hostIP": "127.0.0.1"}]
    assert reasons(asking, [node("n0")], [taking]) == ([], {"a host port that is taken": 1})
    taking["spec"]["containers"][0]["ports"] = [{**port, "protocol": "UDP"}]
    assert reasons(asking, [node("n0")], [taking]) == (["n0"], {})


def test_the_pods_on_a_node_count_until_they_are_over() -> None:
    """Finished ones take nothing; one that is being deleted still does, but nobody spreads because of it."""
    done = pod(cpu="8", node="n0")
    done["status"] = {"phase": "Succeeded"}
    assert reasons(pod(cpu="8"), [node("n0")], [done])[0] == ["n0"]
    leaving = pod(cpu="1", node="n0")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert reasons(pod(cpu="8"), [node("n0")], [leaving])[0] == []
    spreading = pod(topologySpreadConstraints=[spread(ZONE, 1)])
    assert reasons(spreading, [node("n0"), node("n1", zone="b")], [leaving])[0] == ["n0", "n1"]


def test_requests_are_counted_as_the_scheduler_does() -> None:
    """Sidecars run beside both; a large init container counts if it is more; overhead and pod-level requests too."""

    def container(cpu: str, **more: Any) -> Manifest:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    spec: Manifest = {
        "containers": [container("1"), container("500m")],
        "initContainers": [container("200m", restartPolicy="Always"), container("4"), container("1")],
        "overhead": {"cpu": "50m"},
    }
    assert PodNeeds.of({"spec": spec}).requests["cpu"] == 4250
    spec["initContainers"] = spec["initContainers"][:1]
    assert PodNeeds.of({"spec": spec}).requests["cpu"] == 1750
    spec["resources"] = {"requests": {"cpu": "9"}}
    assert PodNeeds.of({"spec": spec}).requests["cpu"] == 9050


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_pods_that_are_placed_fit_one_after_the_other(data: st.DataObject) -> None:
    """Placing many is asking for one, placing it, asking again; and it only stops when nothing fits any more."""
    cluster = data.draw(nodes())
    inventory = Inventory.of(cluster, data.draw(running([each["metadata"]["name"] for each in cluster])))
    needs = PodNeeds.of(data.draw(templates()))
    found = fit(needs, inventory)
    placed: list[RunningPod] = []
    went = place(needs, (*found.nodes, *found.later), rules_of(needs, inventory), count=30)
    for where in went:
        assert where.name in {each.name for each in with_room(needs, inventory, placed)}
        placed.append(RunningPod(name="new", node=where.name, needs=needs))
    if len(went) < 30:
        assert not with_room(needs, inventory, placed)


def with_room(needs: PodNeeds, inventory: Inventory, placed: list[RunningPod]) -> list[Any]:
    """The nodes that fit one more when those are placed, by asking anew."""
    count = {node.name: sum(pod.node == node.name for pod in placed) for node in inventory.nodes}
    open_nodes = fit(needs, inventory, placed=placed).nodes
    return [node for node in open_nodes if node.room(needs.requests) > count[node.name]]


@given(nodes(), templates())
def test_every_node_fits_or_is_counted(cluster: list[Manifest], template: Manifest) -> None:
    """The reasons add up."""
    found = fit(PodNeeds.of(template), Inventory.of(cluster))
    assert len(found.nodes) + sum(found.reasons.values()) == len(cluster)


@given(nodes(), templates(), st.integers(1, 5))
def test_less_is_never_harder(cluster: list[Manifest], template: Manifest, tenths: int) -> None:
    """A pod that asks for a tenth fits wherever the whole one does."""
    inventory = Inventory.of(cluster)
    whole = {each.name for each in fit(PodNeeds.of(template), inventory).nodes}
    template["spec"]["containers"][0]["resources"]["requests"]["cpu"] = f"{tenths}m"
    assert whole <= {each.name for each in fit(PodNeeds.of(template), inventory).nodes}


_KEYS = st.sampled_from(
    "spec metadata labels containers initContainers resources requests limits cpu tolerations affinity nodeAffinity"
    " podAffinity podAntiAffinity requiredDuringSchedulingIgnoredDuringExecution topologySpreadConstraints maxSkew"
    " labelSelector matchLabels matchExpressions key operator values ports hostPort nodeName overhead"
    " topologyKey".split()
)
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(_KEYS, _ANYTHING))
def test_any_pod_is_read_or_refused(manifest: dict[str, Any]) -> None:
    """Whatever a user wrote: an error of ours that says so, or a need that can be asked of nodes."""
    try:
        needs = PodNeeds.of(manifest)
    except Invalid:
        return
    fit(needs, Inventory.of([node("n0")]))


def test_what_a_running_pod_once_wished_is_not_read() -> None:
    """It is where it is; an operator of tomorrow in its affinity keeps nobody from planning."""
    strange = pod("web", node="n0")
    term = {"matchExpressions": [{"key": "a", "operator": "Resembles"}]}
    required = {"nodeSelectorTerms": [term]}
    strange["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    assert reasons(pod(), [node("n0")], [strange])[0] == ["n0"]
