"""The next step of a Dataset: ``NotBound`` -> ``Bound``, as Fluid words it.

Bound is founded on a probe: every mount was really reached with the credentials that reads will use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.reconcile.limits import limits_of_dataset, limits_of_runtime
from datafluid.engine.reconcile.mounts import bind_mounts, freshness, writable
from datafluid.engine.reconcile.tiers import Machine, bind_tiers
from datafluid.engine.reconcile.values import (
    Decision,
    Note,
    Totals,
    condition,
    drop_condition,
    status_of,
    with_condition,
)
from datafluid.errors import Invalid
from datafluid.model.names import dataset_id
from datafluid.model.readiness import UNUSABLE
from datafluid.model.relations import physical_refs
from datafluid.plane.port import Manifest

__all__ = [
    "CALCULATING",
    "FINALIZER",
    "DatasetSeen",
    "Probe",
    "Resolution",
    "needs_probe",
    "resolve",
    "step_dataset",
    "tell_reachable",
]

FINALIZER = "fluid-dataset-controller-finalizer"
CALCULATING = "[Calculating]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What a dataset would be bound to.

    Args:
        binding: None where something is missing.
        problem: What is missing, as an event.
        default_cache: No runtime says how the cache shall be.
        moved: Tiers that are elsewhere than the runtime wants them.
        limits: What one machine cannot mean.
        ignored: Mount options that nobody understands.
    """

    binding: Binding | None = None
    problem: Note | None = None
    default_cache: bool = False
    moved: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The mounts were tried. ``error`` says what went wrong with the first that failed; "": all were reached.

    ``final`` means that trying again changes nothing: only another declaration, or what is installed here, does.
    ``unasked`` means that they were not tried, and says why.
    """

    error: str = ""
    final: bool = False
    unasked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSeen:
    """Everything that a Dataset's next step depends on."""

    dataset: Manifest
    runtime: Manifest | None = None
    resolution: Resolution
    stored: Binding | None = None
    probe: Probe | None = None
    totals: Totals | None = None
    references: tuple[str, ...] = ()
    operations: int = 0
    now: float


def resolve(
    dataset: Mapping[str, Any],
    runtime: Manifest | None,
    physical: Mapping[tuple[str, str], Binding | None],
    machine: Machine,
    stored: Binding | None,
    ignored: tuple[str, ...] = (),
) -> Resolution:
    """Compute the binding that the declaration asks for, or say what is missing.

    Args:
        physical: The bindings of the datasets that ``dataset://`` mounts name; None for those without one.
        ignored: Mount options that the under-stores do not understand.
    """
    metadata = dataset["metadata"]
    if not dataset["spec"].get("mounts"):
        return Resolution(problem=_warning("ErrorProcessDataset", "The dataset has no mounts."))
    for namespace, name in physical_refs(dataset):
        if physical.get((namespace, name)) is None:
            message = f"The physical dataset {namespace}/{name} is not Bound."
            return Resolution(problem=_warning("ErrorProcessDataset", message))
    try:
        tiers = bind_tiers(runtime, machine, stored.tiers if stored else (), account=metadata["uid"])
    except Invalid as error:
        return Resolution(problem=_warning("ErrorProcessRuntime", f"Process Runtime error {error.message}"))
    fresh = freshness(dataset)
    known = {key: binding for key, binding in physical.items() if binding is not None}
    referred = next(iter(known.values()), None) if physical_refs(dataset) else None
    binding = Binding(
        namespace=metadata["namespace"],
        name=metadata["name"],
        uid=metadata["uid"],
        mounts=bind_mounts(dataset, known),
        tiers=referred.tiers if referred is not None else tiers.bindings,
        writable=writable(dataset),
        refresh=fresh.refresh,
        serve_stale=fresh.serve_stale,
    )
    limits = (*limits_of_dataset(dataset), *(limits_of_runtime(runtime) if runtime else ()), *fresh.problems)
    return Resolution(
        binding=binding,
        default_cache=tiers.is_default and referred is None,
        moved=tiers.moved,
        limits=tuple(limits),
        ignored=ignored,
    )


def needs_probe(dataset: Mapping[str, Any], resolution: Resolution, stored: Binding | None) -> bool:
    """Whether the mounts must be reached before the next step can be decided."""
    if resolution.binding is None or dataset["metadata"].get("deletionTimestamp"):
        return False
    status = dataset.get("status") or {}
    return status.get("phase") != "Bound" or stored != resolution.binding


def step_dataset(seen: DatasetSeen) -> Decision:
    """What happens to a Dataset now."""
    metadata = seen.dataset["metadata"]
    if metadata.get("deletionTimestamp"):
        return _deletion(seen)
    if FINALIZER not in (metadata.get("finalizers") or ()):
        return Decision(finalizers=(FINALIZER,), status={"conditions": [], "phase": "NotBound"})
    if seen.resolution.problem is not None:
        return _not_bound(seen, seen.resolution.problem)
    if seen.probe is not None and seen.probe.error:
        return _not_bound(seen, _warning("ErrorProcessDataset", seen.probe.error), final=seen.probe.final)
    return _bound(seen)


