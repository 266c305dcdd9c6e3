"""Surroundings that back off: mounts that could not be reached are left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.dataset import Probe
from datafluid.engine.reconcile.tiers import Machine
from datafluid.engine.reconcile.values import Totals
from datafluid.engine.surroundings import Surroundings

__all__ = ["BacksOff"]


class BacksOff:
    """Other surroundings, but mounts that could not be reached are not tried again at once.

    Args:
        inner: The surroundings to ask.
        pause: Seconds for which a failure is remembered; another binding is tried at once.
    """

    def __init__(self, inner: Surroundings, *, pause: float) -> None:
        self._inner = inner
        self._pause = pause
        self._failed: dict[str, tuple[Binding, float, Probe]] = {}

    def probe(self, binding: Binding) -> Probe:
        """Reach every mount, unless that has failed just now."""
        tried = self._failed.pop(binding.uid, None)
        if tried is not None and tried[0] == binding and time.monotonic() - tried[1] < self._pause:
            self._failed[binding.uid] = tried
            return tried[2]
        probe = self._inner.probe(binding)
        if probe.error:
            self._failed[binding.uid] = (binding, time.monotonic(), probe)
        return probe

    def machine(self, tier_paths: Sequence[str]) -> Machine:
        """As the inner surroundings see it."""
        return self._inner.machine(tier_paths)

    def ignored_options(self, dataset: Mapping[str, Any]) -> tuple[str, ...]:
        """As the inner surroundings see it."""
        return self._inner.ignored_options(dataset)

    def count(self, binding: Binding, *, seconds: float) -> Totals | None:
        """As the inner surroundings count."""
        return self._inner.count(binding, seconds=seconds)

    def forget(self, uid: str, *, but: Collection[str] = ()) -> None:
        """As the inner surroundings do it."""
        self._inner.forget(uid, but=but)

    def alive(self, uid: str, scheduled: int) -> bool:
        """As the inner surroundings see it."""
        return self._inner.alive(uid, scheduled)

    def start(self, uid: str, scheduled: int) -> bool:
        """As the inner surroundings do it."""
        return self._inner.start(uid, scheduled)
