"""Handles: a dataset or a load by name, with what one does to it. They hold no state of their own."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from datafluid.errors import Invalid, NotFound, Unsupported
from datafluid.model.ref import Ref
from datafluid.model.uri import FluidURI
from datafluid.plane.port import ControlPlane, Event, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from datafluid.client import Client
    from datafluid.engine.export import Exported
    from datafluid.engine.volume import Volume
    from datafluid.model.status import DatasetStatus, OperationStatus, Progress

__all__ = ["DatasetHandle", "LoadHandle"]

_TIME_ZONE = "datafluid.io/time-zone"
_SUSPEND = "datafluid.io/suspend"
_CANCEL = "datafluid.io/cancel"
_LONGEST_LOAD_NAME = 41  # what Fluid's cron DataLoads may have: helm release and CronJob add to it


class DatasetHandle:
    """A dataset. Made by `Client.dataset`; it need not exist yet."""

    def __init__(self, client: Client, ref: Ref) -> None:
        self._client = client
        self.ref = ref

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.ref.name

    @property
    def namespace(self) -> str:
        """The dataset's namespace."""
        return self.ref.namespace or "default"

    @property
    def uri(self) -> FluidURI:
        """Where it is read: ``fluid://namespace/name``."""
        return FluidURI(self.namespace, self.name)

    def __repr__(self) -> str:
        return f"<Dataset {self.uri}>"

    def __str__(self) -> str:
        return str(self.uri)

    @property
    def manifest(self) -> Manifest:
        """The object as the plane holds it.

        Raises:
            NotFound: there is no such dataset.
        """
        return self._client.plane.get(self.ref)

    @property
    def status(self) -> DatasetStatus:
        """A frozen snapshot of what is known now; what is unknown is None.

        Raises:
            NotFound: there is no such dataset.
        """
        from datafluid.model.status import DatasetStatus

        return DatasetStatus.parse(self.manifest)

    def events(self) -> list[Event]:
        """What happened to it, oldest first."""
        return self._client.plane.events(self.ref)

    def wait(
        self,
        *,
        cached: float | None = None,
        timeout: float | None = 600,
        progress: bool | Callable[[DatasetStatus], None] = False,
    ) -> DatasetStatus:
        """Wait until the dataset is Bound, and cached to a fraction where one is given.

        Args:
            cached: The fraction of its bytes that must be cached, 0 to 1.
            timeout: Seconds; None waits for ever.
            progress: True prints to standard error; a callable gets each new snapshot.

        Returns:
            The status that ended the wait.

        Raises:
            NotFound: there is no such dataset.
            Timeout: with what was seen last, and the newest warning.
        """
        from datafluid.waiting import wait_for_dataset

        return wait_for_dataset(self._client.plane, self.ref, cached=cached, timeout=timeout, progress=progress)

    def load(
        self,
        *paths: str,
        replicas: int | None = None,
        metadata: bool = False,
        schedule: str | None = None,
        time_zone: str | None = None,
        name: str | None = None,
    ) -> LoadHandle:
        """Warm the dataset: declare a DataLoad and start it.

        Args:
            paths: What to load, below the dataset; none means all of it.
            replicas: Copies in the cache; one machine holds one whatever this says.
            metadata: Load listings only, no bytes (``options.loadMetadataOnly``, as Jindo spells it).
            schedule: A cron expression of five fields: load again at each tick.
            time_zone: The schedule's IANA time zone; UTC when not given.
            name: The DataLoad's name; made up when not given.

        Returns:
            The load; `LoadHandle.wait` waits for it.

        Raises:
            NotFound: there is no such dataset.
            Invalid: a path or the schedule is wrong.
        """
        self.manifest  # noqa: B018  # a load of a dataset that does not exist would wait for ever
        spec: dict[str, Any] = {
            "dataset": {"name": self.name, "namespace": self.namespace},
            "loadMetadata": True,
            "target": [_target(path, replicas) for path in (paths or ("/",))],
        }
        if metadata:
            spec["options"] = {"loadMetadataOnly": "true"}
        if schedule is not None:
            spec |= {"policy": "Cron", "schedule": schedule}
        document: Manifest = {
            "apiVersion": "data.fluid.io/v1alpha1",
            "kind": "DataLoad",
            "metadata": {"name": name or _generated_name(self.name), "namespace": self.namespace},
            "spec": spec,
        }
        if time_zone is not None:
            if schedule is None:
                raise Invalid("a time zone without a schedule means nothing.", hint="Give schedule= too.")
            document["metadata"]["annotations"] = {_TIME_ZONE: time_zone}
        (ref,) = self._client.apply(document).refs
        return LoadHandle(self._client.plane, ref).start()

    def scale(self, replicas: int) -> None:
        """Set the worker count of its runtime.

        Raises:
            Unsupported: it has no runtime, or one that cannot be scaled.
        """
        runtimes = self.status.runtimes
        if not runtimes:
            raise Unsupported(f"{self.ref} has no runtime to scale.", hint="Declare one of the same name.")
        runtime = runtimes[0]
        kind = runtime.kind
        self._client.plane.scale(Ref(kind, runtime.name, runtime.namespace or self.namespace), replicas=replicas)

    def refresh(self, path: str = "") -> None:
        """Forget listings below ``path``: the next read asks the under-store again."""
        self.volume().refresh(path)

    def volume(self) -> Volume:
        """Its bytes; see `Client.volume`."""
        return self._client.volume(self.namespace, self.name)

    def export(self, directory: str | Path | None = None) -> Exported:
        """Publish the loaded dataset as symlinks under its real names, for programs that need paths.

        The files stay pinned in the cache until `unexport`. Exporting again follows the dataset.

        Args:
            directory: New, empty, or exported before; None takes one below the home directory.

        Returns:
            What is there now; as a path it is the directory.

        Raises:
            Unavailable: it is not Bound, or not completely cached.
            Conflict: the directory holds something else.
        """
        from datafluid.exports import export

        return export(self._client, self, directory)

    def unexport(self, directory: str | Path | None = None) -> None:
        """Take the links of `export` away and unpin the files.

        Raises:
            Conflict: the directory holds no export of this dataset.
        """
        from datafluid.exports import unexport

        unexport(self._client, self, directory)

    def loads(self) -> list[LoadHandle]:
        """The DataLoads of this dataset."""
        found = self._client.plane.list("DataLoad", namespace=self.namespace)
        mine = [item for item in found if item["spec"].get("dataset", {}).get("name") == self.name]
        return [LoadHandle(self._client.plane, Ref.of(item)) for item in mine]

    def delete(self, *, cascade: bool = True) -> None:
        """Delete it, and with ``cascade`` its operations and its runtime.

        Raises:
            Conflict: something still uses it; the message says what.
        """
        self._client.plane.delete(self.ref, cascade=cascade)