def tell_reachable(status: Manifest, away: str, *, serve_stale: bool, now: float) -> None:
    """Put into a status why the under-stores do not answer; "": they do. The transition time says since when."""
    if not away:
        drop_condition(status, "UnderStoreAway")
        return
    served = "complete cached files are served" if serve_stale else "only cached files within their refresh window are"
    with_condition(status, condition("UnderStoreAway", True, "Unreachable", f"{away} ({served})"), now)


def _deletion(seen: DatasetSeen) -> Decision:
    if seen.references:
        names = " ".join(seen.references)
        message = f"Failed to delete dataset because there are datasets [{names}] mounted to it"
        return Decision(events=(_warning("ErrorDeleteDataset", message),))
    if seen.operations:
        return Decision()  # they are being stopped; the dataset goes when they are gone
    return Decision(remove=True, unbind=True)


def _not_bound(seen: DatasetSeen, note: Note, *, final: bool = False) -> Decision:
    """A dataset that was Bound keeps serving what it was bound to, and says that the change is not in force."""
    status = status_of(seen.dataset)
    reason = "DatasetFailedToSetup"
    if seen.stored is not None:
        status["phase"], reason = "Updating", "DatasetUpdating"
    else:
        status["phase"] = "NotBound"
    with_condition(status, condition("Ready", False, UNUSABLE if final else reason, note.message), seen.now)
    return Decision(status=_changed(seen.dataset, status), events=(note,))


def _bound(seen: DatasetSeen) -> Decision:
    binding, status = seen.resolution.binding, status_of(seen.dataset)
    if binding is None:
        raise AssertionError("a dataset without a problem has a binding")
    newly = status.get("phase") != "Bound" or seen.stored != binding
    status["phase"] = "Bound"
    status["mounts"] = seen.dataset["spec"]["mounts"]
    status["runtimes"] = [_runtime(seen.runtime)] if seen.runtime else []
    with_condition(status, condition("Ready", True, "DatasetReady", "The ddc runtime is ready."), seen.now)
    _explain(status, seen, binding)
    _totals(status, seen, binding)
    if seen.probe is not None:
        tell_reachable(status, seen.probe.unasked, serve_stale=binding.serve_stale, now=seen.now)
    notes = tuple(_notes(seen, binding)) if newly else ()
    changed = _changed(seen.dataset, status)
    label = {"fluid.io/dataset-id": dataset_id(binding.namespace, binding.name, uid=binding.uid)}
    missing = not label.items() <= (seen.dataset["metadata"].get("labels") or {}).items()
    return Decision(
        status=changed,
        labels=label if missing else {},
        events=notes,
        binding=binding if seen.stored != binding else None,
    )


def _explain(status: Manifest, seen: DatasetSeen, binding: Binding) -> None:
    """Conditions beyond Fluid's own: each says what differs from what the manifest says."""
    resolution = seen.resolution
    said = {
        "DefaultCache": ("NoRuntime", _default_cache(binding) if resolution.default_cache else ""),
        "TierMoved": ("PathNotUsable", "; ".join(resolution.moved)),
        "OneMachine": ("NoMeaningHere", "; ".join(resolution.limits)),
        "MountOptionsIgnored": ("NotUnderstood", ", ".join(resolution.ignored)),
    }
    for kind, (reason, message) in said.items():
        if message:
            with_condition(status, condition(kind, True, reason, message), seen.now)
        else:
            drop_condition(status, kind)


def _notes(seen: DatasetSeen, binding: Binding) -> list[Note]:
    resolution = seen.resolution
    notes = [Note(type="Normal", reason="DatasetReady", message="The ddc runtime is ready.")]
    if resolution.default_cache:
        notes.append(Note(type="Normal", reason="DefaultCache", message=_default_cache(binding)))
    notes += [_warning("TierMoved", message) for message in resolution.moved]
    if resolution.ignored:
        message = f"Mount options that are not understood are ignored: {', '.join(resolution.ignored)}"
        notes.append(_warning("MountOptionsIgnored", message))
    return notes


def _default_cache(binding: Binding) -> str:
    tier = binding.tiers[0]
    return (
        f"No runtime says how much may be cached: up to {tier.quota / (1 << 30):.2f}GiB in {tier.path}. "
        f"Declare a runtime named {binding.name} with a tieredstore to choose."
    )


def _totals(status: Manifest, seen: DatasetSeen, binding: Binding) -> None:
    if seen.totals is not None:
        status["ufsTotal"], status["fileNum"] = seen.totals.size, str(seen.totals.files)
    elif seen.stored is not None and seen.stored.mounts != binding.mounts:
        status["ufsTotal"] = status["fileNum"] = CALCULATING
    else:
        status.setdefault("ufsTotal", CALCULATING)
        status.setdefault("fileNum", CALCULATING)


def _runtime(runtime: Manifest) -> Manifest:
    metadata = runtime["metadata"]
    kind = runtime["kind"].removesuffix("Runtime").lower()
    return {"category": "Accelerate", "name": metadata["name"], "namespace": metadata["namespace"], "type": kind}


def _changed(manifest: Manifest, status: Manifest) -> Manifest | None:
    return None if manifest.get("status") == status else status


def _warning(reason: str, message: str) -> Note:
    return Note(type="Warning", reason=reason, message=message)
