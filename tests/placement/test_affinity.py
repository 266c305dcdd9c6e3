"""Node affinity: what it matches, and what combining two of them means."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.placement import NodeAffinity, Preference, Requirement, Term, labels, prefer_dataset, require_dataset
from datafluid.placement.terms import WITHOUT_CACHE, fuse_term

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"

# Few keys and values, so that conditions and nodes meet often.
_keys = st.sampled_from("abc")
_words = st.sampled_from(["x", "y", "1", "7", "-3"])
_names = st.sampled_from(["node-1", "node-2"])
_nodes = st.dictionaries(_keys, _words)
_expressions = st.one_of(
    st.builds(
        Requirement,
        key=_keys,
        operator=st.sampled_from(["In", "NotIn"]),
        values=st.lists(_words, min_size=1, max_size=3).map(tuple),
    ),
    st.builds(Requirement, key=_keys, operator=st.sampled_from(["Exists", "DoesNotExist"])),
    st.builds(
        Requirement,
        key=_keys,
        operator=st.sampled_from(["Gt", "Lt"]),
        values=st.sampled_from([("0",), ("5",), ("x",)]),
    ),
)
_fields = st.builds(
    Requirement, key=st.just("metadata.name"), operator=st.sampled_from(["In", "NotIn"]), values=st.tuples(_names)
)
_terms = st.builds(
    Term,
    expressions=st.lists(_expressions, max_size=3).map(tuple),
    fields=st.lists(_fields, max_size=1).map(tuple),
)
_preferences = st.builds(Preference, weight=st.sampled_from([1, 50, 100]), term=_terms)
_affinities = st.builds(
    NodeAffinity,
    required=st.none() | st.lists(_terms, max_size=3).map(tuple),
    preferred=st.lists(_preferences, max_size=3, unique_by=lambda wish: json.dumps(wish.manifest())).map(tuple),
)


@st.composite
def _specs(draw: st.DrawFn) -> dict[str, Any]:
    """Pod specs with every form of affinity that a user may have, nulls and empty ones included."""
    node: dict[str, Any] = draw(st.sampled_from([{}, {REQUIRED: None}, {PREFERRED: None}, {PREFERRED: []}]))
    node = dict(node)
    if draw(st.booleans()):
        terms = draw(st.lists(_terms, min_size=1, max_size=3))
        node[REQUIRED] = {"nodeSelectorTerms": [term.manifest() for term in terms]}
    if draw(st.booleans()):
        node[PREFERRED] = [wish.manifest() for wish in draw(st.lists(_preferences, max_size=2))]
    pods = {"podAntiAffinity": {REQUIRED: [{"topologyKey": "kubernetes.io/hostname"}]}}
    affinity = draw(
        st.sampled_from([None, {}, {"nodeAffinity": None}, {"nodeAffinity": node}, {**pods, "nodeAffinity": node}])
    )
    spec: dict[str, Any] = {"containers": [{"name": "main"}], "tolerations": [{"operator": "Exists"}]}
    if draw(st.booleans()):
        spec["affinity"] = affinity
    if draw(st.booleans()):
        spec["nodeSelector"] = draw(st.none() | _nodes)
    return spec


@given(_affinities, _affinities, _nodes, _names)
def test_and_means_both(one: NodeAffinity, other: NodeAffinity, node: dict[str, str], name: str) -> None:
    """A node matches the combination if it matches each, whatever the terms and the node are."""
    both = one.matches(node, name=name) and other.matches(node, name=name)
    assert (one & other).matches(node, name=name) == both
    assert (other & one).matches(node, name=name) == both


@given(_affinities, _affinities)
def test_and_is_idempotent(one: NodeAffinity, other: NodeAffinity) -> None:
    """What is asked for already is not asked for again, letter by letter."""
    once = one & other
    assert once & other == once
    assert once & one == once
    assert one & one == one


@given(_affinities, _affinities, _affinities, _nodes, _names)
def test_the_order_means_nothing(
    one: NodeAffinity, two: NodeAffinity, three: NodeAffinity, node: dict[str, str], name: str
) -> None:
    """Neither matches nor scores depend on the order in which three are combined."""
    first, second = one & two & three, three & (one & two)
    assert first.matches(node, name=name) == second.matches(node, name=name)
    assert first.score(node, name=name) == second.score(node, name=name)


@given(_affinities, _nodes, _names)
def test_no_constraint_is_neutral(one: NodeAffinity, node: dict[str, str], name: str) -> None:
    """Combining with an affinity that asks for nothing changes nothing."""
    assert one & NodeAffinity() == one
    assert NodeAffinity() & one == one


@given(_specs(), _affinities, _nodes, _names)
def test_onto_a_spec_means_both(spec: dict[str, Any], ours: NodeAffinity, node: dict[str, str], name: str) -> None:
    """The pod that comes out may use a node if both the user's pod and we allow it; nodeSelector counts too."""
    before = copy.deepcopy(spec)
    after = NodeAffinity.of(ours.onto(spec))
    assert after.matches(node, name=name) == (NodeAffinity.of(spec) & ours).matches(node, name=name)
    assert after.score(node, name=name) == (NodeAffinity.of(spec) & ours).score(node, name=name)
    assert spec == before


