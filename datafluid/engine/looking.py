"""What is in a dataset, and where: entries by path, directory by directory, over all of its mounts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeVar

from datafluid.engine.generation import Generation
from datafluid.engine.mounted import Entry, entry_of
from datafluid.errors import NotADirectory, NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datafluid.engine.binding import Binding
    from datafluid.engine.cache.directories import Found
    from datafluid.engine.mounted import Mount
    from datafluid.engine.understore.port import ObjectInfo

__all__ = ["Looking"]

_REMEMBERED = 8192  # paths a process remembers; a reader's memory does not grow with the dataset
_ASK_AGAIN = 5.0  # seconds between two questions to a store that is away, while stale files are served
_PATIENT = 10  # and so many times as long as the last question took: waiting is a tenth of the time at most
_FOREVER = float("inf")
_T = TypeVar("_T")


class Looking:
    """The names of one bound dataset, without the bytes behind them.

    Args:
        binding: The dataset, resolved.
        mounts: Its mounts.
        generation: Counts what changes in any process.
    """

    def __init__(self, binding: Binding, mounts: Sequence[Mount], generation: Generation) -> None:
        self.binding = binding
        self.mounts = sorted(mounts, key=lambda mount: len(mount.binding.path), reverse=True)  # the deepest first
        self._generation = generation
        self._entries: dict[str, tuple[Entry, float, int]] = {}
        self._is_away = False  # the store, and stale files are served
        self._ask_again = 0.0

    def info(self, path: str) -> Entry:
        """What is at ``path``.

        Raises:
            NotFound: nothing is.
            Unavailable: the under-store is away and nothing fresh is known.
        """
        remembered = self._entries.get(path)
        if remembered is not None:
            entry, expires, generation = remembered
            if generation == self._generation.read() and time.monotonic() <= expires:
                return entry
        generation = self._generation.read()
        entry, as_of = self._look_up(path)
        self._remember(self._entries, path, (entry, self._expiry(as_of), generation))
        return entry

    def ls(self, path: str) -> list[Entry]:
        """One level below a directory, in name order.

        Raises:
            NotFound, NotADirectory: there is no such directory.
        """
        entries = {name: Entry(_join(path, name), 0, "directory") for name in self._virtual(path)}
        mount = self.mount_of(path)
        if mount is not None:
            key = mount.key(path)
            listing, _ = self._guarded(lambda stale: mount.listing.list(key, stale=stale))
            if not listing.objects and not listing.prefixes and path and not entries:
                self._must_be_directory(path)
            for prefix in listing.prefixes:
                entries.setdefault(_name(prefix), Entry(mount.path(prefix), 0, "directory"))
            for info in listing.objects:
                if info.key != key:
                    entries.setdefault(_name(info.key), entry_of(mount, info))
        elif not entries and path:
            raise NotFound(f"{self._shown(path)} does not exist.", hint="See `datafluid ls`.")
        return [entries[name] for name in sorted(entries)]

    def walk(
        self,
        path: str,
        *,
        unaddressable: Callable[[str], None] = lambda key: None,
        between: Callable[[], None] = lambda: None,
    ) -> Iterator[Entry]:
        """All files below ``path``; a file yields itself.

        Directories are listed anew in one sweep unless what is known of them is fresh.

        Args:
            unaddressable: Told the keys, found in a sweep, that no path can name.
            between: Called between two questions to the store; what it raises ends the walk.
        """
        if path and self.info(path).type == "file":
            yield self.info(path)
            return
        for mount in self.mounts:
            own = mount.binding.path
            if mount is self.mount_of(path):
                yield from self._walk_mount(mount, path, unaddressable, between)
            elif not path or own.startswith(path + "/"):
                yield from self._walk_mount(mount, own, unaddressable, between)

    def refresh(self, path: str = "") -> None:
        """Forget what is known below ``path``, in every process: the next question goes to the under-store."""
        for mount in self.mounts:
            if mount is self.mount_of(path):
                mount.listing.forget(mount.key(path))
            elif not path or mount.binding.path.startswith(path + "/"):
                mount.listing.forget(mount.binding.prefix)
        self._generation.bump()

    def as_of(self, path: str) -> float | None:
        """When what is served of ``path`` was true, seconds since the epoch; None when nothing is known."""
        mount = self.mount_of(path)
        return mount.listing.age(mount.key(path)) if mount else None

    def mount_of(self, path: str) -> Mount | None:
        """The mount that a path lies in."""
        for mount in self.mounts:
            own = mount.binding.path
            if not own or path == own or path.startswith(own + "/"):
                return mount
        return None

    # -- internals ----------------------------------------------------------------------------------------------

    def _look_up(self, path: str) -> tuple[Entry, float]:
        if not path or self._virtual(path):
            return Entry(path, 0, "directory"), _FOREVER
        mount = self.mount_of(path)
        if mount is None:
            raise NotFound(f"{self._shown(path)} does not exist.", hint="See `datafluid ls`.")
        if path == mount.binding.path:
            return Entry(path, 0, "directory"), _FOREVER
        key = mount.key(path)
        found: Found = self._guarded(lambda stale: mount.listing.lookup(key, stale=stale))
        if found.kind == "nothing":
            raise NotFound(f"{self._shown(path)} does not exist.", hint="`datafluid refresh` if it is new.")
        if found.info is None:
            return Entry(path, 0, "directory"), found.as_of
        return entry_of(mount, found.info), found.as_of

    def _guarded(self, ask: Callable[[bool], _T]) -> _T:
        """Ask; where the dataset serves stale files, answer from what is known while the store is away."""
        if self._is_away and time.monotonic() < self._ask_again:
            with suppress(Unavailable):  # nothing is known of it: the store may be back
                return ask(True)
        began = time.monotonic()
        try:
            answer = ask(False)
        except Unavailable:
            if not self.binding.serve_stale:
                raise
            self._is_away = True
            now = time.monotonic()
            self._ask_again = now + max(_ASK_AGAIN, _PATIENT * (now - began))
            return ask(True)
        self._is_away = False
        return answer

    def _walk_mount(
        self, mount: Mount, path: str, unaddressable: Callable[[str], None], between: Callable[[], None]
    ) -> Iterator[Entry]:
        between()
        top = mount.key(path)
        swept: Iterator[ObjectInfo] | None = None
        if not mount.listing.is_known(top):
            swept = self._guarded(
                lambda stale: None if stale else _begun(mount.listing.walk(top, unaddressable, between))
            )
        if swept is None:  # a directory after the other: what is known, or what is known still
            for entry in self.ls(path):
                if entry.type == "file":
                    yield entry
                elif self.mount_of(entry.path) is mount:
                    yield from self._walk_mount(mount, entry.path, unaddressable, between)
            return
        for info in swept:
            path_of = mount.path(info.key)
            if self.mount_of(path_of) is mount:
                yield entry_of(mount, info)

    def _virtual(self, path: str) -> list[str]:
        """Names below ``path`` that exist only because a mount is further down."""
        start = path + "/" if path else ""
        below = (m.binding.path[len(start) :] for m in self.mounts if m.binding.path.startswith(start))
        return sorted({rest.partition("/")[0] for rest in below if rest})

    def _must_be_directory(self, path: str) -> None:
        if self._look_up(path)[0].type == "file":
            raise NotADirectory(f"{self._shown(path)} is a file.", hint="Name a directory.")

    def _expiry(self, as_of: float) -> float:
        if as_of < 0:  # forgotten, and the store is away
            return 0.0
        if self.binding.refresh is None or as_of == _FOREVER:
            return _FOREVER
        return time.monotonic() + self.binding.refresh - max(0.0, time.time() - as_of)

    @staticmethod
    def _remember(memory: dict[str, _T], path: str, value: _T) -> None:
        if len(memory) >= _REMEMBERED:
            memory.clear()
        memory[path] = value

    def _shown(self, path: str) -> str:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")  # a name that is no UTF-8 could not be printed
        return f"fluid://{self.binding.namespace}/{self.binding.name}/{shown}".rstrip("/")


def _begun(found: Iterable[_T]) -> Iterator[_T]:
    """The same, with the first already taken: whether there is an answer at all is known now."""
    rest = iter(found)
    return chain(list(islice(rest, 1)), rest)


def _join(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def _name(key: str) -> str:
    return key.rpartition("/")[2]
