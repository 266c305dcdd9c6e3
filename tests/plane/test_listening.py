"""Listening goes on while the server is away, for as long as the wait has time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from datafluid.errors import Timeout, Unavailable
from datafluid.model.ref import Ref
from datafluid.plane.port import ControlPlane, WatchEvent
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.listening import Heard, listen

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

    def get(self, ref: Ref) -> dict[str, Any]:
        """It answers when a watch would."""
        if self.times > 0:
            raise Unavailable("the server is away.")
        return _FIRST


def _heard(plane: _Away, seconds: float) -> Iterator[Heard]:
    deadline = Deadline(seconds)
    return listen(cast(ControlPlane, plane), _REF, deadline=deadline, first=_FIRST)


def test_an_outage_between_two_watches_is_waited_for() -> None:
    """It goes on from the version that was seen: nothing is lost."""
    sounds = _heard(_Away(1), 30)
    assert next(sounds).object == _FIRST
    assert (next(sounds).object or {})["since"] == "1"


def test_an_outage_without_an_end_ends_with_the_wait() -> None:
    with pytest.raises(Timeout, match="the server is away"):
        list(_heard(_Away(10**9), 0.1))