@given(_specs(), _affinities)
def test_onto_a_spec_twice_is_once(spec: dict[str, Any], ours: NodeAffinity) -> None:
    """Writing it again changes no letter."""
    once = ours.onto(spec)
    assert ours.onto(once) == once


@given(_specs(), _affinities)
def test_onto_a_spec_loses_nothing(spec: dict[str, Any], ours: NodeAffinity) -> None:
    """Everything else in the spec stays; so do the user's wishes, and the conditions of each of their terms."""
    after = ours.onto(spec)
    assert {key: value for key, value in after.items() if key != "affinity"} == {
        key: value for key, value in spec.items() if key != "affinity"
    }
    theirs = spec.get("affinity") or {}
    ours_too = after.get("affinity") or {}
    assert ours_too.get("podAntiAffinity") == theirs.get("podAntiAffinity")
    node = theirs.get("nodeAffinity") or {}
    wishes = node.get(PREFERRED) or []
    assert ((ours_too.get("nodeAffinity") or {}).get(PREFERRED) or [])[: len(wishes)] == wishes
    if ours.required:
        for term in (node.get(REQUIRED) or {}).get("nodeSelectorTerms") or []:
            found = ours_too["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
            assert any(_within(term, each) for each in found) or not any(ours.required)


def _within(term: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(entry in (other.get(name) or []) for name, entries in term.items() for entry in entries)


@given(_specs(), _affinities, _affinities, _nodes, _names)
def test_the_order_of_writing_means_nothing(
    spec: dict[str, Any], one: NodeAffinity, other: NodeAffinity, node: dict[str, str], name: str
) -> None:
    """Two affinities may be written in either order."""
    first, second = NodeAffinity.of(other.onto(one.onto(spec))), NodeAffinity.of(one.onto(other.onto(spec)))
    assert first.matches(node, name=name) == second.matches(node, name=name)
    assert first.score(node, name=name) == second.score(node, name=name)


@pytest.mark.parametrize(
    ("operator", "values", "node", "holds"),
    [
        ("In", ("a", "b"), {"key": "b"}, True),
        ("In", ("a", "b"), {"key": "c"}, False),
        ("In", ("a",), {}, False),
        ("In", (), {}, False),
        ("NotIn", ("a",), {"key": "a"}, False),
        ("NotIn", ("a",), {"key": "b"}, True),
        ("NotIn", ("a",), {}, True),
        ("Exists", (), {"key": ""}, True),
        ("Exists", (), {}, False),
        ("DoesNotExist", (), {}, True),
        ("DoesNotExist", (), {"key": ""}, False),
        ("Gt", ("8",), {"key": "10"}, True),
        ("Gt", ("8",), {"key": "8"}, False),
        ("Lt", ("8",), {"key": "-1"}, True),
        ("Lt", ("8",), {"key": "1.5"}, False),
        ("Lt", ("8",), {"key": "1_0"}, False),
        ("Lt", ("8",), {}, False),
        ("Gt", ("8", "9"), {"key": "10"}, False),
        ("Gt", ("8",), {"key": "9223372036854775808"}, False),
        ("Gt", ("8",), {"key": "9223372036854775807"}, True),
    ],
)
def test_operators(operator: str, values: tuple[str, ...], node: dict[str, str], holds: bool) -> None:
    """Each operator on present, absent and odd labels, as the scheduler has it."""
    assert Requirement(key="key", operator=operator, values=values).holds(node) == holds


def test_a_field_is_the_name_of_the_node() -> None:
    """``matchFields`` looks at the node's name, beside the labels."""
    here = Term(fields=(Requirement(key="metadata.name", values=("node-1",)),))
    assert here.holds({}, name="node-1")
    assert not here.holds({"metadata.name": "node-1"}, name="node-2")


@pytest.mark.parametrize("required", [{}, {"nodeSelectorTerms": None}, {"nodeSelectorTerms": []}])
def test_no_terms_at_all_are_refused(required: dict[str, Any]) -> None:
    """As the API server does: whatever were written there, it would not be what the user meant."""
    spec = {"affinity": {"nodeAffinity": {REQUIRED: required}}}
    for read in (NodeAffinity.of, require_dataset(labels("team", "flights")).onto, WITHOUT_CACHE.onto):
        with pytest.raises(Invalid, match="has no nodeSelectorTerms"):
            read(spec)


def test_an_empty_term_matches_nothing_and_stays_so() -> None:
    """Combining does not turn a term that matches nothing into one that matches something."""
    ours = require_dataset(labels("team", "flights"))
    cached = {"fluid.io/s-team-flights": "true"}
    spec = {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}}
    assert not NodeAffinity.of(ours.onto(spec)).matches(cached)
    assert NodeAffinity.of(ours.onto({})).matches(cached)


def test_two_required_datasets_are_one_term() -> None:
    """Both labels stand in each of the user's terms, behind what the user wrote."""
    ours = require_dataset(labels("team", "flights")) & require_dataset(labels("team", "taxis"))
    gpu = {"key": "gpu", "operator": "Exists"}
    spec = {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [gpu]}]}}}}
    (term,) = ours.onto(spec)["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    assert [each["key"] for each in term["matchExpressions"]] == [
        "gpu",
        "fluid.io/s-team-flights",
        "fluid.io/s-team-taxis",
    ]