class LoadHandle:
    """A DataLoad, or another data operation. Made by `DatasetHandle.load`."""

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
        return self.manifest["spec"].get("policy") == "Cron"

    def events(self) -> list[Event]:
        """What happened to it, oldest first."""
        return self._plane.events(self.ref)

    def start(self) -> LoadHandle:
        """Move it forward as far as it goes by itself; on a cluster its controllers do that."""
        from datafluid.plane.port import Advances

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
        from datafluid.waiting import wait_for_operation

        return wait_for_operation(self._plane, self.ref, timeout=timeout, progress=progress)

    def cancel(self) -> None:
        """Stop it; what it has loaded stays cached. One that has ended is left as it is."""
        if not self.status.finished:
            self._annotate(_CANCEL, "true")

    def suspend(self) -> None:
        """Let a schedule rest; a run in progress ends normally."""
        self._need_cron()
        self._annotate(_SUSPEND, "true")

    def resume(self) -> None:
        """Let a suspended schedule run again, from its next tick on."""
        self._need_cron()
        self._annotate(_SUSPEND, "false")

    def next_runs(self, count: int = 5, *, after: datetime | None = None) -> list[datetime]:
        """The next ticks of its schedule, in the schedule's own time zone.

        Raises:
            Unsupported: it has no schedule.
        """
        from datafluid.model.schedule import Schedule

        manifest = self._need_cron()
        zone = (manifest["metadata"].get("annotations") or {}).get(_TIME_ZONE, "UTC")
        return Schedule(manifest["spec"]["schedule"], zone).next_runs(after or datetime.now(UTC), count)

    @property
    def history(self) -> list[Any]:
        """Past runs, newest first.

        Raises:
            Unsupported: the plane keeps none.
        """
        runs = getattr(self._plane, "history", None)
        if runs is None:
            raise Unsupported(f"the {self._plane.name} plane keeps no history of {self.ref}.")
        return list(runs(self.ref))

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
        self._plane.apply(
            {
                "apiVersion": "data.fluid.io/v1alpha1",
                "kind": self.ref.kind,
                "metadata": {
                    "name": self.ref.name,
                    "namespace": self.ref.namespace,
                    "annotations": {key: value},
                },
            }
        )
        self.start()


def _target(path: str, replicas: int | None) -> dict[str, Any]:
    target: dict[str, Any] = {"path": "/" + path.strip("/")}
    return target | ({"replicas": replicas} if replicas is not None else {})


def _generated_name(dataset: str) -> str:
    suffix = f"-load-{secrets.token_hex(3)}"
    return dataset[: _LONGEST_LOAD_NAME - len(suffix)].rstrip("-") + suffix
