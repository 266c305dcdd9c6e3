"""Deleting a dataset until nothing of it is left, and declaring one where another has just been.

On a cluster a Dataset is gone long before its runtime, its claim and its volume. One of the same name that is declared
meanwhile would bind to what is on its way out. So that is waited for, and whoever holds it is named.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence

from datafluid.errors import Forbidden, NotFound, Timeout, Unsupported
from datafluid.model.kinds import KINDS
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of
from datafluid.plane.port import Cluster, ControlPlane, Event, Manifest
from datafluid.waiting.deadline import Deadline
from datafluid.waiting.listening import listen

__all__ = ["remove", "wait_for_remains"]

_LOG = logging.getLogger(__name__)
_REMAINS_TAKE = 180.0  # seconds: Alluxio tries three times to empty its cache, every 20 s
_RUNTIMES = tuple(kind.kind for kind in KINDS.values() if kind.is_runtime)


def remove(plane: ControlPlane, ref: Ref, *, cascade: bool, wait: bool, timeout: float | None) -> None:
    """Delete a dataset; see `datafluid.handles.DatasetHandle.delete`."""
    parts = list(_parts(plane, ref, cascade=cascade)) if wait else []
    try:
        plane.delete(ref, cascade=cascade)
    except NotFound:  # but a deletion before this one may not be through
        parts = [part for part in parts if part != ref and _remains(plane, part)]
        if not parts:
            raise
    if wait:
        _wait_until_gone(plane, ref, parts, Deadline(timeout))


def wait_for_remains(plane: ControlPlane, manifests: Iterable[Manifest]) -> None:
    """Wait until what is left of deleted datasets, and would come in the way of these objects, is gone.

    Raises:
        Timeout: it does not go; the message says who holds it.
    """
    if not isinstance(plane, Cluster):
        return
    refs = [Ref.of(each) for each in manifests]
    for ref in (each for each in refs if each.kind == "Dataset"):
        there = _get(plane, ref)
        if there is not None and not there["metadata"].get("deletionTimestamp"):
            continue
        named = [each for each in refs if each.kind in _RUNTIMES and each.name == ref.name]
        if any(_remains(plane, part) for part in (ref, *named, *_volumes(ref))):
            left = [part for part in (ref, *_lasting(ref)) if _remains(plane, part)]
            _wait_until_gone(plane, ref, left, Deadline(_REMAINS_TAKE))


def _parts(plane: ControlPlane, ref: Ref, *, cascade: bool) -> Iterator[Ref]:
    """What goes with a dataset, in the order in which it goes."""
    if cascade:
        for kind in OPERATION_KINDS:
            try:
                found = plane.list(kind, namespace=ref.namespace)
            except (Unsupported, Forbidden):
                continue
            yield from (Ref.of(each) for each in operations_of(ref, found))
    yield ref
    if isinstance(plane, Cluster):
        yield from (part for part in _lasting(ref) if _get(plane, part) is not None)


def _lasting(ref: Ref) -> Iterator[Ref]:
    """What of a dataset outlives it."""
    yield from (Ref(kind, ref.name, ref.namespace) for kind in _RUNTIMES)
    yield from _volumes(ref)


def _volumes(ref: Ref) -> Iterator[Ref]:
    yield Ref("v1/PersistentVolumeClaim", ref.name, ref.namespace)
    yield Ref("v1/PersistentVolume", f"{ref.namespace}-{ref.name}")


def _remains(plane: ControlPlane, ref: Ref) -> bool:
    """Whether it belongs to a dataset that is gone, or going: then Kubernetes is about to take it too."""
    found = _get(plane, ref)
    if found is None:
        return False
    metadata = found["metadata"]
    owned = any(owner.get("kind") == "Dataset" for owner in metadata.get("ownerReferences") or ())
    by_fluid = (metadata.get("annotations") or {}).get("CreatedBy") == "fluid"
    return bool(metadata.get("deletionTimestamp")) or owned or by_fluid


def _get(plane: ControlPlane, ref: Ref) -> Manifest | None:
    try:
        return plane.get(ref)
    except Forbidden:
        return _listed(plane, ref)
    except (NotFound, Unsupported):
        return None


def _listed(plane: ControlPlane, ref: Ref) -> Manifest | None:
    """An object that may be listed and not read, as a claim for those who wait; None where neither is allowed."""
    try:
        for event in plane.watch(ref.kind, namespace=ref.namespace, name=ref.name, timeout=0.0):
            return event.object
    except Forbidden:
        pass
    return None


def _wait_until_gone(plane: ControlPlane, dataset: Ref, parts: Iterable[Ref], deadline: Deadline) -> None:
    hint = f"`datafluid diagnose dataset/{dataset.name} -n {dataset.namespace}` tells more."
    if users := _users(plane, dataset):
        _LOG.warning("%s: its deletion waits, up to %s; it is used by %s. %s", dataset, deadline, users, hint)
    told = bool(users)
    for part in parts:
        first = _get(plane, part)
        if first is None:
            continue
        for heard in listen(plane, part, deadline=deadline, first=first):
            if heard.gone or heard.object is None:
                break
            if not heard.news and not told:
                told = True
                _LOG.warning("%s is not gone yet: %s %s", part, _holder(plane, dataset, part), hint)
        else:
            if _get(plane, part) is not None:
                raise Timeout(
                    f"{part} is not gone after {deadline}: {_holder(plane, dataset, part)}",
                    hint=hint,
                    last_seen="being deleted",
                )


def _holder(plane: ControlPlane, dataset: Ref, part: Ref) -> str:
    """Who holds it: Fluid's own words, else the pods that mount the claim, else the finalizers."""
    found = _get(plane, part)
    if found is None:
        return "it went this moment."
    told = [each for each in _events(plane, part) if each.reason in ("ErrorDeleteDataset", "ErrorProcessRuntime")]
    if newest := max(told, key=lambda event: event.last_seen, default=None):
        return newest.message
    if users := _users(plane, dataset):
        return f"used by {users}."
    held = found["metadata"].get("finalizers") or []
    return f"held by the finalizers {', '.join(held)}." if held else "nothing is seen to hold it."


def _users(plane: ControlPlane, dataset: Ref) -> str:
    """The pods that mount its claim, as far as they may be seen; "" when none does."""
    if not isinstance(plane, Cluster):
        return ""
    try:
        pods = [each for each in plane.list("v1/Pod", namespace=dataset.namespace) if _mounts(each, dataset.name)]
    except (Forbidden, Unsupported):
        return ""
    return ", ".join(str(Ref.of(each)) for each in pods[:3]) + (" and others" if len(pods) > 3 else "")


def _events(plane: ControlPlane, ref: Ref) -> Sequence[Event]:
    """What happened to it, where that may be read: the events of a volume are in another namespace, for example."""
    try:
        return plane.events(ref)
    except (Forbidden, NotFound):
        return ()


def _mounts(pod: Manifest, claim: str) -> bool:
    volumes = pod["spec"].get("volumes") or ()
    over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not over and any((each.get("persistentVolumeClaim") or {}).get("claimName") == claim for each in volumes)
