"""A dataset by name, with what one does to it. Handles hold no state of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from datafluid.clusters.crons import make_effective
from datafluid.errors import Invalid
from datafluid.loads import TIME_ZONE, LoadHandle
from datafluid.model.names import generated_name
from datafluid.model.ref import Ref
from datafluid.model.uri import FluidURI
from datafluid.plane.port import Cluster, Event, Manifest

if TYPE_CHECKING:
    from pathlib import Path

    from datafluid.client import Client
    from datafluid.diagnosis import Diagnosis
    from datafluid.engine.export import Exported
    from datafluid.engine.volume import Volume
    from datafluid.model.graph import OperationGraph
    from datafluid.model.status import DatasetStatus

__all__ = ["DatasetHandle", "LoadHandle"]

_FLUID_TAKES = 60.0  # seconds, more than it does, to make a CronJob for a dataset that is Bound


class DatasetHandle:
    """A dataset. Made by `Client.dataset`; it need not exist yet.

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
        >>> _ = client.apply(manifest)
        >>> client.dataset("example").wait(timeout=60).phase
        'Bound'
    """

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

    def diagnose(self) -> Diagnosis:
        """Why it is not what it should be; see `Client.diagnose`."""
        return self._client.diagnose(self.name, namespace=self.namespace)

    def wait(
        self,
        *,
        cached: float | None = None,
        timeout: float | None = 600,
        progress: bool | Callable[[DatasetStatus], None] = False,
    ) -> DatasetStatus:
        """Wait until the dataset can be used, and is cached to a fraction where one is given.

        On a cluster that is: Bound, changed mounts in effect, its claim bound, all its workers and FUSE pods ready.

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
        from datafluid.waiting.usable import wait_for_dataset

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
            time_zone: The schedule's IANA time zone; UTC when not given. Fluid has no such field, so on a cluster
                this waits until Fluid has made the CronJob, a minute at most, and writes it there.
            name: The DataLoad's name; made up when not given.

        Returns:
            The load; `LoadHandle.wait` waits for it.

        Raises:
            NotFound: there is no such dataset.
            Invalid: a path or the schedule is wrong.
            Timeout: Fluid has made no CronJob that could take the time zone.
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
            "metadata": {"name": name or generated_name(self.name, "load"), "namespace": self.namespace},
            "spec": spec,
        }
        if time_zone is not None:
            if schedule is None:
                raise Invalid("a time zone without a schedule means nothing.", hint="Give a schedule too.")
            document["metadata"]["annotations"] = {TIME_ZONE: time_zone}
        (ref,) = self._client.apply(document).refs
        if time_zone is not None and isinstance(self._client.plane, Cluster):
            make_effective(self._client.plane, document, timeout=_FLUID_TAKES)
        return LoadHandle(self._client.plane, ref).start()

    def scale(self, replicas: int) -> Ref:
        """Set the worker count of its runtime.

        Returns:
            The runtime.

        Raises:
            Unsupported: it has no runtime, or one that cannot be scaled.
        """
        from datafluid.clusters.scaling import scale_runtime

        return scale_runtime(self._client.plane, self.ref, replicas)

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
        from datafluid.local.exports import export

        return export(self._client, self, directory)

    def unexport(self, directory: str | Path | None = None) -> None:
        """Take the links of `export` away and unpin the files.

        Raises:
            Conflict: the directory holds no export of this dataset.
        """
        from datafluid.local.exports import unexport

        unexport(self._client, self, directory)

    def loads(self) -> list[LoadHandle]:
        """The DataLoads of this dataset."""
        from datafluid.model.relations import operations_of
        from datafluid.plane.looking import served

        found = served(self._client.plane, ("DataLoad",), namespace=self.namespace)
        return [LoadHandle(self._client.plane, Ref.of(item)) for item in operations_of(self.ref, found)]

    def delete(self, *, cascade: bool = True, wait: bool = False, timeout: float | None = 300) -> None:
        """Delete it, and with ``cascade`` its operations and its runtime.

        Args:
            cascade: Also what it owns; its operations go first, for their pods would hold it.
            wait: Wait until all of it is gone: on a cluster the runtime, the claim and the volume outlive the
                dataset, by a minute now and then. To declare it anew needs no wait: `Client.apply` waits itself.
            timeout: Seconds that this may take; None waits for ever.

        Raises:
            NotFound: there is no such dataset.
            Conflict: something still uses it; the message says what.
            Timeout: it is not gone; the message says who holds it.
        """
        from datafluid.clusters.removal import remove

        remove(self._client.plane, self.ref, cascade=cascade, wait=wait, timeout=timeout)

    def operations(self) -> OperationGraph:
        """Its operations, and which of them run after which; `str` draws them."""
        from datafluid.model.graph import OperationGraph
        from datafluid.model.names import OPERATION_KINDS
        from datafluid.model.relations import operations_of
        from datafluid.plane.looking import served

        everything = served(self._client.plane, OPERATION_KINDS, namespace=self.namespace)
        return OperationGraph.of(operations_of(self.ref, everything))


def _target(path: str, replicas: int | None) -> dict[str, Any]:
    target: dict[str, Any] = {"path": "/" + path.strip("/")}
    return target | ({"replicas": replicas} if replicas is not None else {})
