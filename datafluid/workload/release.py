"""When a held workload may run: what its datasets must have come to. Kept on the workload, so any client can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.exact import made
from datafluid.model.readiness import Readiness, readiness
from datafluid.model.ref import Ref
from datafluid.model.status import DatasetStatus, OperationStatus

__all__ = ["CONDITION", "SUBMITTED", "DatasetSeen", "DatasetWanted", "ReleaseCondition"]

#: The annotation that holds the condition; taken away when the workload is let go.
CONDITION = "datafluid.io/release-when"
#: The annotation of every workload that was submitted.
SUBMITTED = "datafluid.io/submitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetWanted:
    """What a dataset must have come to.

    Args:
        namespace: The dataset's.
        name: The dataset's.
        holder: ``namespace/name`` of the dataset whose cache it is: of a reference dataset the physical one.
        nodes: On how many nodes its cache must be; 0 where no node is labelled for it.
        cached: The fraction of it that must be cached; None: none in particular.
        load: The DataLoad that must be complete, in the dataset's namespace; "" for none.
    """

    namespace: str
    name: str
    holder: str = ""
    nodes: int = 0
    cached: float | None = None
    load: str = ""

    @property
    def ref(self) -> Ref:
        """The dataset."""
        return Ref("Dataset", self.name, self.namespace)

    @property
    def holder_ref(self) -> Ref:
        """The dataset that has the cache."""
        namespace, _, name = self.holder.partition("/")
        return Ref("Dataset", name, namespace) if name else self.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSeen:
    """What was seen of it.

    Args:
        dataset: The Dataset; None when there is none.
        claim: Its PersistentVolumeClaim.
        nodes: How many nodes have its cache.
        load: Its DataLoad.
    """

    dataset: Mapping[str, Any] | None = None
    claim: Mapping[str, Any] | None = None
    nodes: int = 0
    load: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCondition:
    """When a workload may run, and how it was held.

    Args:
        datasets: All of these must have come so far.
        extras: ``kind/name`` of objects that belong to the workload, in its namespace.
        before: What the workload's manifest said where it is held; None: nothing.

    Example:
        >>> when = ReleaseCondition(datasets=(DatasetWanted(namespace="team", name="flights"),))
        >>> ReleaseCondition.parse(when.to_json()) == when
        True
        >>> when.unmet([DatasetSeen(dataset={"metadata": {"name": "flights"}, "spec": {}})])
        ['team/flights waits for its runtime to be set up']
    """

    datasets: tuple[DatasetWanted, ...] = ()
    before: Any = field(default=None)
    extras: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The text of the annotation."""
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> ReleaseCondition:
        """Read what `to_json` wrote.

        Raises:
            Invalid: it is something else.
        """
        try:
            data = json.loads(text)
            return cls(
                datasets=tuple(DatasetWanted(**made(DatasetWanted, each)) for each in data["datasets"]),
                before=data["before"],
                extras=tuple(str(each) for each in data["extras"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Invalid(
                f"the annotation {CONDITION} is not one that datafluid wrote.",
                hint="Submit the workload again, or let it go by hand.",
            ) from None

    def unmet(self, seen: Sequence[DatasetSeen]) -> list[str]:
        """What is still missing, one sentence a dataset; nothing when the workload may run."""
        pairs = zip(self.datasets, seen, strict=True)
        return [why for wanted, found in pairs for why in islice(_missing(wanted, found), 1)]

    def failed(self, seen: Sequence[DatasetSeen]) -> list[str]:
        """The loads that have failed: waiting for those is waiting for ever."""
        return [
            wanted.load
            for wanted, found in zip(self.datasets, seen, strict=True)
            if found.load is not None and OperationStatus.parse(found.load).phase == "Failed"
        ]

    def hopeless(self, seen: Sequence[DatasetSeen]) -> list[str]:
        """What will never be as wanted, one sentence a dataset."""
        pairs = [pair for pair in zip(self.datasets, seen, strict=True) if pair[1].dataset is not None]
        states = [(wanted, _state(wanted, found, wanted.cached)) for wanted, found in pairs]
        return [f"{wanted.namespace}/{wanted.name}: {state.hopeless}" for wanted, state in states if state.hopeless]


def _missing(wanted: DatasetWanted, seen: DatasetSeen) -> Iterator[str]:
    """In the order in which it comes true."""
    name = f"{wanted.namespace}/{wanted.name}"
    if seen.dataset is None:
        yield f"{name} is not there"
        return
    state = _state(wanted, seen, None)
    if not state.ready:
        yield f"{name} waits for {state.waiting_for}"
    if seen.nodes < wanted.nodes:
        yield f"{name} is cached on {seen.nodes} of {wanted.nodes} nodes"
    if wanted.load and wanted.cached is None and not _is_complete(seen.load):
        yield f"{name} is being loaded{_share(seen.dataset)}"
    if not _state(wanted, seen, wanted.cached).ready:
        yield f"{name} waits for {wanted.cached:.0%} cached{_share(seen.dataset)}"


def _state(wanted: DatasetWanted, seen: DatasetSeen, cached: float | None) -> Readiness:
    """Of its workers only the labels on nodes count: a workload need not wait for all."""
    return readiness(seen.dataset or {}, claim=seen.claim, runtime=None, blind_to=frozenset({"runtime"}), cached=cached)


def _is_complete(load: Mapping[str, Any] | None) -> bool:
    return load is not None and OperationStatus.parse(load).phase == "Complete"


def _share(dataset: Mapping[str, Any]) -> str:
    fraction = DatasetStatus.parse(dataset).fraction
    # Rounded down: what it still waits for is not there yet.
    return f", {int(fraction * 100 + 1e-9)}% so far" if fraction is not None else ""
