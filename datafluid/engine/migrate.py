"""DataMigrate: copy files between datasets and stores that are none.

A file whose copy has its size and is not older is left alone, so a migration that was stopped goes on where it was.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from datafluid.engine.headway import Cancelled, Headway, Progress
from datafluid.engine.mounted import Entry
from datafluid.engine.streams import ObjectFile
from datafluid.engine.understore.keys import can_name
from datafluid.engine.understore.port import ObjectInfo, UnderStore, WritableUnderStore
from datafluid.engine.volume import Volume
from datafluid.errors import DatafluidError, NotFound, ReadOnly

__all__ = ["DatasetEnd", "End", "Migrated", "StoreEnd", "migrate"]

_BUFFER = 1 << 20


class End(Protocol):
    """One end of a migration; paths are relative to it."""

    def files(self) -> Iterator[Entry]:
        """All files."""

    def find(self, path: str) -> Entry | None:
        """A file, if it is there."""

    def open(self, entry: Entry) -> BinaryIO:
        """Read a file."""

    def put(self, path: str, source: BinaryIO) -> None:
        """Write a file, atomically."""

    def check_writable(self) -> None:
        """Raise ReadOnly unless files can be written."""


@dataclass(frozen=True, slots=True)
class DatasetEnd:
    """A dataset, or a path in it."""

    volume: Volume
    path: str = ""

    def files(self) -> Iterator[Entry]:
        """See `End`."""
        self.volume.refresh(self.path)
        for entry in self.volume.walk(self.path):
            below = entry.path[len(self.path) :].strip("/") or entry.path.rpartition("/")[2]
            yield Entry(below, entry.size, "file", entry.mtime, entry.path)

    def find(self, path: str) -> Entry | None:
        """See `End`."""
        try:
            found = self.volume.info(self._at(path))
        except NotFound:
            return None
        return found if found.type == "file" else None

    def open(self, entry: Entry) -> BinaryIO:
        """See `End`."""
        return self.volume.open_binary(entry.version)

    def put(self, path: str, source: BinaryIO) -> None:
        """See `End`."""
        self.volume.put(self._at(path), source)

    def check_writable(self) -> None:
        """See `End`."""
        self.volume.check_writable(self._at("file"))

    def _at(self, path: str) -> str:
        return f"{self.path}/{path}" if self.path else path


@dataclass(frozen=True, slots=True)
class StoreEnd:
    """A store that is no dataset."""

    store: UnderStore
    _infos: dict[str, ObjectInfo] = field(default_factory=dict)

    def files(self) -> Iterator[Entry]:
        """See `End`."""
        for page in self.store.walk(""):
            for info in page:
                if can_name(self.store)(info.key):
                    self._infos[info.key] = info
                    yield Entry(info.key, info.size, "file", info.mtime, info.version)

    def find(self, path: str) -> Entry | None:
        """See `End`."""
        try:
            info = self.store.stat(path)
        except NotFound:
            return None
        return Entry(info.key, info.size, "file", info.mtime, info.version)

    def open(self, entry: Entry) -> BinaryIO:
        """See `End`."""
        return io.BufferedReader(ObjectFile(self.store, self._infos[entry.path]), _BUFFER)

    def put(self, path: str, source: BinaryIO) -> None:
        """See `End`."""
        assert isinstance(self.store, WritableUnderStore)
        self.store.put(path, source)

    def check_writable(self) -> None:
        """See `End`."""
        if not isinstance(self.store, WritableUnderStore):
            raise ReadOnly(f"{self.store.display_url} cannot be written.", hint="Migrate to another store.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """How a migration went."""

    copied: int
    kept: int
    failed: int
    cancelled: bool
    progress: Mapping[str, Any]


def migrate(
    source: End,
    target: End,
    *,
    parallelism: int,
    progress: Progress,
    cancelled: Cancelled,
) -> Migrated:
    """Copy every file of ``source`` that ``target`` has not yet.

    Args:
        parallelism: Files copied at once.

    Raises:
        ReadOnly: the target cannot be written.
        NotFound, Unavailable, Forbidden: an end cannot be listed.
    """
    target.check_writable()
    entries = list(source.files())
    headway = Headway(progress)
    headway.expect(entries)
    waiting = iter(entries)
    running: set[Future[bool]] = set()
    copied = 0
    with ThreadPoolExecutor(parallelism, thread_name_prefix="fluid-migrate") as pool:
        while True:
            while len(running) < parallelism and not cancelled():
                entry = next(waiting, None)
                if entry is None:
                    break
                running.add(pool.submit(_copy, source, target, entry, headway))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            copied += sum(future.result() for future in done)
            headway.tell()
    return Migrated(
        copied=copied,
        kept=headway.files_done - copied,
        failed=len(headway.failures),
        cancelled=cancelled(),
        progress=headway.figures(),
    )


def _copy(source: End, target: End, entry: Entry, headway: Headway) -> bool:
    """Whether it was copied; what is there already is not."""
    try:
        there = target.find(entry.path)
        keep = there is not None and there.size == entry.size and (there.mtime or 0) >= (entry.mtime or 0)
        if not keep:
            with source.open(entry) as file:
                target.put(entry.path, file)
    except (DatafluidError, OSError) as error:
        headway.failed(entry, error)
        return False
    (headway.found if keep else headway.moved)(entry.size)
    headway.done()
    return not keep
