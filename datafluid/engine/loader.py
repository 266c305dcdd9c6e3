"""Warming: bring files of a dataset into its cache, as fast as the store gives them.

What was fetched is recorded in pieces as it comes, so a load that was killed goes on where it was: the next one
fetches only what is missing. One file's trouble is not another's: errors are collected, and the load says so at
its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from datafluid.engine.headway import Cancelled, Headway, Progress
from datafluid.engine.intake import Intake
from datafluid.engine.volume import Entry, Mount, Volume
from datafluid.errors import CacheFull, Corrupt, DatafluidError, NotFound, StaleVersion, Unavailable

__all__ = ["Loaded", "Loader"]

_WORTH_ANOTHER_TRY = (StaleVersion, NotFound, Unavailable, Corrupt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """How a load went.

    Args:
        files: Files that are cached now.
        failed: Files that could not be loaded.
        errors: What went wrong, the first few, each as ``path: reason``.
        unaddressable: Objects that no path can name; they are in the store and cannot be loaded.
        cancelled: It was told to stop.
        progress: The last progress.
    """

    files: int
    failed: int
    errors: tuple[str, ...]
    unaddressable: int
    cancelled: bool
    progress: Mapping[str, Any]


class _Stopped(Exception):
    """No error: it ends a walk from within when the load is cancelled."""


@dataclass(eq=False)
class Loader:
    """One load of one dataset.

    Args:
        volume: The dataset's bytes.
        progress: Told how far it is, with the keys of ``status.progress``.
        cancelled: Asked whether to stop.
    """

    volume: Volume
    progress: Progress = lambda told: None
    cancelled: Cancelled = lambda: False
    _headway: Headway = field(init=False)
    _unaddressable: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._headway = Headway(self.progress)

    def load(self, paths: Sequence[str] = ("",), *, metadata_only: bool = False, refresh: bool = False) -> Loaded:
        """Load everything below some paths.

        Args:
            paths: Relative to the dataset; ``""`` is all of it. One that lies in another is counted once.
            metadata_only: List, and fetch no bytes.
            refresh: List anew, however fresh what is known.

        Raises:
            NotFound: a path does not exist.
            CacheFull: there is no room; what was loaded stays cached.
            Unavailable, Forbidden: the under-store cannot be listed.
        """
        wanted: list[tuple[Mount, Entry]] = []
        with suppress(_Stopped):
            wanted.extend(self._plan(paths, refresh=refresh))
        self._headway.expect(entry for _, entry in wanted)
        self._headway.tell()
        if metadata_only:
            self._headway.files_done = len(wanted)
            return self._result()
        self._need_capacity()
        for mount in dict.fromkeys(mount for mount, _ in wanted):
            self._load_from(mount, [entry for source, entry in wanted if source is mount])
        self._headway.tell()
        return self._result()

    def _plan(self, paths: Sequence[str], *, refresh: bool) -> Iterator[tuple[Mount, Entry]]:
        seen: list[str] = []
        for path in sorted(paths):
            if any(not above or path == above or path.startswith(above + "/") for above in seen):
                continue
            seen.append(path)
            if refresh:
                self.volume.refresh(path)
            if path:
                self.volume.info(path)
            for entry in self.volume.walk(path, unaddressable=self._unaddressable.append, between=self._look_out):
                self._look_out()
                mount = self.volume.mount_of(entry.path)
                assert mount is not None
                yield mount, entry

    def _look_out(self) -> None:
        if self.cancelled():
            raise _Stopped

    def _need_capacity(self) -> None:
        from datafluid.model.quantity import format_size

        quota = sum(tier.quota for tier in self.volume.binding.tiers)
        if self._headway.bytes_total > quota:
            raise CacheFull(
                f"{format_size(self._headway.bytes_total)} do not fit into the cache of {format_size(quota)}.",
                hint="Raise the quota of the runtime's tieredstore, or load fewer paths.",
            )

    def _load_from(self, mount: Mount, entries: Sequence[Entry]) -> None:
        self._take(mount, entries)
        again = [entry for entry, error in self._headway.failures if isinstance(error, _WORTH_ANOTHER_TRY)]
        if again and not self.cancelled():
            final = [each for each in self._headway.failures if not isinstance(each[1], _WORTH_ANOTHER_TRY)]
            self._headway.failures = final
            self._take(mount, list(self._looked_up_again(again)))

    def _take(self, mount: Mount, entries: Sequence[Entry]) -> None:
        Intake(self.volume, mount, self._headway, self.cancelled).take(entries)

    def _looked_up_again(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        for entry in entries:
            self.volume.refresh(entry.path)
            self._headway.expect_no_more(entry)
            try:
                fresh = self.volume.info(entry.path)
            except NotFound:  # deleted since it was listed: there is nothing to load
                continue
            except DatafluidError as error:
                self._headway.expect([entry])
                self._headway.failed(entry, error)
            else:
                self._headway.expect([fresh])
                yield fresh

    def _result(self) -> Loaded:
        return Loaded(
            files=self._headway.files_done,
            failed=len(self._headway.failures),
            errors=self._headway.errors(),
            unaddressable=len(self._unaddressable),
            cancelled=self.cancelled(),
            progress=self._headway.figures(),
        )
