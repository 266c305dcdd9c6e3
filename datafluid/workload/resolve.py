"""What a use means where the workload runs: the claim, the place, the labels of the dataset that holds the bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from datafluid.errors import Invalid
from datafluid.model.names import shortened
from datafluid.placement.labels import DatasetLabels, labels
from datafluid.workload.facts import DatasetFacts
from datafluid.workload.topology import Topology
from datafluid.workload.uses import MOUNT_ROOT, DatasetUse

__all__ = ["Resolved", "resolve_uses", "stand_in"]

_LONGEST = 63  # characters of a label


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A use, resolved.

    Args:
        use: The use.
        namespace: Of the dataset, as its URI has it.
        name: Of the dataset, as its URI has it.
        home: The workload's namespace.
        claim: The claim in the workload's namespace.
        mount_path: Where the files appear.
        facts: What is known of the dataset; None when nothing is.
        holder: Namespace and name of the dataset that holds the bytes: the same, but for a reference.
        physical: What is known of that one.
        without_engine: Why whoever reads cannot use the engine's client, a clause; None when it can.
    """

    use: DatasetUse
    namespace: str
    name: str
    home: str
    claim: str
    mount_path: str
    facts: DatasetFacts | None
    holder: tuple[str, str]
    physical: DatasetFacts | None
    without_engine: str | None = None

    @property
    def dataset(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @property
    def is_foreign(self) -> bool:
        """Whether it lives in another namespace, where no pod of this one can mount it."""
        return self.namespace != self.home

    @property
    def read_only(self) -> bool:
        """Whether it is mounted read-only: as asked, but never against its access modes."""
        writable = self.facts.writable if self.facts else None
        if self.use.read_only is not None:
            return self.use.read_only or writable is False
        return not writable

    @property
    def is_assumed_read_only(self) -> bool:
        """Whether nobody asked for that, and nothing is known of its access modes."""
        return self.use.read_only is None and (self.facts is None or self.facts.writable is None)

    @property
    def engine(self) -> str | None:
        """By whose client Hadoop reads past the mount, ``alluxio`` or ``jindo``; None when it reads the mount."""
        past = self.use.api == "hcfs" and self.use.via != "mount" and self.engine_obstacle is None
        return self.physical.runtime_type if past and self.physical is not None else None

    @property
    def engine_obstacle(self) -> str | None:
        """Why Hadoop's client cannot read from the engine, a clause; None when it can."""
        if self.physical is None:
            return "nothing is known of its engine"
        if self.physical.runtime_type not in ("alluxio", "jindo"):
            return f"its runtime ({self.physical.runtime_type or 'unknown'}) serves no Hadoop client that is known here"
        if self.without_engine is not None and self.use.via == "auto":
            return self.without_engine
        if self.physical.runtime_type == "jindo" and self.use.via == "auto":
            return "Jindo's client needs its own SDK and the keys of the store in the pod; via=engine takes it"
        if self.physical.master_port is None:
            return "the port of its masters is not known before it is Bound: in the host network it is drawn"
        return None

    @property
    def needs_mount(self) -> bool:
        """Whether the pods need its claim."""
        return self.use.api == "posix" or self.engine is None

    @property
    def labels(self) -> DatasetLabels | None:
        """The labels of nodes with its cache; None when they cannot be known: long names need the UID."""
        uid, runtime_type = (self.physical.uid, self.physical.runtime_type) if self.physical else (None, None)
        found = labels(*self.holder, uid=uid, runtime_type=runtime_type)
        return None if uid is None and len(found.dataset) >= _LONGEST else found


def resolve_uses(
    uses: Iterable[DatasetUse], topology: Topology, home: str, *, without_engine: str | None = None
) -> tuple[Resolved, ...]:
    """The uses in an order of their own, each once.

    Args:
        uses: The uses.
        topology: What is known.
        home: The workload's namespace.
        without_engine: Why whoever reads cannot use an engine's client, a clause; None when it can.

    Raises:
        Invalid: two of them want the same place.
    """
    ordered = sorted(set(uses), key=lambda use: (use.namespace(home), use.name, repr(use)))
    found = tuple(_resolve(use, topology, home, without_engine) for use in ordered)
    places: dict[str, Resolved] = {}
    for each in (each for each in found if each.needs_mount):
        other = places.setdefault(each.mount_path, each)
        if (other.dataset, other.use.sub_path) != (each.dataset, each.use.sub_path):
            raise Invalid(
                f"{other.dataset} and {each.dataset} are both to be mounted at {each.mount_path}.",
                hint="Give one of them another mount_path.",
            )
    return found


def _resolve(use: DatasetUse, topology: Topology, home: str, without_engine: str | None) -> Resolved:
    namespace, name = use.namespace(home), use.name
    facts = topology.facts(namespace, name)
    holder = facts.physical[:2] if facts and facts.physical else (namespace, name)
    path = use.mount_path or f"{MOUNT_ROOT}/{namespace}/{name}" + (f"/{use.sub_path}" if use.sub_path else "")
    return Resolved(
        use=use,
        namespace=namespace,
        name=name,
        home=home,
        claim=name if namespace == home else _reference_to(namespace, name, topology, home),
        mount_path=path,
        facts=facts,
        holder=holder,
        physical=topology.facts(*holder),
        without_engine=without_engine,
    )


def _reference_to(namespace: str, name: str, topology: Topology, home: str) -> str:
    """The dataset in the workload's own namespace that refers to one elsewhere: one that is there, else a new one."""
    there = [
        facts.name
        for facts in topology.datasets.values()
        if facts.namespace == home and facts.physical == (namespace, name, "")
    ]
    return min(there) if there else shortened(stand_in(name, namespace))


def stand_in(name: str, namespace: str) -> str:
    """What the stand-in for an object of another namespace is called: of no two objects the same.

    Example:
        >>> stand_in("flights", "other")
        'flights-from-other'
    """
    joined = f"{name}-from-{namespace}"
    if joined.count("-from-") == 1:
        return joined
    return f"{joined}-{sha256(f'{namespace}/{name}'.encode()).hexdigest()[:8]}"
