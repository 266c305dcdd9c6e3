"""What comes next for a workload and its datasets: what was seen in, one step out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datafluid.errors import CacheFull, Conflict, NotFound, OperationFailed
from datafluid.model.plain import as_list, as_map, look
from datafluid.model.ref import Ref
from datafluid.workload.holds import held, release_patch
from datafluid.workload.kind import Hold
from datafluid.workload.release import CONDITION, SUBMITTED, DatasetSeen, ReleaseCondition

__all__ = ["Apply", "Create", "Done", "Intent", "Own", "Patch", "Seen", "Step", "Wait", "next_step"]

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What was asked for.

    Args:
        workload: As it shall run; None when it is only to be resumed, or is made by somebody else.
        ref: Which it is; None when nobody here makes it, as with the values of a chart.
        hold: How it is held.
        condition: When it may run.
        first: What is applied before it, in order.
        service: Whether one that runs already is changed rather than refused.
    """

    workload: Mapping[str, Any] | None
    ref: Ref | None
    hold: Hold
    condition: ReleaseCondition
    first: tuple[Manifest, ...] = ()
    service: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What there is.

    Args:
        workload: As it is now; None when it is not there.
        datasets: In the order of the condition.
        extras: Those of the condition that are there.
        applied: Whether this run has applied what comes first.
        was_there: Whether this run has seen the workload before.
    """

    workload: Mapping[str, Any] | None
    datasets: Sequence[DatasetSeen] = ()
    extras: Sequence[Mapping[str, Any]] = ()
    applied: bool = False
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """Apply these, in order."""

    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True)
class Create:
    """Create the workload, so that it is held or not; with ``change`` it is there and is changed."""

    manifest: Manifest
    held: bool = False
    change: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """Give an object an owner, so that it goes with the workload."""

    ref: Ref
    changes: Manifest


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done before one of these changes; meanwhile the workload is held, or not there yet."""

    reasons: tuple[str, ...]
    held: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """Let the workload go."""

    changes: Manifest


@dataclass(frozen=True, slots=True)
class Done:
    """It runs, or whoever made it may let it."""


Step = Apply | Create | Own | Wait | Patch | Done


def next_step(intent: Intent, seen: Seen) -> Step:
    """The one thing to do now. Doing it and asking again comes to `Done`, from wherever one begins.

    Raises:
        Conflict: a workload of that name is there, and nobody submitted it.
        OperationFailed: a load has failed.
        CacheFull: a dataset can never be cached as far as is asked for.
        NotFound: the workload was deleted meanwhile.
    """
    if failed := intent.condition.failed(seen.datasets):
        if intent.first and not seen.applied:
            return Apply(intent.first)
        hint = "`datafluid describe` it; submitting again loads again."
        raise OperationFailed(f"DataLoad {', '.join(failed)} failed.", hint=hint)
    if hopeless := intent.condition.hopeless(seen.datasets):
        raise CacheFull(hopeless[0], hint="Scale its runtime out, give its levels more quota, or load less.")
    if seen.workload is None:
        return _before_it_is_there(intent, seen)
    annotations = as_map(as_map(seen.workload.get("metadata")).get("annotations"))
    if SUBMITTED not in annotations:
        return _beside_one_of_others(intent, seen)
    if (step := _own(seen)) is not None:
        return step
    if CONDITION not in annotations:
        return Done()
    if unmet := intent.condition.unmet(seen.datasets):
        return Wait(tuple(unmet), held=True)
    return Patch(_release(intent, seen.workload))


def _before_it_is_there(intent: Intent, seen: Seen) -> Step:
    if seen.was_there or (intent.workload is None and intent.ref is not None):
        raise NotFound(f"{intent.ref} is not there any more.", hint="Submit it again.")
    if not seen.applied:
        return Apply(intent.first)
    unmet = tuple(intent.condition.unmet(seen.datasets))
    if intent.workload is None:
        return Wait(unmet) if unmet else Done()
    if intent.hold.path:
        return Create(_annotated(held(intent.workload, intent.hold), intent.condition), held=True)
    return Wait(unmet) if unmet else Create(_annotated(intent.workload, None))


def _beside_one_of_others(intent: Intent, seen: Seen) -> Step:
    """A service that runs: its datasets come first, then it is changed."""
    if intent.workload is None or not intent.service:
        raise Conflict(f"{intent.ref} is there already.", hint="Delete it, or give the workload another name.")
    if not seen.applied:
        return Apply(intent.first)
    if unmet := intent.condition.unmet(seen.datasets):
        return Wait(tuple(unmet))
    return Create(_annotated(intent.workload, None), change=True)


def _annotated(workload: Mapping[str, Any], condition: ReleaseCondition | None) -> Manifest:
    metadata = as_map(workload.get("metadata"))
    more = {SUBMITTED: "true"} | ({CONDITION: condition.to_json()} if condition is not None else {})
    return {**workload, "metadata": {**metadata, "annotations": {**as_map(metadata.get("annotations")), **more}}}


def _own(seen: Seen) -> Own | None:
    workload = as_map(seen.workload)
    uid = look(workload, ("metadata", "uid"))
    owner = {
        "apiVersion": workload.get("apiVersion"),
        "kind": workload.get("kind"),
        "name": look(workload, ("metadata", "name")),
        "uid": uid,
    }
    for extra in seen.extras:
        owners = as_list(look(extra, ("metadata", "ownerReferences")))
        if all(each.get("uid") != uid for each in owners):
            version = look(extra, ("metadata", "resourceVersion"))
            return Own(Ref.of(extra), {"metadata": {"ownerReferences": [*owners, owner], "resourceVersion": version}})
    return None


def _release(intent: Intent, live: Mapping[str, Any]) -> Manifest:
    """The hold and the condition go in one request, so that nobody lets it go twice."""
    changes = release_patch(live, intent.hold, intent.condition.before)
    metadata = as_map(changes.get("metadata"))
    version = look(live, ("metadata", "resourceVersion"))
    annotations = {**as_map(metadata.get("annotations")), CONDITION: None}
    return {**changes, "metadata": {**metadata, "annotations": annotations, "resourceVersion": version}}
