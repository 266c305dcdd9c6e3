"""Graphs of operations: every one is drawn once, circles are found, what never starts is named."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from datafluid.model.graph import OperationGraph
from datafluid.model.ref import Ref


def load(name: str, phase: str = "", *, after: str | None = None) -> dict[str, Any]:
    """A DataLoad, perhaps after another."""
    spec: dict[str, Any] = {} if after is None else {"runAfter": {"kind": "DataLoad", "name": after}}
    status = {"phase": phase, "waitingFor": {"operationComplete": after is not None and phase == "Pending"}}
    return {"kind": "DataLoad", "metadata": {"name": name, "namespace": "a"}, "spec": spec, "status": status}


def ref(name: str) -> Ref:
    """One of these."""
    return Ref("DataLoad", name, "a")


_NAMES = [f"op{number}" for number in range(6)]
_GRAPHS = st.lists(
    st.builds(load, st.sampled_from(_NAMES), st.sampled_from(["", "Pending", "Executing", "Complete", "Failed"]),
              after=st.none() | st.sampled_from([*_NAMES, "nowhere"])),
    unique_by=lambda each: each["metadata"]["name"],
)  # fmt: skip


@given(operations=_GRAPHS)
def test_every_operation_is_drawn_once(operations: list[dict[str, Any]]) -> None:
    graph = OperationGraph.of(operations)
    drawn = [line for line in str(graph).splitlines() if not line.endswith("none of them starts")]
    circling = [member for circle in graph.cycles for member in circle]
    for each in graph.operations:
        times = sum(f"{each}  " in line for line in drawn)
        assert times == (0 if each in circling else 1), str(graph)


@given(operations=_GRAPHS)
def test_what_is_blocked_has_a_reason_and_has_not_begun(operations: list[dict[str, Any]]) -> None:
    graph = OperationGraph.of(operations)
    circling = {member for circle in graph.cycles for member in circle}
    for each in graph.blocked:
        assert (graph.operations[each]["status"]["phase"]) in ("", "Pending")
        chain, current = set(), each
        while current in graph.operations and current not in chain:
            chain.add(current)
            after = graph.operations[current]["spec"].get("runAfter")
            current = ref(after["name"]) if after else ref("none")
        failed = any(graph.operations[one]["status"]["phase"] == "Failed" for one in chain - {each})
        assert failed or chain & circling


def test_a_picture_says_who_waits_for_whom() -> None:
    operations = [
        load("first", "Complete"),
        load("second", "Executing", after="first"),
        load("third", "Pending", after="second"),
        load("bad", "Failed"),
        load("never", "Pending", after="bad"),
        load("early", "Pending", after="late"),
        load("egg", "Pending", after="hen"),
        load("hen", "Pending", after="egg"),
    ]
    graph = OperationGraph.of(operations)
    assert str(graph).splitlines() == [
        "DataLoad a/late  is not there",
        "└─ DataLoad a/early  Pending, waits for late",
        "DataLoad a/first  Complete",
        "└─ DataLoad a/second  Executing",
        "   └─ DataLoad a/third  Pending, waits for second",
        "DataLoad a/bad  Failed",
        "└─ DataLoad a/never  Pending, waits for bad, which has failed: for ever",
        "DataLoad a/egg after DataLoad a/hen after DataLoad a/egg: a circle, none of them starts",
    ]
    assert graph.missing == (ref("late"),)
    assert set(graph.blocked) == {ref("never"), ref("egg"), ref("hen")}
