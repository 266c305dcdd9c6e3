"""Doing it: look, take the next step, look again. The only part that talks to the plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol

from datafluid.errors import AlreadyExists, Conflict, Forbidden, NotFound, Timeout
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.plain import as_map
from datafluid.model.ref import Ref
from datafluid.model.status import DatasetStatus, OperationStatus
from datafluid.placement import labels
from datafluid.plane.finding import find
from datafluid.plane.port import Advances, Cluster, ControlPlane, Manifest
from datafluid.submission.steps import Apply, Create, Done, Intent, Own, Patch, Seen, Step, Wait, next_step
from datafluid.waiting.deadline import Deadline
from datafluid.workload.holds import held
from datafluid.workload.release import DatasetSeen, DatasetWanted

__all__ = ["ClusterPlane", "check", "run"]

_LOOK = 2.0  # seconds between two looks when the datasets do not change: nodes and volumes do
_CONFLICTS = 20


class ClusterPlane(ControlPlane, Cluster, Protocol):
    """A plane that holds objects of every kind."""


def run(
    plane: ClusterPlane,
    intent: Intent,
    *,
    until_held: bool,
    timeout: float | None,
    tell: Callable[[Step], None],
    resume: str,
    look: float = _LOOK,
) -> bool:
    """Take step after step until the workload runs, or with ``until_held`` until only waiting is left.

    Args:
        tell: Gets every step before it is taken; the same waiting is told once.
        resume: The command that goes on with it once it is held.
        look: Seconds between two looks while nothing is reported.

    Returns:
        Whether the workload runs.

    Raises:
        Timeout: with what is missing; everything stays as it is.
        OperationFailed: a load failed.
        Conflict: a workload of that name is there.
    """
    deadline, applied, there, told, conflicts = Deadline(timeout), False, False, None, 0
    while True:
        seen = observe(plane, intent)
        step = next_step(intent, replace(seen, applied=applied, was_there=there))
        there = there or seen.workload is not None
        if step != told and not (isinstance(step, Patch) and isinstance(told, Patch)):  # that is the same once more
            tell(step)
            told = step
        if isinstance(step, Done):
            return True
        if isinstance(step, Wait):
            if until_held:
                return False
            if deadline.passed:
                raise _timeout(intent, step, deadline, resume)
            _listen(plane, intent, deadline, look)
            continue
        try:
            _take(plane, intent, step)
            applied = applied or isinstance(step, Apply)
        except (Conflict, AlreadyExists):  # somebody was faster: look again
            conflicts += 1
            if isinstance(step, Apply) or conflicts > _CONFLICTS:
                raise


def _timeout(intent: Intent, step: Wait, deadline: Deadline, resume: str) -> Timeout:
    """What is missing, and how to go on: what is not there cannot be resumed."""
    if step.held:
        what, hint = f"{intent.ref} is still held", f"The hold stays; `{resume}` goes on waiting."
    else:
        what = "the datasets are not ready" if intent.ref is None else f"{intent.ref} still waits"
        hint = "The same command goes on from here."
    return Timeout(f"{what} after {deadline}: {'; '.join(step.reasons)}.", hint=hint, last_seen=step.reasons[0])


def observe(plane: ControlPlane, intent: Intent) -> Seen:
    """What there is now. Each dataset is looked at no further than to the first thing that is missing."""
    workload = find(plane, intent.ref) if intent.ref is not None else None
    extras = list(_extras(plane, intent.ref, intent)) if workload is not None and intent.ref is not None else []
    datasets = [_seen(plane, wanted) for wanted in intent.condition.datasets]
    return Seen(workload=workload, datasets=datasets, extras=extras)


def check(plane: ClusterPlane, intent: Intent) -> None:
    """Ask the server what it thinks of everything, and change nothing: what it refuses is not begun.

    Raises:
        Invalid: the server refuses something.
        Conflict: somebody else owns what would be changed.
    """
    for manifest in intent.first:
        plane.apply(manifest, dry_run=True)
    if intent.workload is not None and intent.hold.path:
        with suppress(AlreadyExists):
            plane.create(held(intent.workload, intent.hold), dry_run=True)


def _extras(plane: ControlPlane, workload: Ref, intent: Intent) -> Iterator[Manifest]:
    for each in intent.condition.extras:
        kind, _, name = each.rpartition("/")
        if (found := find(plane, Ref(kind, name, workload.namespace))) is not None:
            yield found


def _seen(plane: ControlPlane, wanted: DatasetWanted) -> DatasetSeen:
    loading = Ref("DataLoad", wanted.load, wanted.namespace)
    for ref in (wanted.ref, loading):
        while isinstance(plane, Advances) and plane.advance(ref):
            pass
    load = find(plane, loading) if wanted.load else None
    dataset = find(plane, wanted.ref)
    if dataset is None or DatasetStatus.parse(dataset).phase != "Bound":
        return DatasetSeen(dataset=dataset, load=load)
    return DatasetSeen(dataset=dataset, claim=_claim(plane, wanted), nodes=_nodes(plane, wanted), load=load)


def _claim(plane: ControlPlane, wanted: DatasetWanted) -> Manifest | None:
    """Its claim; one that may not be read is taken for bound, as it is a moment after its dataset."""
    try:
        return find(plane, Ref("v1/PersistentVolumeClaim", wanted.name, wanted.namespace))
    except Forbidden:
        return {"status": {"phase": "Bound"}}


def _nodes(plane: ControlPlane, wanted: DatasetWanted) -> int:
    """How many nodes have its cache; where nodes may not be seen, as many as are wanted."""
    if not wanted.nodes:
        return 0
    ref = wanted.holder_ref
    metadata = as_map((find(plane, ref) or {}).get("metadata"))
    key = labels(ref.namespace or "default", ref.name, uid=metadata.get("uid")).dataset
    try:
        return len(plane.list("v1/Node", selector={key: "true"}))
    except Forbidden:
        return wanted.nodes


def _take(plane: ClusterPlane, intent: Intent, step: Step) -> None:
    if isinstance(step, Apply):
        for manifest in step.manifests:
            plane.apply(manifest, replace=_runs_again(plane, intent, manifest))
    elif isinstance(step, Create) and step.change:
        plane.apply(step.manifest)
    elif isinstance(step, Create):
        plane.create(step.manifest)
    elif isinstance(step, Own):
        with suppress(NotFound):
            plane.patch(step.ref, step.changes)
    elif isinstance(step, Patch) and intent.ref is not None:
        plane.patch(intent.ref, step.changes)


def _runs_again(plane: ControlPlane, intent: Intent, manifest: Mapping[str, Any]) -> bool:
    """Whether a load that has ended is of an earlier time: it failed, or what it loaded is not there any more."""
    ref = Ref.of(manifest)
    found = find(plane, ref) if ref.kind in OPERATION_KINDS else None
    if found is None or not OperationStatus.parse(found).finished:
        return False
    if OperationStatus.parse(found).phase == "Failed":
        return True
    for wanted in intent.condition.datasets:
        if (wanted.load, wanted.namespace) == (ref.name, ref.namespace) and wanted.cached is not None:
            fraction = DatasetStatus.parse(find(plane, wanted.ref) or {}).fraction
            return fraction is not None and fraction < wanted.cached
    return False


def _listen(plane: ControlPlane, intent: Intent, deadline: Deadline, look: float) -> None:
    """Until a dataset changes, or it is time to look for nodes, volumes and loads again."""
    left = deadline.left()
    patience = look if left is None else min(look, left)
    wanted = next((each for each in intent.condition.datasets), None)
    if wanted is None:
        return
    found = find(plane, wanted.ref)
    since = as_map(as_map(found).get("metadata")).get("resourceVersion")
    for event in plane.watch("Dataset", namespace=wanted.namespace, name=wanted.name, since=since, timeout=patience):
        if event.type != "BOOKMARK" and (since or event.type != "ADDED"):
            return
