"""A data operation by name, with what one does to it. Handles hold no state of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from datafluid.clusters import crons
from datafluid.clusters.crons import TIME_ZONE
from datafluid.errors import NotFound, Unsupported
from datafluid.model.ref import Ref
from datafluid.plane.finding import find
from datafluid.plane.port import Advances, Cluster, ControlPlane, Event, KeepsHistory, Manifest, Run

if TYPE_CHECKING:
    from datafluid.model.status import OperationStatus, Progress

__all__ = ["TIME_ZONE", "LoadHandle"]

_SUSPEND = "datafluid.io/suspend"
_CANCEL = "datafluid.io/cancel"


class LoadHandle:
    """A DataLoad, or another data operation. Made by `DatasetHandle.load`.

    Example:
        >>> import pathlib, tempfile
        >>> directory = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (directory / "a.txt").write_text("hello")
        >>> manifest = {
        ...     "apiVersion": "data.fluid.io/v1alpha1",
        ...     "kind": "Dataset",
        ...     "metadata": {"name": "example"},
        ...     "spec": {"mounts": [{"mountPoint": f"local://{directory}", "name": "example", "path": "/"}]},
        ... }
        >>> import datafluid
        >>> client = datafluid.connect()
        >>> _ = client.apply(manifest).wait(timeout=60)
        >>> load = client.dataset("example").load(name="warm")
        >>> load.wait(timeout=60).phase
        'Complete'
    """

    def __init__(self, plane: ControlPlane, ref: Ref) -> None:
        self._plane = plane
        self.ref = ref

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.ref.name

    def __repr__(self) -> str:
        return f"<{self.ref}>"

    @property
    def manifest(self) -> Manifest:
        """The object as the plane holds it."""
        return self._plane.get(self.ref)

    @property
    def status(self) -> OperationStatus:
        """A frozen snapshot of what is known now."""
        from datafluid.model.status import OperationStatus

        return OperationStatus.parse(self.manifest)

    @property
    def progress(self) -> Progress | None:
        """Bytes and files done, rate and ETA; None before it starts."""
        return self.status.progress

    @property
    def is_cron(self) -> bool:
        """Whether it runs on a schedule."""
        return bool(self.manifest["spec"].get("policy") == "Cron")

    def events(self) -> list[Event]:
        """What happened to it, oldest first."""
        return self._plane.events(self.ref)

    def start(self) -> LoadHandle:
        """Move it forward as far as it goes by itself; on a cluster its controllers do that."""
        if isinstance(self._plane, Advances):
            self._plane.advance(self.ref)
        return self

    def wait(
        self,
        *,
        timeout: float | None = None,
        progress: bool | Callable[[OperationStatus], None] = False,
    ) -> OperationStatus:
        """Wait until it ends; for one on a schedule, until its next run ends.

        Args:
            timeout: Seconds; None waits for ever. When it passes, the load goes on.
            progress: True prints to standard error; a callable gets each new snapshot.

        Returns:
            The status that ended the wait.

        Raises:
            OperationFailed: it failed, with the reason.
            Timeout: with what was seen last.
        """
        from datafluid.waiting.ended import wait_for_operation

        return wait_for_operation(self._plane, self.ref, timeout=timeout, progress=progress)

    def cancel(self) -> None:
        """Stop it; what it has loaded stays cached. One that has ended is left as it is.

        Fluid knows no such thing. On a cluster an operation is stopped by deleting it; of one on a schedule the runs
        in progress are, and the schedule goes on.
        """
        if self.status.finished:
            return
        if not self.on_cluster:
            self._annotate(_CANCEL, "true")
        elif self.is_cron:
            crons.stop_runs(self._plane, self.ref)
        else:
            self.delete()

    def suspend(self) -> None:
        """Let a schedule rest; a run in progress ends normally.

        On a cluster this is written into the CronJob behind it, where Fluid leaves it alone and does not show it.

        Raises:
            Unsupported: it has no schedule.
            Conflict: Fluid has not made its CronJob yet.
        """
        self._need_cron()
        if self.on_cluster:
            crons.suspend(self._plane, self.ref)
        else:
            self._annotate(_SUSPEND, "true")

    def resume(self) -> datetime | None:
        """Let a suspended schedule run again.

        Returns:
            The tick that was missed meanwhile where it is made up for at once, as Kubernetes does; else None.

        Raises:
            Unsupported: it has no schedule.
            Conflict: Fluid has not made its CronJob yet.
        """
        self._need_cron()
        if self.on_cluster:
            return crons.resume(self._plane, self.ref, now=datetime.now(UTC))
        self._annotate(_SUSPEND, "false")
        return None

    @property
    def suspended(self) -> bool:
        """Whether its schedule rests."""
        manifest = self.manifest
        if self.on_cluster:
            cron = find(self._plane, crons.cron_job_ref(self.ref))
            return bool(cron is not None and cron["spec"].get("suspend"))
        return bool((manifest["metadata"].get("annotations") or {}).get(_SUSPEND) == "true")

    def next_runs(self, count: int = 5, *, after: datetime | None = None) -> list[datetime]:
        """The next ticks of its schedule, in the schedule's own time zone.

        Raises:
            Unsupported: it has no schedule.
        """
        from datafluid.model.schedule import Schedule

        manifest = self._need_cron()
        if self.on_cluster:
            return crons.next_runs(self._plane, manifest, count, after=after or datetime.now(UTC))
        zone = (manifest["metadata"].get("annotations") or {}).get(TIME_ZONE, "UTC")
        return Schedule(manifest["spec"]["schedule"], zone).next_runs(after or datetime.now(UTC), count)

    @property
    def history(self) -> list[Run]:
        """Past runs, newest first.

        Raises:
            Unsupported: the plane keeps none.
        """
        if self.on_cluster and self.is_cron:
            return crons.history(self._plane, self.ref)
        if not isinstance(self._plane, KeepsHistory):
            raise Unsupported(f"the {self._plane.name} plane keeps no history of {self.ref}.")
        return self._plane.history(self.ref)

    @property
    def on_cluster(self) -> bool:
        """Whether Kubernetes runs it, and not this machine."""
        return isinstance(self._plane, Cluster)

    def delete(self) -> None:
        """Delete it; a run in progress is cancelled. One that is gone already is no error."""
        try:
            self._plane.delete(self.ref)
        except NotFound:
            return

    def _need_cron(self) -> Manifest:
        manifest = self.manifest
        if manifest["spec"].get("policy") != "Cron":
            raise Unsupported(f"{self.ref} has no schedule.", hint="Load with schedule='0 3 * * *'.")
        return manifest

    def _annotate(self, key: str, value: str) -> None:
        """Apply the whole object again with one annotation more: what apply does not name it takes away."""
        manifest = self.manifest
        metadata = {name: manifest["metadata"].get(name) or {} for name in ("labels", "annotations")}
        metadata["annotations"] = {**metadata["annotations"], key: value}
        self._plane.apply(
            {
                "apiVersion": manifest["apiVersion"],
                "kind": self.ref.kind,
                "metadata": {"name": self.ref.name, "namespace": self.ref.namespace, **metadata},
                "spec": manifest["spec"],
            }
        )
        self.start()
