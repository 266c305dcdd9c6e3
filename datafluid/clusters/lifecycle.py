"""What the plane makes of a dataset's runtime, in words: behind ``datafluid describe``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datafluid.errors import Forbidden, NotFound, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.ref import Ref
from datafluid.plane.port import Cluster, ControlPlane, Manifest

if TYPE_CHECKING:
    from datafluid.client import Client

__all__ = ["lifecycle_of"]

_HERE = {"Processes": "worker and FUSE are one: the process that reads is the cache; nothing else has to run"}


def lifecycle_of(client: Client, ref: Ref) -> dict[str, str]:
    """High availability, networks, FUSE and processes of a dataset or a runtime; empty for other kinds.

    Args:
        client: Where it is.
        ref: The dataset or the runtime.

    Raises:
        NotFound: there is no such object.
    """
    from datafluid.model.lifecycle import lifecycle

    plane, kind = client.plane, KINDS.get(ref.kind)
    if ref.kind != "Dataset" and not (kind and kind.is_runtime):
        return {}
    if not isinstance(plane, Cluster):
        return dict(_HERE)
    runtime = _runtime(client, ref) if ref.kind == "Dataset" else plane.get(ref)
    if runtime is None:
        return {}
    name, namespace = runtime["metadata"]["name"], runtime["metadata"].get("namespace")
    return lifecycle(
        runtime,
        dataset=_seen(plane, Ref("Dataset", name, namespace)),
        fuse=_seen(plane, Ref("apps/v1/DaemonSet", f"{name}-fuse", namespace)),
    )


def _runtime(client: Client, ref: Ref) -> Manifest | None:
    from datafluid.model.status import DatasetStatus

    bound = DatasetStatus.parse(client.plane.get(ref)).runtimes
    return (
        _seen(client.plane, Ref(bound[0].kind, bound[0].name, bound[0].namespace or ref.namespace)) if bound else None
    )


def _seen(plane: ControlPlane, ref: Ref) -> Manifest | None:
    """The object, if it is there and may be read."""
    try:
        return plane.get(ref)
    except (NotFound, Forbidden, Unsupported):
        return None
