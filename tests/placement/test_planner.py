"""The planner: where a workload and its caches can be together, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datafluid.errors import Invalid, Unschedulable
from datafluid.model.node_report import Disk, NodeReport
from datafluid.placement import Inventory, Plan, PlannedDataset, PodGroup, PodNeeds, plan
from datafluid.placement.cacheworker import worker_pod
from datafluid.placement.fitting import fit
from tests.placement.clusters import HOSTNAME, Manifest, node, nodes, pod, running, templates

GIB = 1 << 30


def dataset(name: str = "flights", *, workers: int = 1, cpu: str = "1", locality: Any = "prefer", **more: Any) -> Any:
    """A dataset with an Alluxio runtime whose workers have one SSD level of 10 GiB."""
    exists = more.pop("exists", False)
    return PlannedDataset(
        manifest={"metadata": {"name": name, "namespace": "team"}, "spec": more},
        runtime={
            "kind": "AlluxioRuntime",
            "spec": {
                "replicas": workers,
                "worker": {"resources": {"requests": {"cpu": cpu}}},
                "tieredstore": {"levels": [{"mediumtype": "SSD", "path": "/mnt/ssd", "quota": "10Gi"}]},
            },
        },
        locality=locality,
        exists=exists,
    )


def group(template: Manifest | None = None, count: int = 1) -> PodGroup:
    """Pods of a workload."""
    return PodGroup(role="pod", needs=PodNeeds.of(template or pod()), count=count)


def report(name: str, free: int) -> NodeReport:
    """A node with so much free under /mnt/ssd."""
    disk = Disk(device="8:1", medium="SSD", filesystem="xfs", capacity=100 * GIB, free=free, mounts=("/mnt/ssd",))
    return NodeReport(node=name, as_of="2026-01-01T00:00:00+00:00", disks=(disk,))


def test_a_new_cache_is_tied_to_the_nodes_where_the_workload_fits() -> None:
    """Nodes without GPUs are out, though a worker would fit there."""
    inventory = Inventory.of([node("n0"), node("n1", gpus=1), node("n2", gpus=1), node("n3", gpus=1)])
    found = plan(inventory, [group(pod(gpus=1))], [dataset(workers=1)])
    assert found.pins["team/flights"].hostnames == ("n1", "n2", "n3")
    assert found.reasons == {"pod": {"too little nvidia.com/gpu": 1}}


def test_a_node_must_have_room_for_both() -> None:
    """One that takes either the pod or the worker is no place to meet."""
    inventory = Inventory.of([node("n0", cpu=4), node("n1", cpu=8), node("n2", cpu=8)])
    found = plan(inventory, [group(pod(cpu="3"))], [dataset(cpu="3")])
    assert found.pins["team/flights"].hostnames == ("n1", "n2")


def test_disks_with_room_come_first() -> None:
    """The agent's figures decide, the emptiest disk first; nodes without an agent are taken when there are too few."""
    reports = [report("n0", 5 * GIB), report("n1", 20 * GIB), report("n2", 50 * GIB)]
    inventory = Inventory.of([node(f"n{number}") for number in range(4)], reports=reports)
    first = plan(inventory, [group()], [dataset(workers=1)])
    assert first.pins["team/flights"].hostnames == ("n2", "n1")
    second = plan(inventory, [group()], [dataset(workers=2)])
    assert second.pins["team/flights"].hostnames == ("n2", "n1", "n3")
    assert "The free disk space of 1 of these nodes is not known: no agent tells of it." in second.notes
    third = plan(inventory, [group()], [dataset(workers=3)])
    assert third.pins["team/flights"].hostnames == ("n2", "n1", "n3", "n0")
    assert "1 of these nodes have not enough free disk space for the tiers of team/flights." in third.notes


def test_gpus_that_nobody_asks_for_are_left_to_others() -> None:
    """A cache for pods without GPUs goes elsewhere while there is enough of it; the disks still come first."""
    reports = [report("n0", 50 * GIB), report("n1", 20 * GIB), report("n2", 20 * GIB)]
    cluster = [node("n0", gpus=4), node("n1"), node("n2")]
    plain = Inventory.of(cluster, reports=reports)
    assert plan(plain, [group()], [dataset()]).pins["team/flights"].hostnames == ("n1", "n2")
    assert plan(plain, [group()], [dataset(workers=2)]).pins["team/flights"].hostnames == ("n1", "n2", "n0")
    assert plan(plain, [group(pod(gpus=1))], [dataset()], slack=0).pins["team/flights"].hostnames == ("n0",)


