"""Waits judge what they hear: wrong input is refused, unknown engines are not waited for, grace has an end."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import Invalid, Timeout, Unavailable, Unsupported
from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane

_REF = Ref("Dataset", "demo", "team")
_DATASET: dict[str, Any] = {
    "apiVersion": "data.fluid.io/v1alpha1",
    "kind": "Dataset",
    "metadata": {"name": "demo", "namespace": "team"},
    "spec": {"mounts": [{"mountPoint": "s3://bucket/x", "name": "x"}]},
}


class Unserved(InMemoryPlane):
    """A cluster that serves none of an engine's kinds."""

    def watch(self, kind: str, **options: Any) -> Any:
        """Claims are there, the engine's own kind is not."""
        if kind == "goosefs":
            raise Unsupported("the server does not serve goosefs.")
        return super().watch(kind, **options)

    def get(self, ref: Ref) -> Any:
        """Likewise."""
        if ref.kind == "goosefs":
            raise Unsupported("the server does not serve goosefs.")
        return super().get(ref)


def client(plane: InMemoryPlane, **status: Any) -> Client:
    """A client of a plane with one dataset."""
    plane.put(_DATASET | {"status": status})
    return Client(plane, Context(name="memory", plane="kubernetes", namespace="team"))


@pytest.mark.parametrize("cached", [-0.1, 1.5, float("nan")])
def test_a_fraction_that_is_none_is_refused(cached: float) -> None:
    with pytest.raises(Invalid, match="no fraction"):
        client(InMemoryPlane(lively=False)).dataset("demo").wait(cached=cached)


def test_an_engine_that_is_not_served_any_more_is_not_waited_for() -> None:
    plane = Unserved(lively=False)
    bound = [{"name": "demo", "namespace": "team", "type": "goosefs"}]
    connected = client(plane, phase="Bound", runtimes=bound)
    plane.put(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "demo", "namespace": "team"},
            "status": {"phase": "Bound"},
        }
    )
    assert connected.dataset("demo").wait(timeout=5).phase == "Bound"


def test_a_failure_that_does_not_pass_is_one_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datafluid.waiting.usable._GRACE", 0.2)
    with pytest.raises(Unavailable, match="has been Failed for"):
        client(InMemoryPlane(lively=False), phase="Failed").dataset("demo").wait(timeout=60)


class Leaving(InMemoryPlane):
    """A plane that answers so many looks, then fails so many, then answers again."""

    def __init__(self, *, answers: int, failures: int, lively: bool = False) -> None:
        super().__init__(lively=lively)
        self.answers, self.failures = answers, failures

    def get(self, ref: Ref) -> Any:
        """Or Unavailable."""
        if self.answers > 0:
            self.answers -= 1
        elif self.failures > 0:
            self.failures -= 1
            raise Unavailable("127.0.0.1 cannot be reached: refused.", hint="Is it up?")
        return super().get(ref)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long pauses between two questions."""
    monkeypatch.setattr("datafluid.waiting.outages._FIRST", 0.001)
    monkeypatch.setattr("datafluid.waiting.outages._LONGEST", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_wait_outlasts_a_plane_that_goes_away_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    connected = client(plane := Leaving(answers=1, failures=7), phase="Bound")
    assert connected.dataset("demo").wait(timeout=60).phase == "Bound"
    assert plane.failures == 0
    away, back = caplog.messages
    assert "does not answer since" in away
    assert "cannot be reached: refused" in away
    assert "answers again" in back


@pytest.mark.usefixtures("impatient")
def test_a_plane_that_stays_away_ends_the_wait_at_its_own_end() -> None:
    connected = client(Leaving(answers=1, failures=10**6), phase="NotBound")
    with pytest.raises(Timeout, match=r"0\.3 s are over, and the plane does not answer since .*refused") as caught:
        connected.dataset("demo").wait(timeout=0.3)
    assert caught.value.hint == "Is it up?"


def test_a_plane_that_never_answered_is_not_waited_for() -> None:
    connected = client(Leaving(answers=0, failures=1), phase="Bound")
    with pytest.raises(Unavailable):
        connected.dataset("demo").wait(timeout=60)


def test_seconds_are_told_as_people_say_them() -> None:
    with pytest.raises(Timeout, match=r"not ready after 0\.2 s, waiting for"):
        client(InMemoryPlane(lively=False)).dataset("demo").wait(timeout=0.199999)


@pytest.mark.usefixtures("impatient")
def test_a_wait_for_an_operation_outlasts_it_too() -> None:
    plane = Leaving(answers=1, failures=5, lively=True)
    connected = client(plane)
    plane.answers = 10
    load = connected.dataset("demo").load()
    plane.answers = 1
    assert load.wait(timeout=60).phase == "Complete"
    assert plane.failures == 0


def _job(name: str, started: str) -> dict[str, Any]:
    """A run of ``nightly`` that somebody started by hand, and that went well: no tick is its own."""
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly-loader-job", "uid": "cron"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "team", "ownerReferences": [owner], "creationTimestamp": started},
        "status": {
            "startTime": started,
            "conditions": [{"type": "Complete", "status": "True", "lastTransitionTime": started}],
        },
    }


def test_a_run_that_was_started_by_hand_is_one_that_ends() -> None:
    """Also after another one that was: neither belongs to a tick."""
    plane = InMemoryPlane(lively=False)
    name = {"name": "nightly-loader-job", "namespace": "team", "uid": "cron"}
    plane.put({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": name, "spec": {"schedule": "0 3 * * *"}})
    plane.put(_job("before", "2026-01-01T00:00:00Z"))
    connected = client(plane)
    load = connected.dataset("demo").load(schedule="0 3 * * *", name="nightly")
    told = lambda status: plane.put(_job("after", "2026-01-02T00:00:00Z"))  # noqa: E731
    assert load.wait(timeout=5, progress=told).phase == "Complete"


def _loading(**dataset_status: Any) -> Client:
    """A client of a plane with a load that has not begun."""
    plane = InMemoryPlane(lively=False)
    names = {"name": "load", "namespace": "team"}
    spec = {"dataset": {"name": "demo", "namespace": "team"}}
    plane.put({"apiVersion": "data.fluid.io/v1alpha1", "kind": "DataLoad", "metadata": names, "spec": spec})
    return client(plane, **dataset_status)


def _not_ready(reason: str) -> dict[str, Any]:
    return {"type": "Ready", "status": "False", "reason": reason, "message": "s3://bucket/x cannot be reached"}


def test_a_load_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its dataset is not Bound: while it waits, and when it gives up."""
    monkeypatch.setattr("datafluid.waiting.listening._SILENCES", (0.01,))
    told: list[str] = []
    waiting = _loading(phase="NotBound", conditions=[_not_ready("DatasetFailedToSetup")])
    with pytest.raises(Timeout, match=r"Dataset team/demo is NotBound; .*runtime"):
        waiting.load("load").wait(timeout=0.5, progress=lambda status: told.append(status.reason))
    assert told[0] == ""
    assert told[-1].startswith("Dataset team/demo is NotBound; ")
