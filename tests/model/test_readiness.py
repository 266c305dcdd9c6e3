"""When a dataset on a cluster can be used: each thing that is missing is named, in the order in which it comes."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.model.readiness import readiness

_RUNTIME = {"status": {"workerNumberReady": 2, "desiredWorkerNumberScheduled": 2, "desiredFuseNumberScheduled": 0}}
_CLAIM = {"status": {"phase": "Bound"}}
_MOUNT = {"mountPoint": "https://a.example.com/x", "name": "x"}


def dataset(phase: str = "Bound", type: str = "alluxio", **status: Any) -> dict[str, Any]:
    """A dataset on a runtime."""
    bound = {"runtimes": [{"name": "a", "namespace": "b", "type": type}], "mounts": [_MOUNT]}
    return {
        "metadata": {"name": "a", "namespace": "b"},
        "spec": {"mounts": [_MOUNT]},
        "status": {"phase": phase, **bound, **status},
    }


def test_all_there_is_ready() -> None:
    assert readiness(dataset(), claim=_CLAIM, runtime=_RUNTIME).ready


@pytest.mark.parametrize("phase", ["", "NotBound", "Failed", "Updating", "DataMigrating", "Pending"])
def test_no_other_phase_is_ready_and_none_is_final(phase: str) -> None:
    state = readiness(dataset(phase), claim=_CLAIM, runtime=_RUNTIME)
    assert not state.ready
    assert (state.look_at, state.hopeless) == ("dataset", "")
    assert state.waiting_for


@pytest.mark.parametrize("claim", [None, {}, {"status": {"phase": "Pending"}}])
def test_bound_comes_before_the_claim(claim: Any) -> None:
    state = readiness(dataset(), claim=claim, runtime=_RUNTIME)
    assert (state.ready, state.waiting_for, state.look_at) == (False, "its PersistentVolumeClaim", "claim")


@pytest.mark.parametrize(
    ("status", "waiting"),
    [
        ({}, "the status of its AlluxioRuntime"),
        ({"workerNumberReady": 1, "desiredWorkerNumberScheduled": 3}, "workers (1 of 3 ready)"),
        ({"fuseNumberReady": 1, "desiredFuseNumberScheduled": 2}, "FUSE (1 of 2 ready)"),
    ],
)
def test_components_are_waited_for(status: dict[str, Any], waiting: str) -> None:
    state = readiness(dataset(), claim=_CLAIM, runtime={"status": status})
    assert (state.waiting_for, state.look_at) == (waiting, "runtime")


def test_fuse_that_nobody_wants_yet_is_ready() -> None:
    idle = {"status": {"workerNumberReady": 0, "desiredWorkerNumberScheduled": 0, "desiredFuseNumberScheduled": 0}}
    assert readiness(dataset(type="thin"), claim=_CLAIM, runtime=idle).ready


def test_what_may_not_be_read_is_not_waited_for() -> None:
    assert readiness(dataset(), claim=None, runtime=None, blind_to=frozenset({"claim", "runtime"})).ready


def test_only_status_mounts_proves_a_change_of_mounts() -> None:
    changed = dataset(conditions=[{"type": "Updating", "status": "True"}])
    changed["spec"]["mounts"] = [_MOUNT, {"mountPoint": "https://a.example.com/y", "name": "y"}]
    state = readiness(changed, claim=_CLAIM, runtime=_RUNTIME)
    assert (state.ready, state.look_at) == (False, "dataset")
    changed["status"]["mounts"] = list(reversed(changed["spec"]["mounts"]))
    assert readiness(changed, claim=_CLAIM, runtime=_RUNTIME).ready


@pytest.mark.parametrize("type", ["thin", "juicefs"])
def test_engines_that_never_update_status_mounts_are_not_waited_for(type: str) -> None:
    changed = dataset(type=type)
    changed["spec"]["mounts"] = [{"mountPoint": "nfs.example.com:/other", "name": "x"}]
    assert readiness(changed, claim=_CLAIM, runtime=_RUNTIME).ready


def test_a_reference_shows_the_mounts_of_another() -> None:
    reference = dataset()
    reference["spec"]["mounts"] = [{"mountPoint": "dataset://c/d", "name": "x"}]
    assert readiness(reference, claim=_CLAIM, runtime=_RUNTIME).ready


def test_bytes_are_waited_for_last() -> None:
    states = {"cacheCapacity": "4.00GiB", "cached": "1.00GiB", "cachedPercentage": "50.0%"}
    half = dataset(ufsTotal="2.00GiB", cacheStates=states)
    assert readiness(half, claim=_CLAIM, runtime=_RUNTIME, cached=0.5).ready
    assert readiness(half, claim=_CLAIM, runtime=_RUNTIME, cached=0.6).waiting_for == "60% cached"


def test_more_than_the_cache_holds_is_hopeless_and_says_how_much_it_holds() -> None:
    states = {"cacheCapacity": "4.00GiB", "cached": "4.00GiB", "cachedPercentage": "40.0%"}
    large = dataset(ufsTotal="10.00GiB", cacheStates=states)
    assert (
        "room for 4.00GiB of 10.00GiB, 40.0%" in readiness(large, claim=_CLAIM, runtime=_RUNTIME, cached=1.0).hopeless
    )
    assert readiness(large, claim=_CLAIM, runtime=_RUNTIME, cached=0.4).ready


@pytest.mark.parametrize("figures", [{"ufsTotal": "[Calculating]"}, {"ufsTotal": ""}, {}])
def test_an_unknown_size_is_no_reason_to_give_up(figures: dict[str, str]) -> None:
    unknown = dataset(**figures, cacheStates={"cacheCapacity": "1.00GiB", "cached": "", "cachedPercentage": ""})
    state = readiness(unknown, claim=_CLAIM, runtime=_RUNTIME, cached=1.0)
    assert (state.ready, state.hopeless) == (False, "")
