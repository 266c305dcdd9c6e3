"""The datasets of a submission: each with its runtime, and the one whose cache it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.kinds import KINDS
from datafluid.model.plain import look
from datafluid.model.ref import Ref
from datafluid.model.relations import physical_refs
from datafluid.model.status import DatasetStatus
from datafluid.placement import PlannedDataset
from datafluid.plane.finding import find
from datafluid.plane.port import ControlPlane, Manifest
from datafluid.submission.planning import requires
from datafluid.submission.reading import Given

__all__ = ["Member", "members"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One dataset that a workload is submitted with.

    Args:
        manifest: The Dataset as it was given, else as the plane has it.
        live: As the plane has it; None when it is not there.
        runtime: Its own runtime; None for a reference dataset.
        planned: The dataset that has the cache, for the planner.
        made: Whether it was made for this workload: a reference in its namespace.
    """

    manifest: Manifest
    live: Manifest | None
    runtime: Manifest | None
    planned: PlannedDataset
    made: bool = False

    @property
    def namespace(self) -> str:
        """Where it is."""
        return str(look(self.manifest, ("metadata", "namespace")))

    @property
    def name(self) -> str:
        """What it is called."""
        return str(look(self.manifest, ("metadata", "name")))

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


def members(plane: ControlPlane, given: Given) -> list[Member]:
    """Every dataset that was given or named, once each.

    Raises:
        NotFound: one that was named is not there.
    """
    authored = {Ref.of(each): each for each in given.fluid if each["kind"] == "Dataset"}
    made = {ref: each for each in given.extras if (ref := Ref.of(each)).kind == "Dataset" and ref not in authored}
    namespace = given.workload["metadata"]["namespace"]
    for name in given.named:
        ref = _named(name, namespace)
        if ref not in authored:
            authored[ref] = plane.get(ref)
    own = [_member(plane, ref, manifest, given) for ref, manifest in authored.items()]
    return [*own, *(replace(_member(plane, ref, manifest, given), made=True) for ref, manifest in made.items())]


def _member(plane: ControlPlane, ref: Ref, manifest: Manifest, given: Given) -> Member:
    live, runtime = find(plane, ref), _runtime(plane, ref, given.fluid)
    holder, holding, holds = ref, live, runtime
    origin = manifest
    for physical in physical_refs(manifest):
        holder = Ref("Dataset", physical[1], physical[0])
        holding, holds = find(plane, holder), _runtime(plane, holder, given.fluid)
        origin = holding or next((each for each in given.fluid if Ref.of(each) == holder), origin)
    planned = PlannedDataset(manifest=holding or origin, runtime=holds, exists=holding is not None)
    locality: Any = "require" if requires(given.workload, planned.labels.dataset, ref.name) else "prefer"
    planned = PlannedDataset(manifest=planned.manifest, runtime=holds, exists=planned.exists, locality=locality)
    return Member(manifest=manifest, live=live, runtime=None if holder != ref else runtime, planned=planned)


def _runtime(plane: ControlPlane, dataset: Ref, given: Iterable[Manifest]) -> Manifest | None:
    """The runtime of a dataset: it has the dataset's name."""
    for each in given:
        kind = KINDS.get(each["kind"])
        ref = Ref.of(each)
        if kind is not None and kind.is_runtime and (ref.name, ref.namespace) == (dataset.name, dataset.namespace):
            return each
    return next(_live_runtimes(plane, dataset), None)


def _live_runtimes(plane: ControlPlane, dataset: Ref) -> Iterator[Manifest]:
    live = find(plane, dataset)
    if live is None:
        return
    bound = [each.kind for each in DatasetStatus.parse(live).runtimes]
    for kind in bound or [name for name, each in KINDS.items() if each.is_runtime]:
        if kind in KINDS and (found := find(plane, Ref(kind, dataset.name, dataset.namespace))) is not None:
            yield found


def _named(text: str, namespace: str) -> Ref:
    from datafluid.model.uri import FluidURI

    uri = FluidURI.parse(text if "/" in text else f"{namespace}/{text}").in_namespace(namespace)
    if uri.path or not uri.dataset:
        raise Invalid(f"{text[:200]!r} is not a dataset.", hint="Write NAMESPACE/DATASET.")
    return Ref("Dataset", uri.dataset, uri.namespace)
