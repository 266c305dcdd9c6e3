"""Pods that no API server would take, and clusters that are half there: an answer, or `Invalid`, never a crash."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Invalid
from datafluid.workload.webhook import preview_webhook
from tests.workload.webhook.world import SERVERFUL, SERVERLESS, around, pod

_junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "flights", "true", "name"]),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.sampled_from(["name", "spec", "x"]), below, max_size=2)
    ),
    max_leaves=4,
)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, part in below for each in _paths(part, (*path, key)))]


def _put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    changed = copy.copy(document)
    changed[path[0]] = _put(document[path[0]], path[1:], value)
    return changed


_ANNOTATED = {
    "file-prefetcher.fluid.io/inject": "true",
    "file-prefetcher.fluid.io/file-list": "pvc://flights/a/*;pvc://flights",
    "default.fuse-sidecar.fluid.io/host-mount-path-mode": "random-suffix",
}


@st.composite
def _broken(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A sound pod and a sound cluster, with junk in one place of each."""
    label = draw(st.sampled_from([SERVERFUL, SERVERLESS]))
    given_pod = pod("flights", labels={label: "true", "fluid.io/dataset.flights.sched": "required"})
    given_pod["metadata"]["annotations"] = dict(_ANNOTATED)
    given_pod["spec"]["initContainers"] = copy.deepcopy(given_pod["spec"]["containers"])
    given_pod["spec"]["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}
    objects: Any = around("flights", zone="a", fuse_selector={"disk": "ssd"})
    given_pod = _put(given_pod, draw(st.sampled_from(_paths(given_pod)[1:])), draw(_junk))
    path = draw(st.sampled_from([each for each in _paths(objects) if len(each) > 1]))
    return given_pod, _put(objects, path, draw(_junk))


@given(_broken())
def test_junk_anywhere(broken: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
    """The answer is one that could be sent, and what was given is left alone."""
    given_pod, objects = broken
    before = copy.deepcopy((given_pod, objects))
    try:
        answer = preview_webhook(given_pod, namespace="team", objects=objects)
    except Invalid as error:
        assert error.hint
    else:
        json.dumps(answer.pod)
        assert answer.allowed == (answer.pod is not None)
    assert (given_pod, objects) == before


@given(st.lists(st.sampled_from(around("flights", "taxis")), max_size=10, unique_by=id))
def test_a_cluster_that_is_half_there(objects: list[dict[str, Any]]) -> None:
    """Whatever is missing: denied, swallowed or done, and every pod that comes out has its own container."""
    for label in (SERVERFUL, SERVERLESS):
        answer = preview_webhook(pod("flights", "taxis", labels={label: "true"}), namespace="team", objects=objects)
        assert answer.allowed or answer.message
        if answer.pod is not None:
            assert "main" in [each["name"] for each in answer.pod["spec"]["containers"]]


@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"plugins": {"serverful": {"withDataset": ["Nope"]}}}, "no plugin 'Nope'"),
        ({"pluginConfig": [{"name": "NodeAffinityWithCache", "args": "a: ["}]}, "not YAML"),
        (
            {"pluginConfig": [{"name": "NodeAffinityWithCache", "args": "preferred: [{name: a, weight: b}]"}]},
            "no number",
        ),
        ({"plugins": {"serverful": {"withDataset": ["FuseSidecar"]}}}, "for ever"),
    ],
)
def test_a_profile_with_which_the_webhook_does_not_work(profile: dict[str, Any], told: str) -> None:
    """It would not start, or would never answer: that is said, not played."""
    with pytest.raises(Invalid, match=told) as caught:
        preview_webhook(pod("flights"), namespace="team", objects=around("flights"), profile=profile)
    assert caught.value.hint


def test_a_fuse_that_mounts_its_own_dataset() -> None:
    """The webhook would inject round after round; that is noticed."""
    objects = around("flights")
    (daemon_set,) = [each for each in objects if each["kind"] == "DaemonSet"]
    template = daemon_set["spec"]["template"]["spec"]
    template["volumes"].append({"name": "own", "persistentVolumeClaim": {"claimName": "flights"}})
    template["containers"][0]["volumeMounts"].append({"name": "own", "mountPath": "/own"})
    with pytest.raises(Invalid, match="for ever"):
        preview_webhook(pod("flights", labels={SERVERLESS: "true"}), namespace="team", objects=objects)


def test_a_name_as_long_as_the_prefix() -> None:
    """By reading Fluid: the slice of five characters from the sixth on is a crash, and the API server refuses."""
    labels = {SERVERLESS: "true", "cachedir.sidecar.fluid.io/inject": "true"}
    given_pod = pod("flights", labels=labels)
    given_pod["spec"]["volumes"].append({"name": "mem-0", "emptyDir": {}})
    answer = preview_webhook(given_pod, namespace="team", objects=around("flights"))
    assert not answer.allowed
    assert "crashes" in answer.message
