"""Waits judge what they hear: wrong input is refused, unknown engines are not waited for, grace has an end."""

from __future__ import annotations

from typing import Any

import pytest

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import Invalid, Unavailable, Unsupported
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
