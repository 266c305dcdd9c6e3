"""Holding a workload and letting it go: for every kind, and whatever its manifest said before."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.model.plain import look
from datafluid.workload.holds import HoldFacts, choose_hold, held, release_patch
from datafluid.workload.kinds import WORKLOAD_KINDS

HELD = [(group, name) for (group, name), kind in WORKLOAD_KINDS.items() if kind.hold.path]


def workload(group: str, kind: str, **spec: Any) -> dict[str, Any]:
    """An object of a kind."""
    return {"apiVersion": f"{group}/v1" if group else "v1", "kind": kind, "metadata": {"name": "w"}, "spec": spec}


def merged(target: Any, patch: Any) -> Any:
    """A JSON merge patch, RFC 7396."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@pytest.mark.parametrize(("group", "kind"), HELD)
@pytest.mark.parametrize("said", [None, "same", "other"])
def test_what_is_held_and_let_go_is_what_the_user_wrote(group: str, kind: str, said: str | None) -> None:
    """Whether the manifest said nothing where the hold is, the hold itself, or something else."""
    manifest = workload(group, kind, shutdownAfterJobFinishes=True, job={"jarURI": "local:///a.jar"})
    hold = choose_hold(manifest)
    others: dict[str, Any] = {"replicas": 3, "suspend": False, "gate": [{"name": "own"}]}
    if said is not None:
        value = hold.value if said == "same" else others[hold.way]
        manifest = put(manifest, hold.path, list(value) if isinstance(value, tuple) else value)
    before = look(manifest, hold.path)
    stopped = held(manifest, hold)
    assert look(stopped, hold.path) == hold.value or hold.way == "gate"
    let_go = merged(stopped, release_patch(stopped, hold, before))
    if said == "same" and hold.way == "gate":
        assert look(let_go, hold.path) == []  # ours, and it is open now
    elif said is not None:
        assert let_go == manifest
    else:
        default = {"replicas": 1, "suspend": False if hold.value is True else None, "gate": []}
        assert look(let_go, hold.path) == default[hold.way]


def put(manifest: dict[str, Any], path: Any, value: Any) -> dict[str, Any]:
    """The manifest with a value at a path."""
    patch: Any = value
    for step in reversed(path):
        patch = {step: patch}
    return dict(merged(manifest, patch))


def test_the_gates_of_others_stay() -> None:
    """Also those that came while it was held."""
    pod = workload("", "Pod", schedulingGates=[{"name": "quota"}])
    hold = choose_hold(pod)
    stopped = held(pod, hold)
    assert [each["name"] for each in stopped["spec"]["schedulingGates"]] == ["quota", "datafluid.io/data-not-ready"]
    stopped["spec"]["schedulingGates"].append({"name": "late"})
    assert release_patch(stopped, hold, look(pod, hold.path)) == {
        "spec": {"schedulingGates": [{"name": "quota"}, {"name": "late"}]}
    }


@pytest.mark.parametrize(
    ("manifest", "facts", "why"),
    [
        (workload("", "Pod") | {"metadata": {"labels": {"fuse.serverful.fluid.io/inject": "true"}}}, HoldFacts(),
         "webhook refuses"),
        (workload("", "Pod") | {"metadata": {"labels": {"serverless.fluid.io/inject": "true"}}}, HoldFacts(),
         "webhook refuses"),
        (workload("batch", "Job") | {"metadata": {"labels": {"kueue.x-k8s.io/queue-name": "q"}}}, HoldFacts(), "Kueue"),
        (workload("sparkoperator.k8s.io", "SparkApplication"), HoldFacts(has_field=False), "not known to have"),
        (workload("", "Pod", nodeName="n0"), HoldFacts(), "bound to a node"),
        (workload("ray.io", "RayJob"), HoldFacts(), "shuts its own cluster down"),
        (workload("ray.io", "RayJob", shutdownAfterJobFinishes=True, clusterSelector={"a": "b"}), HoldFacts(), "shuts"),
        (workload("flink.apache.org", "FlinkDeployment"), HoldFacts(), "no job to suspend"),
        (workload("example.com", "Thing"), HoldFacts(), "Nothing is known"),
    ],
)  # fmt: skip
def test_what_cannot_be_held_waits_and_says_why(manifest: dict[str, Any], facts: HoldFacts, why: str) -> None:
    """Its creation waits."""
    hold = choose_hold(manifest, facts)
    assert hold.way == "wait"
    assert why in hold.proviso
    assert held(manifest, hold) == manifest
    assert release_patch(manifest, hold, None) == {}


def test_an_autoscaler_undoes_a_hold_by_replicas_only() -> None:
    """A Deployment is refused, a Job is not."""
    with pytest.raises(Invalid, match="autoscaler"):
        choose_hold(workload("apps", "Deployment"), HoldFacts(autoscaled=True))
    assert choose_hold(workload("batch", "Job"), HoldFacts(autoscaled=True)).way == "suspend"


@given(st.dictionaries(st.text(min_size=1), st.integers() | st.text()), st.sampled_from(HELD))
def test_nothing_else_is_touched(spec: dict[str, Any], which: tuple[str, str]) -> None:
    """What the user wrote beside the hold is there before, meanwhile, and after; and the input is not changed."""
    manifest = workload(*which, **spec)
    original = copy.deepcopy(manifest)
    hold = WORKLOAD_KINDS[which].hold
    stopped = held(manifest, hold)
    assert manifest == original
    rest = {key: value for key, value in spec.items() if key not in hold.path}
    assert {key: stopped["spec"][key] for key in rest} == rest