def test_nothing_to_add_writes_nothing() -> None:
    """A pod gets no empty affinity."""
    assert NodeAffinity().onto({"containers": []}) == {"containers": []}


def test_near_a_dataset() -> None:
    """Node before zone before region, with Fluid's weights; a mount that is there counts like a worker."""
    keys = labels("team", "flights")
    near = prefer_dataset(keys, zones=["b", "a", "b"], regions=["r"], reuse_fuse=True)
    zone = {"topology.kubernetes.io/zone": "a"}
    region = {"topology.kubernetes.io/region": "r"}
    assert [near.score(each) for each in ({keys.dataset: "true"}, {keys.fuse: "true"}, zone, region)] == [
        100,
        100,
        50,
        20,
    ]
    assert near.score({keys.dataset: "false"}) == 0
    assert near.preferred[2].manifest()["preference"]["matchExpressions"][0]["values"] == ["a", "b"]
    assert fuse_term(keys).holds({keys.fuse: "true"})


def test_pods_without_datasets_leave_cache_nodes_alone() -> None:
    """They prefer nodes on which no dataset is counted."""
    assert WITHOUT_CACHE.score({}) == 100
    assert WITHOUT_CACHE.score({"fluid.io/dataset-num": "1"}) == 0


@pytest.mark.parametrize(
    "affinity",
    [
        [],
        {"nodeAffinity": "x"},
        {"nodeAffinity": {REQUIRED: []}},
        {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": {}}}},
        {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": {}}]}}},
        {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "="}]}]}}},
        {"nodeAffinity": {PREFERRED: [{"preference": {}}]}},
        {"nodeAffinity": {PREFERRED: [{"weight": "10", "preference": {}}]}},
    ],
)
def test_what_kubernetes_would_not_take(affinity: Any) -> None:
    """A malformed affinity is an error with a hint, not a guess."""
    with pytest.raises(Invalid) as caught:
        require_dataset(labels("team", "flights")).onto({"affinity": affinity})
    assert caught.value.hint