def test_too_few_nodes_that_fit_are_joined_by_others() -> None:
    """Workers that are asked for must find a node: a preferred cache also goes where the workload cannot."""
    inventory = Inventory.of([node("n0", gpus=1), node("n1"), node("n2")])
    found = plan(inventory, [group(pod(gpus=1))], [dataset(workers=2)])
    assert found.pins["team/flights"].hostnames == ("n0", "n1", "n2")
    assert "2 of these nodes have no room for the workload beside a worker." in found.notes
    tight = plan(inventory, [group(pod(gpus=1))], [dataset(workers=2, locality="require")])
    assert tight.pins["team/flights"].hostnames == ("n0", "n1")  # no slack: a worker must come to n0


def test_a_dataset_that_is_there_is_not_tied_anew() -> None:
    """The report says how much of the workload can be with it, and how far to scale it out."""
    holding = node("n0", cpu=4)
    holding["metadata"]["labels"]["fluid.io/s-team-flights"] = "true"
    inventory = Inventory.of([holding, node("n1", cpu=4), node("n2", cpu=4)])
    found = plan(inventory, [group(pod(cpu="2"), count=6)], [dataset(exists=True)])
    assert found.pins == {}
    assert "team/flights is there, on 1 nodes, 1 of which can take the workload." in found.notes
    assert "Beside its cache 2 of 6 pods find room: scale team/flights out to 3 workers." in found.notes
    assert found.scale_out == {"team/flights": 3}


def test_a_required_dataset_that_is_there_narrows_the_nodes() -> None:
    """Nodes without its cache are no nodes; when none is left, that is said."""
    holding = node("n0")
    holding["metadata"]["labels"]["fluid.io/s-team-flights"] = "true"
    there = dataset(exists=True, locality="require")
    assert plan(Inventory.of([holding, node("n1")]), [group()], [there]).nodes == ("n0",)
    with pytest.raises(Unschedulable, match="no cache of team/flights") as caught:
        plan(Inventory.of([holding, node("n1", gpus=1), node("n2", gpus=1)]), [group(pod(gpus=1))], [there])
    assert caught.value.reasons == {"no cache of team/flights": 2, "too little nvidia.com/gpu": 1}


def test_a_required_dataset_whose_cache_is_not_there_yet_narrows_nothing() -> None:
    """Declared by a submission that was interrupted, say: nodes are labelled when it is bound."""
    there = dataset(exists=True, locality="require")
    assert plan(Inventory.of([node("n0"), node("n1")]), [group()], [there]).nodes == ("n0", "n1")


def test_no_fit_is_refused_with_the_reasons_counted() -> None:
    """Node by node."""
    inventory = Inventory.of([node("n0"), node("n1"), node("n2", gpus=1, unschedulable=True)])
    with pytest.raises(Unschedulable, match=r"too little nvidia.com/gpu \(2 nodes\)") as caught:
        plan(inventory, [group(pod(gpus=1))], [])
    assert sum(caught.value.reasons.values()) == 3


def test_a_cache_that_fits_nowhere_is_refused() -> None:
    """Before anything is applied."""
    with pytest.raises(Unschedulable, match="workers of team/flights find no room"):
        plan(Inventory.of([node("n0")]), [group()], [dataset(cpu="99")])
    with pytest.raises(Unschedulable, match="2 workers of team/flights together"):
        plan(Inventory.of([node("n0")]), [group()], [dataset(workers=2, locality="require")])


def test_two_required_datasets_of_which_one_is_exclusive_never_meet() -> None:
    """The error proposes Shared; in two namespaces they can, and preferred ones do what they can."""
    inventory = Inventory.of([node("n0")])
    one, shared = dataset("a", locality="require"), dataset("b", locality="require", placement="Shared")
    with pytest.raises(Invalid, match="team/a, team/b are all required") as caught:
        plan(inventory, [group()], [shared, one])
    assert "placement: Shared" in caught.value.hint
    plan(inventory, [group()], [dataset("a", locality="require", placement="Shared"), shared])
    plan(inventory, [group()], [one, dataset("b", placement="Shared")])


