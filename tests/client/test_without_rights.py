"""Waits of people who may look at little: what may not be read is unknown, and no reason to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from datafluid import Client
from datafluid.clusters.removal import remove
from datafluid.clusters.several import holdings
from datafluid.errors import Forbidden, Timeout
from datafluid.model.ref import Ref
from datafluid.plane.port import Event
from datafluid.testing import InMemoryPlane
from datafluid.waiting import ended

_DATASET = Ref("Dataset", "flights", "team")


class _Blind(InMemoryPlane):
    """Nobody may read its events."""

    def events(self, ref: Ref) -> Sequence[Event]:  # type: ignore[override]
        raise Forbidden(f"{ref}: no events for you.")


def _fluid(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "data.fluid.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "team", **metadata},
        "spec": spec,
    }


def test_a_load_is_waited_for_without_the_right_to_read_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """After some quiet a wait looks around for events that tell of failure; it goes on where it may not."""
    plane = _Blind(lively=False)
    plane.put(_fluid("DataLoad", "warm", {"dataset": {"name": "flights", "namespace": "team"}}))
    plane.set_status(Ref("DataLoad", "warm", "team"), {"phase": "Executing"})
    monkeypatch.setattr(ended, "diagnosis", lambda plane, last, phase: phase)
    with pytest.raises(Timeout, match="Executing"):
        ended.wait_for_operation(plane, Ref("DataLoad", "warm", "team"), timeout=0.2, progress=False)


def test_who_holds_a_claim_is_told_without_the_right_to_read_events() -> None:
    """The pods that mount it are looked for all the same."""
    plane = _Blind(lively=False)
    plane.put(_fluid("Dataset", "flights", {"mounts": []}))
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "flights", "namespace": "team", "finalizers": ["kubernetes.io/pvc-protection"]},
    }
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "reader", "namespace": "team"},
        "spec": {"volumes": [{"persistentVolumeClaim": {"claimName": "flights"}}]},
    }
    plane.put(claim)
    plane.put(pod)
    with pytest.raises(Timeout, match="used by Pod team/reader"):
        remove(plane, _DATASET, cascade=True, wait=True, timeout=0.2)


def test_loads_of_a_namesake_elsewhere_are_not_ours() -> None:
    """A DataLoad may name a dataset of another namespace."""
    client = Client(InMemoryPlane())
    client.plane.put(_fluid("Dataset", "flights", {"mounts": []}))  # type: ignore[attr-defined]
    for name, namespace in (("mine", "team"), ("theirs", "other")):
        spec = {"dataset": {"name": "flights", "namespace": namespace}}
        client.plane.put(_fluid("DataLoad", name, spec))  # type: ignore[attr-defined]
    assert [load.name for load in client.dataset("team/flights").loads()] == ["mine"]


def test_several_contexts_are_asked_for_kinds_of_others_too() -> None:
    """A qualified kind is one that every context may be asked for."""
    (embedded,) = holdings(["v1/Pod", "ThinRuntimeProfile"], contexts=["embedded"])
    assert (embedded.objects, embedded.error) == ((), None)
