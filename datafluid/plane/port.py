"""The port that every plane answers: a place where Fluid objects live.

Objects cross it as plain JSON-like dicts (`Manifest`): the embedded plane stores them, Kubernetes sends them,
and nothing on this path needs the models. `datafluid.testing.PlaneContract` is the conformance suite.

A kind is named ``Dataset``, ``DataLoad``, ... where it is Fluid's own, and behind its apiVersion, ``v1/Pod``,
``apps/v1/StatefulSet``, where it is not. Only a plane that is a `Cluster` knows kinds that are not Fluid's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from datafluid.model.ref import Ref

__all__ = [
    "Advances",
    "Cluster",
    "ControlPlane",
    "Event",
    "KeepsHistory",
    "Manifest",
    "Node",
    "Run",
    "SeesMetadata",
    "WatchEvent",
]

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an object, in the words of a Kubernetes Event."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str
    count: int = 1
    first_seen: float
    last_seen: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEvent:
    """One change. ``version`` is what a later `ControlPlane.watch` takes as ``since``.

    A BOOKMARK only brings the version, a QUIET says that nothing was told for as long as was asked: what they have as
    ``object`` is none.
    """

    type: Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "QUIET"]
    object: Manifest
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine that can hold cache and run workloads. The embedded plane has one: this machine."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a data operation.

    Args:
        scheduled: The tick that it belongs to, seconds since the epoch; None for an operation that runs once.
        started: When it was started.
        ended: When it ended; None while it goes on.
        phase: ``Executing``, ``Complete``, ``Failed``, or ``Missed`` for a tick that was passed over.
        message: How it ended, one sentence.
        progress: What the status has as ``progress``.
    """

    scheduled: float | None = None
    started: float
    ended: float | None = None
    phase: str
    message: str = ""
    progress: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class ControlPlane(Protocol):
    """Where Fluid objects are declared and observed.

    All methods raise `Unavailable` when the plane cannot be reached and `Forbidden` when it refuses.
    """

    name: str

    def apply(
        self, resource: Mapping[str, Any], *, dry_run: bool = False, adopt: bool = False, replace: bool = False
    ) -> Manifest:
        """Create the object or change it to what ``resource`` says, like server-side apply.

        What an earlier apply named and this one does not is taken away; what others set is left alone.

        Args:
            resource: The manifest, as authored; its status is ignored.
            dry_run: Check everything and change nothing.
            adopt: Take over fields that another manager owns.
            replace: Let an operation that has ended run again, and one that has begun be another.

        Returns:
            The object as the plane holds it now.

        Raises:
            Invalid: the manifest is wrong; carries every finding.
            Conflict: another manager owns a field, the object is terminating, or a finished operation would change.
        """

    def get(self, ref: Ref) -> Manifest:
        """The object.

        Raises:
            NotFound: there is none.
        """

    def watch(
        self,
        kind: str,
        *,
        namespace: str | None = None,
        name: str | None = None,
        since: str | None = None,
        timeout: float | None = None,
        quiet: Sequence[float] = (),
    ) -> Iterator[WatchEvent]:
        """Changes as they come. Without ``since`` the objects that exist come first, as ADDED.

        Ends after ``timeout`` seconds (None: never); the caller closes it by leaving the loop.

        Args:
            kind: What to watch.
            namespace: Only there; None is everywhere.
            name: Only objects of this name.
            since: The version to go on from. A plane may have forgotten it: then what exists comes first.
            timeout: Seconds.
            quiet: Seconds without a change after which to say so with a QUIET event: after the first of them, then
                after the second, the last again and again until something changes. The watch itself goes on; only
                where it cannot tell, for the plane is away, it ends with `Unavailable`.
        """

    def delete(self, ref: Ref, *, cascade: bool = True) -> None:
        """Delete the object, and with ``cascade`` what it owns.

        Raises:
            NotFound: there is none.
            Conflict: something still uses it; the message says what.
        """

    def scale(self, ref: Ref, *, replicas: int) -> Manifest:
        """Set a runtime's worker count through the scale subresource.

        Raises:
            NotFound: there is no such runtime.
            Unsupported: the kind has no scale subresource.
        """

    def events(self, ref: Ref) -> list[Event]:
        """What happened to the object, oldest first."""

    def nodes(self) -> list[Node]:
        """The machines of this plane."""

    def list(
        self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None
    ) -> list[Manifest]:
        """All objects of a kind, sorted by namespace and name; an empty list when there is none."""


@runtime_checkable
class Advances(Protocol):
    """The ability of a plane without controllers of its own: callers move it forward."""

    def advance(self, ref: Ref) -> bool:
        """Take every step that is possible now for ``ref`` and what it depends on.

        Returns:
            Whether anything changed.
        """


@runtime_checkable
class KeepsHistory(Protocol):
    """The ability of a plane that remembers the runs of operations."""

    def history(self, ref: Ref) -> list[Run]:
        """The runs of an operation, newest first.

        Raises:
            NotFound: there is no such operation.
        """


@runtime_checkable
class Cluster(Protocol):
    """The ability of a plane that holds Kubernetes objects of every kind, not only Fluid's.

    The methods of `ControlPlane` take all its kinds; what they do for Fluid's own beyond Kubernetes (validation,
    finished operations) they do for those only.
    """

    def create(self, resource: Mapping[str, Any], *, dry_run: bool = False) -> Manifest:
        """Create an object that must not exist yet, strictly validated: what `ControlPlane.apply` cannot promise.

        Raises:
            AlreadyExists: it is there.
            Invalid: the server or one of its webhooks refuses it; the message is the server's.
        """

    def patch(self, ref: Ref, changes: Mapping[str, Any], *, subresource: str | None = None) -> Manifest:
        """Change some fields of an object (a JSON merge patch, RFC 7396: None removes).

        Args:
            changes: The fields, nested as in the object. With ``metadata.resourceVersion`` it is only changed if
                it is still that version.
            subresource: ``status`` or ``scale``; None for the object itself.

        Raises:
            NotFound: there is no such object.
            Conflict: the version is not the current one.
            Invalid: the server refuses the result.
        """

    def kinds(self) -> frozenset[str]:
        """Every kind that is served now, named as everywhere: ``Dataset``, ``v1/Pod``, ..."""


@runtime_checkable
class SeesMetadata(Protocol):
    """The ability of a plane to tell what there is without its contents: how Secrets are looked for, never read."""

    def metadata(self, kind: str, *, namespace: str | None = None) -> list[Manifest]:
        """All objects of a kind with nothing but their ``metadata``; nothing else of them leaves the server."""
