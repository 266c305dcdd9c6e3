"""The result of `Client.apply`: the objects that were declared, which one can wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafluid.clusters.crons import make_effective
from datafluid.loads import LoadHandle
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, Manifest
from datafluid.waiting.deadline import Deadline

if TYPE_CHECKING:
    from datafluid.client import Client
    from datafluid.client.base import Connected
    from datafluid.model.lint import Finding

__all__ = ["Applied", "apply_order", "checked"]

_FOR_EVER = 10.0**9  # seconds


@dataclass(frozen=True, slots=True)
class Applied:
    """What one `Client.apply` declared, in the order in which it was applied.

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
        >>> applied = datafluid.connect().apply(manifest).wait(timeout=60)
        >>> print(*applied.refs)
        Dataset default/example

    Args:
        client: Who applied it.
        refs: What was applied.
        findings: What lint has to say about it that is no error: warnings, and facts.
    """

    client: Client
    refs: tuple[Ref, ...]
    findings: tuple[Finding, ...] = ()

    def wait(self, *, timeout: float | None = 600, cached: float | None = None, progress: bool = False) -> Applied:
        """Wait until every dataset can be used, and every one-off operation has ended.

        On a cluster that is when its claim is Bound and its workers are ready, and operations on a schedule have
        their CronJob, with their schedule and time zone in it.

        Args:
            timeout: Seconds for all of it; None waits for ever.
            cached: Also wait until each dataset is cached to this fraction.
            progress: Print progress to standard error.

        Returns:
            Itself.

        Raises:
            Timeout: with the diagnosis.
            OperationFailed: an operation failed.
        """
        deadline = Deadline(timeout)
        for ref in self.refs:
            if ref.kind == "Dataset":
                handle = self.client.dataset(ref.name, namespace=ref.namespace)
                handle.wait(timeout=deadline.left(), progress=progress)
        for ref in self.refs:
            if ref.kind in OPERATION_KINDS:
                operation = LoadHandle(self.client.plane, ref)
                if not operation.is_cron:
                    operation.wait(timeout=deadline.left(), progress=progress)
                elif isinstance(self.client.plane, Cluster):
                    make_effective(self.client.plane, operation.manifest, timeout=_left(deadline))
        if cached is not None:
            for ref in self.refs:
                if ref.kind == "Dataset":
                    handle = self.client.dataset(ref.name, namespace=ref.namespace)
                    handle.wait(cached=cached, timeout=deadline.left(), progress=progress)
        return self


def apply_order(manifest: Manifest) -> int:
    """Classes and profiles first, then datasets, runtimes, operations: each finds what it refers to."""
    kind = manifest["kind"]
    if kind in ("ThinRuntimeProfile", "CacheRuntimeClass"):
        return 0
    if kind == "Dataset":
        points = (mount.get("mountPoint", "") for mount in (manifest.get("spec") or {}).get("mounts") or ())
        return 2 if any(point.startswith("dataset://") for point in points) else 1
    return 3 if kind.endswith("Runtime") else 4


def checked(client: Connected, source: Any, *, beside: Any = ()) -> tuple[list[Manifest], list[Finding]]:
    """The manifests of a source, when lint finds no error in them, and what else it found.

    Args:
        client: For the plane that they are going to.
        source: Objects of Fluid.
        beside: What goes with them: it is looked at together with them, and is as it is.

    Raises:
        Invalid: lint does; carries all of the errors.
    """
    from datafluid.clusters.lint import lint_on
    from datafluid.model import manifest
    from datafluid.model.lint.run import subjects_of

    subjects = subjects_of(source)
    found = lint_on(client, [*subjects, *subjects_of(beside)])
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        raise manifest.refusal(errors)
    return [model.manifest() for model in manifest.load([subject.data for subject in subjects])], found


def _left(deadline: Deadline) -> float:
    left = deadline.left()
    return _FOR_EVER if left is None else max(left, 0.1)
