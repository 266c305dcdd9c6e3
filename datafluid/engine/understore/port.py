"""The port to an under-store: where a dataset's bytes come from.

Keys are relative to the mount, ``/``-separated, without a leading slash, exactly as the store has them.
Every method maps the store's own errors to `datafluid.errors`: NotFound, Forbidden, Unavailable (after bounded
retries), StaleVersion (the version asked for is gone), Corrupt (the store lied about a length).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Fetch", "HostedRange", "Listing", "ObjectInfo", "TellsHosts", "UnderStore", "WritableUnderStore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectInfo:
    """One object as the store describes it.

    Args:
        key: Relative to the mount.
        size: Bytes.
        version: What conditional reads compare: an ETag, or size, mtime and inode of a local file.
        mtime: Seconds since the epoch; None where the store does not say.
    """

    key: str
    size: int
    version: str
    mtime: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One level below a prefix, complete. ``prefixes`` are keys of directories, without a trailing slash."""

    objects: tuple[ObjectInfo, ...]
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A wish for bytes ``[start, start + length)`` of one version of an object."""

    info: ObjectInfo
    start: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedRange:
    """A range of an object and the machines that have it cached; ``tier`` is None when none has."""

    start: int
    length: int
    hosts: tuple[str, ...]
    tier: str | None


class UnderStore(Protocol):
    """Read access to one mount."""

    #: Where it points, fit for messages: without credentials or query.
    display_url: str
    #: How many fetches at once are of use.
    streams: int

    def probe(self) -> None:
        """Reach the mount for real, or raise: what Bound is founded on."""

    def stat(self, key: str) -> ObjectInfo:
        """The object at ``key``; NotFound when there is none (a mere prefix is none)."""

    def list(self, prefix: str) -> Listing:
        """One level below ``prefix`` (``""``: the mount itself). An empty Listing when nothing is there."""

    def walk(self, prefix: str) -> Iterator[Sequence[ObjectInfo]]:
        """All objects below ``prefix``, however deep, in pages, in key order within a page."""

    def read(self, fetch: Fetch) -> Buffer:
        """Exactly ``fetch.length`` bytes of exactly ``fetch.info.version``.

        Raises:
            StaleVersion: the object has another version now, or is gone.
            Corrupt: the store sent another number of bytes than it promised.
        """

    def stream(self, fetch: Fetch) -> Iterator[Buffer]:
        """What `read` returns, in pieces as they come: a large range in pieces of a MiB at most.

        Raises:
            StaleVersion, Corrupt: as `read`; what was handed out before is not to be used.
        """

    def close(self) -> None:
        """Let go of connections; the store can still be used afterwards."""


@runtime_checkable
class WritableUnderStore(Protocol):
    """Write access, for mounts that allow it."""

    #: Whether `move` is atomic (a local file system's is; an object store copies and deletes).
    atomic_move: bool
    #: Whether directories exist without files in them.
    real_directories: bool

    def put(self, key: str, source: BinaryIO, *, create: bool = False) -> ObjectInfo:
        """Store everything ``source`` holds from its current position, atomically: nobody sees a part.

        Raises:
            AlreadyExists: with ``create``, when the key exists.
        """

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects (or empty real directories); those already gone are no error."""

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Copy within the store."""

    def move(self, source: str, target: str, *, overwrite: bool = True) -> ObjectInfo:
        """Rename within the store; atomic only where `atomic_move` says so."""

    def make_directory(self, key: str) -> None:
        """Create a directory and its parents where `real_directories`, else do nothing."""


@runtime_checkable
class TellsHosts(Protocol):
    """The ability of a store that is itself a cache on several machines."""

    def hosts(self, key: str) -> Sequence[HostedRange]:
        """Where the blocks of an object are, in order.

        Raises:
            NotFound: there is no such object.
        """