def test_two_required_datasets_meet_for_certain() -> None:
    """Both are tied to the same nodes, as many as they have workers: no choice, so no parting."""
    inventory = Inventory.of([node(f"n{number}") for number in range(5)])
    both = [dataset(name, workers=2, locality="require", placement="Shared") for name in "ab"]
    pins = plan(inventory, [group()], both).pins
    assert pins["team/a"] == pins["team/b"]
    assert len(pins["team/a"].hostnames) == 2


def test_a_cache_follows_a_workload_that_runs() -> None:
    """To the nodes of its pods, found by the labels of its template, and not where it would fit."""
    trino = pod("web")
    inventory = Inventory.of([node(f"n{n}") for n in range(4)], [pod("web", node="n1"), pod("web", node="n3")])
    found = plan(inventory, [group(trino)], [dataset(workers=2)], follow=True, slack=0)
    assert found.pins["team/flights"].hostnames == ("n1", "n3")
    none = plan(inventory, [group(pod("etl"))], [dataset()], follow=True)
    assert "No pod of the workload runs yet, so its caches go where it fits." in none.notes


def test_an_exclusive_cache_keeps_off_the_nodes_of_others() -> None:
    """Of its own namespace: Fluid's anti-affinity names no other."""
    other = worker_pod({"metadata": {"name": "old", "namespace": "team"}, "spec": {}}, None)
    other["spec"]["nodeName"] = "n0"
    inventory = Inventory.of([node("n0"), node("n1")], [other])
    assert plan(inventory, [group()], [dataset()]).pins["team/flights"].hostnames == ("n1",)
    other["metadata"]["namespace"] = "elsewhere"
    inventory = Inventory.of([node("n0"), node("n1")], [other])
    assert plan(inventory, [group()], [dataset()]).pins["team/flights"].hostnames == ("n0", "n1")


def test_what_the_user_asks_of_nodes_stays() -> None:
    """The pin is added to every term of the Dataset's own affinity."""
    own = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]}}
    labelled = node("n0")
    labelled["metadata"]["labels"]["disk"] = "ssd"
    asked = dataset(nodeAffinity=own)
    found = plan(Inventory.of([labelled, node("n1")]), [group()], [asked])
    (term,) = found.pinned(asked.manifest)["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert [each["key"] for each in term["matchExpressions"]] == ["disk", HOSTNAME]
    assert found.pins["team/flights"].hostnames == ("n0",)
    assert asked.manifest["spec"]["nodeAffinity"] == own


def test_a_runtime_without_workers_is_not_tied() -> None:
    """Thin runtimes cache nothing on nodes."""
    thin = PlannedDataset(manifest={"metadata": {"name": "t", "namespace": "team"}}, runtime={"kind": "ThinRuntime"})
    assert plan(Inventory.of([node("n0")]), [group()], [thin]).pins == {}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_every_plan_keeps_its_word(data: st.DataObject) -> None:
    """Each pinned node takes a worker; a required cache has enough of them, one takes the workload."""
    cluster = data.draw(nodes(least=2))
    inventory = Inventory.of(cluster, data.draw(running([each["metadata"]["name"] for each in cluster])))
    template, workers = data.draw(templates()), data.draw(st.integers(1, 3))
    asked = dataset(workers=workers, locality=data.draw(st.sampled_from(("prefer", "require"))))
    try:
        found = plan(inventory, [group(template, data.draw(st.integers(1, 6)))], [asked])
    except Unschedulable as error:
        assert error.reasons or asked.locality == "require"
        return
    check(found, inventory, template, asked)


def check(found: Plan, inventory: Inventory, template: Manifest, asked: PlannedDataset) -> None:
    """The promises of a plan."""
    hostnames = found.pins[asked.id].hostnames
    able = {each.name for each in fit(asked.worker, inventory).nodes}
    fitting = {each.name for each in fit(PodNeeds.of(template), inventory).nodes}
    assert set(hostnames) <= able
    assert len(set(hostnames)) == len(hostnames)
    assert set(found.nodes) >= fitting
    assert len(hostnames) >= min(asked.workers, len(able))
    if asked.locality == "require":
        assert len(hostnames) >= asked.workers
        assert set(hostnames) & set(found.nodes)


def test_pods_that_nobody_describes_may_be_anywhere() -> None:
    """A TrainJob whose runtime describes them: the cache goes to any node that takes a worker, and that is told."""
    found = plan(Inventory.of([node("n0"), node("n1")]), [], [dataset(locality="require")])
    assert found.pins["team/flights"].hostnames == ("n0", "n1")
    assert found.notes[0].startswith("The workload does not describe its pods")
