"""Parts of runtimes, and what a cluster makes of them, in words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.model.lifecycle import lifecycle
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.parts import parts_of


def runtime(kind: str, spec: Any = None, **status: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "demo", "namespace": "team"}, "spec": spec or {}, "status": status}


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("AlluxioRuntime", {"replicas": 2}, {"master": 1, "worker": 2, "fuse": None}),
        ("AlluxioRuntime", {"replicas": 2, "worker": {"replicas": 4}}, {"master": 1, "worker": 2, "fuse": None}),
        ("EFCRuntime", {"worker": {"replicas": 4}}, {"master": 1, "worker": 4, "fuse": None}),
        ("JuiceFSRuntime", {"replicas": 0}, {"worker": 0, "fuse": None}),
        ("JindoRuntime", {"master": {"disabled": True}}, {"worker": 1, "fuse": None}),
        ("ThinRuntime", {}, {"fuse": None}),
        ("ThinRuntime", {"worker": {"enabled": True}, "replicas": 3}, {"worker": 3, "fuse": None}),
        ("CacheRuntime", {"client": {"disabled": True}}, {"master": 1, "worker": 1}),
    ],
)
def test_the_parts_of_a_runtime(kind: str, spec: dict[str, Any], expected: dict[str, int | None]) -> None:
    """Those that are switched off are not there; the FUSE has no number."""
    assert {part.name: part.replicas for part in parts_of(runtime(kind, spec))} == expected


def test_three_masters_and_all_their_addresses() -> None:
    """Fluid publishes the first; it may be the one that is lost."""
    dataset = {"status": {"hcfs": {"endpoint": "alluxio://demo-master-0.team:19998"}}}
    told = lifecycle(runtime("AlluxioRuntime", {"master": {"replicas": 3}}), dataset=dataset)
    assert told["Masters"] == "3, highly available: one may be lost"
    assert told["Addresses"] == "demo-master-0.team:19998, demo-master-1.team:19998, demo-master-2.team:19998"
    alone = lifecycle(runtime("AlluxioRuntime"))
    assert alone["Masters"].startswith("1, not highly available")
    assert "Addresses" not in alone


def test_networks_part_by_part() -> None:
    """Jindo has one setting; containers of another mode than their pod cannot be reached."""
    mixed = {"worker": {"networkMode": "ContainerNetwork"}, "jobWorker": {"networkMode": "HostNetwork"}}
    told = lifecycle(runtime("AlluxioRuntime", mixed))["Network"]
    assert told == "master node IP, worker pod IP, fuse node IP; not reachable: jobWorker, of another mode than its pod"
    jindo = lifecycle(runtime("JindoRuntime", {"networkmode": "ContainerNetwork"}))["Network"]
    assert jindo == "pod IP for every part (Jindo has one setting)"


def test_a_lazy_fuse_and_what_becomes_of_it() -> None:
    """None wanted is no fault: it starts where it is used."""
    lazy = lifecycle(runtime("JuiceFSRuntime", {"fuse": {"cleanPolicy": "OnDemand"}}, desiredFuseNumberScheduled=0))
    assert lazy["FUSE"] == "starts where a pod mounts it (none now); goes with the last pod that mounts it (OnDemand)"
    staying = lifecycle(runtime("JuiceFSRuntime", desiredFuseNumberScheduled=3))["FUSE"]
    assert (
        staying == "starts where a pod mounts it (3 now); stays on its node until the runtime goes (OnRuntimeDeleted)"
    )


def test_what_protects_the_fuse_is_what_its_daemon_set_has() -> None:
    """Fluid gives the priority; the manifest only has the memory."""
    container = {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "2Gi"}}}
    daemon_set = {
        "spec": {"template": {"spec": {"priorityClassName": "system-node-critical", "containers": [container]}}}
    }
    told = lifecycle(runtime("AlluxioRuntime"), fuse=daemon_set)["Protection"]
    assert told == "priority system-node-critical; memory 1Gi, limit 2Gi"
    bare = lifecycle(runtime("AlluxioRuntime"))["Protection"]
    assert bare == "priority not known; memory not requested, no limit"


def test_which_processes_there_are() -> None:
    """A ThinRuntime without workers is its FUSE."""
    assert "no workers" in lifecycle(runtime("ThinRuntime"))["Processes"]
    assert "processes of their own" in lifecycle(runtime("AlluxioRuntime"))["Processes"]
    assert "no FUSE" in lifecycle(runtime("JindoRuntime", {"fuse": {"disabled": True}}))["Processes"]


FIELDS = st.sampled_from(["master", "worker", "fuse", "replicas", "networkMode", "resources", "limits", "enabled", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
)


@given(st.sampled_from([*RUNTIMES, "Other"]), JSON, JSON, JSON)
def test_no_shape_makes_it_fail(kind: str, spec: Any, status: Any, other: Any) -> None:
    """Whatever a server or an author wrote."""
    made = {"kind": kind, "metadata": other, "spec": spec, "status": status}
    assert all(isinstance(text, str) for text in lifecycle(made, dataset=other, fuse=other).values())
