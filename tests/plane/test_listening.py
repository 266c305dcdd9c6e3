"""Listening goes on while the server is away, for as long as a watch does, and not for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from datafluid.errors import Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane, WatchEvent
from datafluid.waiting import listening

_REF = Ref("Dataset", "demo", "team")
_FIRST = {"metadata": {"name": "demo", "namespace": "team", "resourceVersion": "1"}, "spec": {}}


class _Away:
    """A plane with controllers of its own whose server does not answer so many watches."""

    def __init__(self, times: int) -> None:
        self.times = times

    def watch(self, kind: str, **options: Any) -> Iterator[WatchEvent]:
        """Nothing, then news."""
        self.times -= 1
        if self.times >= 0:
            raise Unavailable("the server is away.")
        yield WatchEvent(type="MODIFIED", object={**_FIRST, "since": options["since"]}, version="2")


def _heard(plane: _Away, first: dict[str, Any] | None) -> Iterator[listening.Heard]:
    deadline = listening.Deadline(30)
    return listening.listen(cast(ControlPlane, plane), _REF, deadline=deadline, quiet=lambda: 10.0, first=first)


def test_an_outage_between_two_watches_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on from the version that was seen: nothing is lost."""
    monkeypatch.setattr(listening, "_LONGEST_LOOK", 0.001)
    sounds = _heard(_Away(5), _FIRST)
    assert next(sounds).object == _FIRST
    assert (next(sounds).object or {})["since"] == "1"


def test_an_outage_without_an_end_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a server that never answered is not waited for at all."""
    monkeypatch.setattr(listening, "_LONGEST_LOOK", 0.001)
    monkeypatch.setattr(listening, "_OUTAGE", 0.05)
    with pytest.raises(Unavailable):
        list(_heard(_Away(10**9), _FIRST))
    plane = _Away(1)
    with pytest.raises(Unavailable):
        next(_heard(plane, None))
    assert plane.times == 0
