"""What a rule reads and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datafluid.model.ref import Ref
from datafluid.plane.port import Manifest
from tests.cluster.double.engine import Engine

INSTANTLY = 0.01  # seconds between two writes of one controller, on a quiet machine


@dataclass(frozen=True, slots=True)
class Create:
    """Make an object."""

    object: Manifest


@dataclass(frozen=True, slots=True)
class Patch:
    """Change an object by a JSON merge patch; ``status`` goes to the subresource."""

    ref: Ref
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Ask for an object to be gone; its finalizers hold it."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Tell:
    """Record an event on an object."""

    ref: Ref
    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    by: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Keep something in the controller's own memory: when it last synced an object, how often it tried."""

    ref: Ref
    what: str
    value: Any


@dataclass(frozen=True, slots=True)
class Vanish:
    """Take an object away whatever holds it, as a kubelet does with a pod that has ended."""

    ref: Ref


Write = Create | Patch | Delete | Tell | Remember | Vanish


@dataclass(frozen=True, slots=True)
class Step:
    """What a controller does at one look at one object.

    Args:
        writes: In this order.
        again: Seconds until it looks again if nothing happens; None: only when something happens.
        busy: Seconds in which it does not look whatever happens: it runs helm, or waits inside a call.
    """

    writes: tuple[Write, ...] = ()
    again: float | None = None
    busy: float = 0.0


def do(*writes: Write, then: float = INSTANTLY) -> Step:
    """Write, and go on with the next step after ``then`` seconds."""
    return Step(writes, again=then, busy=then)


NOTHING = Step()


@dataclass(slots=True)
class Faults:
    """How the controllers misbehave; nothing of it by default.

    Args:
        slow: Everything takes so many times as long.
        flapping: Datasets of these names go to Failed for 20 s at every second sync.
        crash_looping: Pods of these names never become ready: they crash.
        losing: Operations of these names are removed as soon as they are Complete, as with a ttl of 0.
        refusing: For operations of these names helm fails, as it does for a chart that an API server refuses.
        stalled: The figures of these datasets are never refreshed.
        gate: Whether the feature gate DataflowAffinity is open.
    """

    slow: float = 1.0
    flapping: frozenset[str] = frozenset()
    crash_looping: frozenset[str] = frozenset()
    losing: frozenset[str] = frozenset()
    refusing: frozenset[str] = frozenset()
    stalled: frozenset[str] = frozenset()
    gate: bool = False


@dataclass(slots=True)
class World:
    """The objects now, the time, and what rules cannot see in objects.

    Args:
        helm: Seconds that helm takes for a chart on this machine.
        engine: The engines' own figures.
    """

    objects: dict[Ref, Manifest]
    now: float
    helm: float = 0.35
    engine: Engine = field(default_factory=Engine)
    faults: Faults = field(default_factory=Faults)
    memory: dict[tuple[Ref, str], Any] = field(default_factory=dict)

    def remembered(self, ref: Ref, what: str) -> Any:
        """What `Remember` kept of an object; 0 for nothing."""
        return self.memory.get((ref, what), 0)

    def get(self, ref: Ref) -> Manifest | None:
        """An object, or None."""
        return self.objects.get(ref)

    def of(self, kind: str, namespace: str | None = None) -> Iterator[Manifest]:
        """All objects of a kind, in the order of their names."""
        found = [ref for ref in self.objects if ref.kind == kind and namespace in (None, ref.namespace)]
        return (self.objects[ref] for ref in sorted(found))

    def owned(self, owner: Manifest, kind: str) -> list[Manifest]:
        """The objects of a kind that name ``owner`` as an owner."""
        uid = owner["metadata"]["uid"]
        namespace = owner["metadata"].get("namespace")
        return [each for each in self.of(kind, namespace) if any(o["uid"] == uid for o in owners(each))]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Manifest
    before: Manifest | None = None

    @property
    def ref(self) -> Ref:
        """Whose change it is."""
        return Ref.of(self.object)

    @property
    def declared(self) -> bool:
        """Whether a user did it: it is new, its spec has changed, or it is to go. Not a status, not a label."""
        if self.type == "MODIFIED" and self.before is not None:
            return self.before.get("spec") != self.object.get("spec") or deleting(self.object) != deleting(self.before)
        return self.type == "ADDED"


Wakes = Callable[[World, Change], Iterable[Ref]]


@dataclass(frozen=True, slots=True)
class Controller:
    """A loop over the objects of some kinds.

    Args:
        name: For the queue.
        look: What to do about one object. Called for those of ``wakes`` only.
        wakes: Which objects it looks at after a change.
        rests: Whether it is down now (DataBackup crashes one).
    """

    name: str
    look: Callable[[World, Ref], Step]
    wakes: Wakes
    rests: Callable[[World], bool] = lambda world: False


def first(steps: Iterable[Step]) -> Step:
    """The first thing that is still to do; rules are written as all of them, in order."""
    return next(iter(steps), NOTHING)


def owners(manifest: Manifest) -> list[Manifest]:
    """Its owner references."""
    return manifest["metadata"].get("ownerReferences") or []


def owner_of(manifest: Manifest, *, controller: bool | None = None, block: bool | None = None) -> Manifest:
    """An owner reference to an object."""
    reference = {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "name": manifest["metadata"]["name"],
        "uid": manifest["metadata"]["uid"],
    }
    extra = {"controller": controller, "blockOwnerDeletion": block}
    return reference | {key: value for key, value in extra.items() if value is not None}


def deleting(manifest: Manifest) -> bool:
    """Whether it is on its way out."""
    return bool(manifest["metadata"].get("deletionTimestamp"))


def finalized(manifest: Manifest, name: str) -> bool:
    """Whether it carries a finalizer."""
    return name in (manifest["metadata"].get("finalizers") or ())


def with_finalizer(manifest: Manifest, name: str) -> Patch:
    """Add a finalizer."""
    present = manifest["metadata"].get("finalizers") or []
    return Patch(Ref.of(manifest), {"metadata": {"finalizers": [*present, name]}})


def without_finalizer(manifest: Manifest, name: str) -> Patch:
    """Take a finalizer away; the object goes with its last one when it is deleted."""
    rest = [each for each in manifest["metadata"].get("finalizers") or () if each != name]
    return Patch(Ref.of(manifest), {"metadata": {"finalizers": rest or None}})
