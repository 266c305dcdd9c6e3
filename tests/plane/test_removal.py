"""Deleting a dataset again when it is gone and its remains are not."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from datafluid.client import Client
from datafluid.context import Context
from datafluid.errors import NotFound, Timeout
from datafluid.model.ref import Ref
from datafluid.testing import InMemoryPlane

_CLAIM = Ref("v1/PersistentVolumeClaim", "demo", "team")


def _client(**metadata: Any) -> Client:
    plane = InMemoryPlane(lively=False)
    claim = {"name": "demo", "namespace": "team", **metadata}
    plane.put({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim})
    return Client(plane, Context(name="memory", plane="kubernetes", namespace="team"))


def test_what_is_left_of_a_deletion_before_is_waited_for() -> None:
    client = _client(annotations={"CreatedBy": "fluid"})
    with pytest.raises(Timeout, match="PersistentVolumeClaim team/demo is not gone"):
        client.dataset("demo").delete(wait=True, timeout=0.2)
    goes = threading.Timer(0.1, client.plane.delete, [_CLAIM])
    goes.start()
    client.dataset("demo").delete(wait=True, timeout=60)
    goes.join()
    with pytest.raises(NotFound):
        client.dataset("demo").delete(wait=True, timeout=60)


def test_a_claim_of_somebody_else_is_no_remains() -> None:
    with pytest.raises(NotFound):
        _client().dataset("demo").delete(wait=True, timeout=60)


def test_who_does_not_wait_is_told_that_it_is_gone() -> None:
    with pytest.raises(NotFound):
        _client(annotations={"CreatedBy": "fluid"}).dataset("demo").delete()
