"""The mount route: a dataset that Fluid (or an administrator) has mounted, read as the directory it is."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.cache.sealed import stamp_of
from datafluid.engine.editing import Editing
from datafluid.engine.mounted import Block, Entry, Local, LocalFile, open_checked
from datafluid.engine.ranges import read_at
from datafluid.engine.streams import ReaderFile
from datafluid.engine.understore.local_store import LocalStore
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import IsADirectory, NotADirectory, NotFound, Unavailable

if TYPE_CHECKING:
    from datafluid.engine.reader import Reader

__all__ = ["MountTree"]


class MountTree(Editing):
    """The files below a mount point. The kernel and the engine behind it do all the caching.

    Args:
        root: The mount point.
    """

    def __init__(self, root: str, namespace: str, name: str) -> None:
        writable = not os.statvfs(root).f_flag & os.ST_RDONLY
        mount = MountBinding(path="", url=f"local://{root}", origin="", namespace=namespace)
        self.binding = Binding(namespace=namespace, name=name, uid="", mounts=(mount,), tiers=(), writable=writable)
        self.root = root
        self._mount = _Whole(mount, LocalStore(root, display_url=root))

    def mount_of(self, path: str) -> _Whole:  # type: ignore[override]  # one mount, without a cache
        """The mount: there is one."""
        return self._mount

    def local(self, path: str) -> Local | None:
        """The file itself."""
        entry = self.info(path)
        if entry.type == "directory":
            raise IsADirectory(f"{self._shown(path)} is a directory.", hint="Name a file in it.")
        place = self._mount.store.local_path(path)
        if place is None:
            raise NotFound(f"{self._shown(path)} does not exist.")
        return Local(place, stamp_of(os.stat(place)), entry, "mount", 0.0, 0)

    def open_local(self, path: str) -> LocalFile | None:
        """The file, opened."""
        local = self.local(path)
        return None if local is None else open_checked(local)

    def open_binary(self, path: str) -> io.BufferedReader:
        """The file, to be read from start to end."""
        local = self.open_local(path)
        return io.BufferedReader(local if local is not None else ReaderFile(self.open(path)))

    def open(self, path: str) -> Reader:
        """Every file is local, so this means that it keeps changing."""
        raise Unavailable(f"{self._shown(path)} keeps changing.", hint="Read it when it is written.")

    def info(self, path: str) -> Entry:
        """What is at ``path``."""
        if not path or self._mount.store.is_directory(path):
            return Entry(path, 0, "directory")
        return _entry(self._mount.store.stat(path))

    def ls(self, path: str) -> list[Entry]:
        """One level below a directory."""
        if self.info(path).type == "file":
            raise NotADirectory(f"{self._shown(path)} is a file.", hint="List its directory.")
        listing = self._mount.store.list(path)
        found = [Entry(prefix, 0, "directory") for prefix in listing.prefixes]
        found += [_entry(info) for info in listing.objects]
        return sorted(found, key=lambda entry: entry.path)

    def walk(self, path: str) -> Iterator[Entry]:
        """All files below."""
        for page in self._mount.store.walk(path):
            yield from map(_entry, page)

    def read_ranges(self, path: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Several ranges of a file."""
        local = self.local(path)
        assert local is not None
        with open(local.path, "rb", buffering=0) as file:
            return [read_at(file.fileno(), start, end) for start, end in ranges]

    def blocks(self, path: str, start: int = 0, length: int | None = None) -> list[Block]:
        """One block: where its bytes are is the engine's affair."""
        size = self.info(path).size
        end = size if length is None else min(start + length, size)
        return [Block(start, max(0, end - start), None)]

    def cached_bytes(self, entries: Iterable[Entry]) -> int | None:
        """A mount does not tell."""
        return None

    def refresh(self, path: str = "") -> None:
        """Nothing is remembered."""

    def as_of(self, path: str) -> float | None:
        """A mount does not tell."""
        return None

    def _shown(self, path: str) -> str:
        return f"fluid://{self.binding.namespace}/{self.binding.name}/{path}".rstrip("/")

    def _changed(self, mount: object, path: str) -> None:
        """Nothing is remembered."""


class _Whole:
    """The one mount of a `MountTree`: keys are paths."""

    def __init__(self, binding: MountBinding, store: LocalStore) -> None:
        self.binding = binding
        self.store = store

    def key(self, path: str) -> str:
        return path


def _entry(info: ObjectInfo) -> Entry:
    return Entry(info.key, info.size, "file", info.mtime, info.version)
