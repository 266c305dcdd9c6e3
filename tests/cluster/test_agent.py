"""The agent's rights on a real API server: its own node's ConfigMap, written, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from datafluid.agent import deployment, publish
from datafluid.errors import DatafluidError, Forbidden
from datafluid.model.node_report import AGENT_NAMESPACE, NodeReport
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.submission.planning import read_reports
from tests.agent.test_report import REPORT
from tests.cluster.controlplane import Cluster
from tests.cluster.farm import Farm, farm
from tests.cluster.processes import eventually

_ACCOUNT = f"/api/v1/namespaces/{AGENT_NAMESPACE}/serviceaccounts/datafluid-agent/token"


@pytest.fixture
def field(cluster: Cluster, plane: KubernetesPlane) -> Iterator[Farm]:
    """The agent's manifest is applied; two nodes."""
    for each in deployment(image="example", tiers=["/mnt/ssd"]):
        plane.apply(each)
    with farm(cluster, AGENT_NAMESPACE) as made:
        made.node("own")
        made.node("other")
        yield made
    plane.delete(Ref("apps/v1/DaemonSet", "datafluid-agent", AGENT_NAMESPACE))


@pytest.fixture
def agent(cluster: Cluster, field: Farm, tmp_path: Path) -> KubernetesPlane:
    """What the agent's pod on the first node may do: a token as the kubelet gets it, bound to the pod."""
    container = {"name": "agent", "image": "example"}
    name = field.pod({"spec": {"serviceAccountName": "datafluid-agent", "containers": [container]}}, on=field.nodes[0])
    pod = cluster.api.get(f"/api/v1/namespaces/{AGENT_NAMESPACE}/pods/{name}")
    bound = {"kind": "Pod", "apiVersion": "v1", "name": name, "uid": pod["metadata"]["uid"]}
    token = cluster.api.post(_ACCOUNT, {"spec": {"boundObjectRef": bound}})["status"]["token"]
    mine = KubernetesPlane(kubeconfig=str(cluster.api.write_kubeconfig(tmp_path / "agent", token=token)))
    probe = replace(REPORT, node="probe").config_map()

    def is_in_force() -> bool:  # a new policy takes a moment to be known
        try:
            mine.create(probe, dry_run=True)
        except DatafluidError:
            return True
        return False

    eventually(is_in_force, seconds=60)
    return mine


def report(field: Farm, short: str) -> NodeReport:
    """A report of one of the nodes."""
    return replace(REPORT, node=f"{field.id}-{short}")


def told(plane: KubernetesPlane, what: NodeReport) -> None:
    """Publish it once."""
    stop = Event()
    stop.set()
    publish(plane, lambda: what, stop=stop)


def test_it_writes_what_planners_read(agent: KubernetesPlane, plane: KubernetesPlane, field: Farm) -> None:
    """The first time and again; the planner reads it, and lint may."""
    told(agent, report(field, "own"))
    told(agent, replace(report(field, "own"), as_of="2027-01-01T00:00:00+00:00"))
    reports, notes = read_reports(plane)
    assert notes == []
    assert [each.as_of for each in reports if each.node == f"{field.id}-own"] == ["2027-01-01T00:00:00+00:00"]


def test_it_cannot_speak_for_another_node(agent: KubernetesPlane, plane: KubernetesPlane, field: Farm) -> None:
    """Neither make the ConfigMap of another node nor change one that is there."""
    other = report(field, "other")
    with pytest.raises(DatafluidError, match="own node only"):
        told(agent, other)
    plane.create(other.config_map())
    with pytest.raises(DatafluidError, match="own node only"):
        told(agent, replace(other, as_of="2027-01-01T00:00:00+00:00"))


def test_it_can_do_nothing_else(agent: KubernetesPlane, plane: KubernetesPlane, field: Farm) -> None:
    """Not read its own ConfigMap, nor those of other namespaces, nor nodes, pods, secrets, datasets."""
    told(agent, report(field, "own"))
    for kind in ("v1/ConfigMap", "v1/Secret", "v1/Pod", "Dataset"):
        with pytest.raises(Forbidden):
            agent.list(kind, namespace=AGENT_NAMESPACE)
    with pytest.raises(Forbidden):
        agent.list("v1/Node")
    elsewhere = report(field, "own").config_map()
    elsewhere["metadata"]["namespace"] = "default"
    with pytest.raises(Forbidden):
        agent.create(elsewhere)
    with pytest.raises(Forbidden):
        agent.delete(Ref.of(report(field, "own").config_map()))


def test_others_are_not_held_to_its_policy(plane: KubernetesPlane, field: Farm) -> None:
    """An administrator writes what it likes."""
    stray = replace(report(field, "own"), node="stray").config_map()
    plane.create(stray)
    plane.delete(Ref.of(stray))


def test_its_daemon_set_is_taken_with_all_that_it_says(plane: KubernetesPlane, field: Farm) -> None:
    """Strictly validated: nothing of it is dropped."""
    daemon_set = plane.get(Ref("apps/v1/DaemonSet", "datafluid-agent", AGENT_NAMESPACE))
    assert "--tier=/mnt/ssd" in daemon_set["spec"]["template"]["spec"]["containers"][0]["args"]
    for each in deployment(image="example", pages=True):
        plane.apply(each, dry_run=True)
