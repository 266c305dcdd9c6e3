"""Where `wrap` does something else than Fluid's webhook, on purpose: each difference has a test with both sides."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid import DatasetUse, Prefetch, Topology, lint, wrap
from datafluid.errors import Invalid
from datafluid.model.prefetch import prefetch_problems
from datafluid.placement import NodeAffinity
from datafluid.workload.webhook import preview_webhook
from tests.workload.webhook.world import SERVERFUL, around, pod, reference

FLIGHTS, TAXIS = "fluid.io/s-team-flights", "fluid.io/s-team-taxis"
ZONE = "topology.kubernetes.io/zone"
BOTH = {"fluid.io/dataset.flights.sched": "required", "fluid.io/dataset.taxis.sched": "required", SERVERFUL: "true"}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def webhooked(given_pod: dict[str, Any], objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod as the webhook makes it."""
    answer = preview_webhook(given_pod, namespace="team", objects=objects)
    assert answer.pod is not None, answer.message
    return answer.pod


def wrapped(given_pod: dict[str, Any], *uses: str, objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The pod as wrap makes it."""
    return wrap(given_pod, uses, topology=Topology.of(objects, namespace="team")).manifest


def affinity(manifest: dict[str, Any]) -> NodeAffinity:
    """What it asks of nodes."""
    return NodeAffinity.of(manifest["spec"])


def test_two_required_datasets_must_meet() -> None:
    """Fluid takes a node with either of them; wrap one with both."""
    objects = around("flights", "taxis")
    theirs = affinity(webhooked(pod("flights", "taxis", labels=BOTH), objects))
    ours = affinity(wrapped(pod(), "team/flights,locality=require", "team/taxis,locality=require", objects=objects))
    one, both = {FLIGHTS: "true"}, {FLIGHTS: "true", TAXIS: "true"}
    assert (theirs.matches(one), theirs.matches(both)) == (True, True)
    assert (ours.matches(one), ours.matches(both)) == (False, True)


def test_a_reference_dataset_has_the_labels_of_the_physical_one() -> None:
    """Fluid asks for a label that no node has, and the pod waits for ever; wrap for the one that nodes do have."""
    objects = [*around("flights", namespace="data"), *reference("flights", "flights")]
    labels = {SERVERFUL: "true", "fluid.io/dataset.flights.sched": "required"}
    theirs = affinity(webhooked(pod("flights", labels=labels), objects))
    ours = affinity(wrapped(pod(), "team/flights,locality=require", objects=objects))
    node = {"fluid.io/s-data-flights": "true"}
    assert not theirs.matches(node)
    assert ours.matches(node)


def test_twice_is_once() -> None:
    """A second call of the webhook repeats its terms; a second wrap changes nothing."""
    objects = around("flights")
    once = webhooked(pod("flights"), objects)
    twice = webhooked(once, objects)
    assert len(affinity(once).preferred) == 1
    preferred = twice["spec"]["affinity"]["nodeAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    assert len(preferred) == 2
    ours = wrapped(pod(), "team/flights", objects=objects)
    assert wrapped(ours, "team/flights", objects=objects) == ours


def test_a_pinned_zone_switches_nothing_off() -> None:
    """Fluid drops a required dataset when the pod pins a zone; wrap asks for both."""
    objects = around("flights")
    labels = {SERVERFUL: "true", "fluid.io/dataset.flights.sched": "required"}
    pinned = {"nodeSelector": {ZONE: "a"}}
    theirs = affinity(webhooked(pod("flights", labels=labels, **pinned), objects))
    ours = affinity(wrapped(pod(**pinned), "team/flights,locality=require", objects=objects))
    assert theirs.matches({ZONE: "a"})
    assert not ours.matches({ZONE: "a"})
    assert ours.matches({ZONE: "a", FLIGHTS: "true"})


def test_what_matches_no_node_stays_so() -> None:
    """An empty term matches nothing. Fluid replaces it by its own, wrap leaves it."""
    objects = around("flights")
    labels = {SERVERFUL: "true", "fluid.io/dataset.flights.sched": "required"}
    nowhere = {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}]}}}}
    assert affinity(webhooked(pod("flights", labels=labels, **nowhere), objects)).matches({FLIGHTS: "true"})
    ours = wrapped(pod(**nowhere), "team/flights,locality=require", objects=objects)
    assert not affinity(ours).matches({FLIGHTS: "true"})


def test_a_dataset_that_is_not_bound_is_no_obstacle() -> None:
    """Fluid denies the pod; wrap needs no status at all."""
    objects = around("flights", phase="NotBound")
    answer = preview_webhook(pod("flights"), namespace="team", objects=objects)
    assert (answer.allowed, answer.pod) == (False, None)
    assert answer.message.endswith('dataset "team/flights" not bound')
    assert wrapped(pod(), "team/flights,locality=require", objects=objects)


def test_a_wrong_prefetch_is_told() -> None:
    """Fluid swallows it, and with it everything else; here it is an error."""
    annotations = {
        "file-prefetcher.fluid.io/inject": "true",
        "file-prefetcher.fluid.io/prefetch-timeout-seconds": "10m",
    }
    wrong = pod("flights")
    wrong["metadata"]["annotations"] = annotations
    answer = preview_webhook(wrong, namespace="team", objects=around("flights"))
    assert answer.allowed
    assert answer.pod == wrong
    assert 'parsing "10m": invalid syntax' in answer.ignored
    with pytest.raises(Invalid):
        DatasetUse("team/flights", prefetch=Prefetch(timeout=0))


_KEYS = (FLIGHTS, TAXIS, "gpu", "disk", ZONE)
_terms = st.lists(
    st.fixed_dictionaries(
        {"key": st.sampled_from(_KEYS), "operator": st.just("In"), "values": st.sampled_from([["true"], ["false"]])}
    ),
    max_size=2,
).map(lambda found: {"matchExpressions": found} if found else {})
_affinities = st.one_of(
    st.just({}),
    st.lists(_terms, min_size=1, max_size=2).map(
        lambda terms: {"affinity": {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}}
    ),
)
_nodes = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(["true", "false"]))


@given(
    _affinities,
    st.lists(st.sampled_from(["require", "prefer"]), min_size=2, max_size=2),
    st.sampled_from(["serverful", "serverless"]),
    st.booleans(),
    _nodes,
)
def test_the_webhook_keeps_what_wrap_requires(
    spec: dict[str, Any],
    localities: list[str],
    mode: Literal["serverful", "serverless"],
    zoned: bool,
    node: dict[str, str],
) -> None:
    """A wrapped pod that then goes through the webhook may land on no node that wrap ruled out."""
    objects = [*around("flights", zone="a" if zoned else None), *around("taxis", fuse_selector={"disk": "true"})]
    uses = [f"team/{name},locality={how}" for name, how in zip(("flights", "taxis"), localities, strict=True)]
    topology = Topology.of(objects, namespace="team")
    ours = wrap(pod(labels={"app": "a"}, **spec), uses, topology=topology, mode=mode).manifest
    theirs = webhooked(ours, objects)
    if affinity(theirs).matches(node):
        assert affinity(ours).matches(node) or {} in _raw(spec)


@given(_affinities, st.booleans(), _nodes)
def test_the_webhook_widens_nothing_but_empty_terms(spec: dict[str, Any], required: bool, node: dict[str, str]) -> None:
    """Where a pod may go after the webhook it could go before; a term that matches nothing is what Fluid drops."""
    labels = {SERVERFUL: "true"} | ({"fluid.io/dataset.flights.sched": "required"} if required else {})
    before = pod("flights", "taxis", labels=labels, **spec)
    objects = [*around("flights"), *around("taxis", fuse_selector={"disk": "true"})]
    if affinity(webhooked(before, objects)).matches(node):
        assert affinity(before).matches(node) or {} in _raw(spec)


def _raw(spec: dict[str, Any]) -> list[Any]:
    """The user's terms. One that is empty is Fluid's to lose: it drops it, and wrap must not."""
    found: list[Any] = spec.get("affinity", {}).get("nodeAffinity", {}).get(REQUIRED, {}).get("nodeSelectorTerms", [])
    return found


_words = st.sampled_from(
    ["true", "T", "yes", "", "120", "-1", "10m", "3000000000", "A=1", "A=1 B=2", "A=1  B=2", "A=b=c"]
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            f"file-prefetcher.fluid.io/{name}": _words
            for name in ("async-prefetch", "prefetch-timeout-seconds", "extra-envs")
        },
    )
)
def test_lint_knows_what_the_webhook_swallows(annotations: dict[str, str]) -> None:
    """The rule about prefetch annotations finds something exactly when the webhook stops at them."""
    given_pod = pod("flights")
    given_pod["metadata"]["annotations"] = {"file-prefetcher.fluid.io/inject": "true", **annotations}
    answer = preview_webhook(given_pod, namespace="team", objects=around("flights"))
    assert bool(answer.ignored) == bool(list(prefetch_problems(annotations)))


_places = st.sampled_from([ZONE, "topology.kubernetes.io/region", "disk"])
_speaking = _places.map(lambda key: {"matchExpressions": [{"key": key, "operator": "Exists"}]})
_localities = st.fixed_dictionaries(
    {},
    optional={
        "requiredDuringSchedulingIgnoredDuringExecution": st.lists(_speaking, max_size=2).map(
            lambda terms: {"nodeSelectorTerms": terms}
        ),
        "preferredDuringSchedulingIgnoredDuringExecution": st.lists(
            _speaking.map(lambda term: {"weight": 1, "preference": term}), max_size=2
        ),
    },
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "nodeSelector": st.dictionaries(_places, st.just("a"), max_size=1),
            "affinity": st.one_of(st.just({}), _localities.map(lambda node: {"nodeAffinity": node})),
        },
    )
)
def test_lint_knows_when_the_webhook_drops_a_requirement(spec: dict[str, Any]) -> None:
    """DF404 is found exactly when the pod that comes out asks for no cache."""
    labels = {SERVERFUL: "true", "fluid.io/dataset.flights.sched": "required"}
    given_pod = pod("flights", labels=labels, **spec)
    kept = FLIGHTS in json.dumps(webhooked(given_pod, around("flights"))["spec"])
    assert kept == ("DF404" not in {finding.code for finding in lint([given_pod], plane="kubernetes")})
