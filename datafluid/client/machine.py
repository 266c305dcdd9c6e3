"""What happens on this machine: bytes are read and kept, schedules run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from datafluid.client.base import Connected

if TYPE_CHECKING:
    from threading import Event as Stop

    from datafluid.engine.remote.volumes import RemoteVolumes
    from datafluid.engine.serve import Due
    from datafluid.engine.volume import Volume

__all__ = ["Machine"]


class Machine(Connected):
    """Mixed into `datafluid.client.Client`."""

    def volume(self, namespace: str, name: str) -> Volume:
        """The bytes of a bound dataset; what ``fluid://`` reads from.

        Raises:
            NotFound: there is no such dataset.
            Unavailable: it is not Bound, or no way leads to it from here; the message says why.
        """
        from datafluid.engine.plane import EmbeddedPlane

        if isinstance(self.plane, EmbeddedPlane):
            return self.plane.volume(namespace, name, serve_stale=self.context.serve_stale)
        return self._remote.volume(namespace, name)

    def run_due(self, *, wait: bool = False) -> Due:
        """Run what is due now on this machine: turns of schedules, loads that died, deletions.

        Args:
            wait: Stay until everything that runs has ended.

        Raises:
            Unsupported: the plane has controllers of its own.
        """
        from datafluid.engine.serve import run_due

        return run_due(self.embedded("runs its schedules itself"), wait=wait)

    def serve(self, stop: Stop, *, tell: Callable[[str], None]) -> None:
        """Run what is due on this machine until ``stop`` is set; stand by while another one does.

        Args:
            tell: Gets a line for each thing worth telling.

        Raises:
            Unsupported: the plane has controllers of its own.
        """
        from datafluid.engine.serve import Server

        Server(self.embedded("runs its schedules itself"), tell=tell).run(stop)

    @cached_property
    def _remote(self) -> RemoteVolumes:
        from datafluid.engine.home import Home
        from datafluid.engine.remote.volumes import RemoteVolumes

        return RemoteVolumes(self.plane, Home.open(self.context.home), serve_stale=self.context.serve_stale)
