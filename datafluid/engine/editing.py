"""Writing to a dataset: files go to the under-store as a whole, and every process forgets what it knew of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from datafluid.engine.streams import AllOrNothing
from datafluid.engine.understore.keys import addressable
from datafluid.engine.understore.port import UnderStore, WritableUnderStore
from datafluid.errors import IsADirectory, NotFound, ReadOnly

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from datafluid.engine.binding import Binding
    from datafluid.engine.generation import Generation
    from datafluid.engine.mounted import Entry, Mount

__all__ = ["Editing", "Writer"]

_IN_MEMORY = 8 << 20  # what is being written goes to a file of its own beyond this


class Writer(AllOrNothing, io.RawIOBase):
    """A file that is being written. It appears when it is closed, whole; discarded or collected, it never does.

    Args:
        volume: Where it goes.
        path: Relative to the dataset.
        exclusive: Fail at the end when something is there.
    """

    def __init__(self, volume: Editing, path: str, *, exclusive: bool) -> None:
        import tempfile  # not for readers

        self._volume = volume
        self.path = path
        self._exclusive = exclusive
        self._spool = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # closed by close()

    def writable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes: nothing was sent yet."""
        return True

    def write(self, data: Buffer) -> int:
        """Take the next bytes."""
        view = memoryview(data).cast("B")
        self._spool.write(view)
        return view.nbytes

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to another position."""
        return self._spool.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self._spool.tell()

    def truncate(self, size: int | None = None) -> int:
        """Cut what was written."""
        self._spool.truncate(size)
        return self.tell() if size is None else size

    def discard(self) -> None:
        """Close without writing anything."""
        self._spool.close()
        super().close()

    def close(self) -> None:
        """Publish what was written.

        Raises:
            AlreadyExists: it was to be exclusive, and something is there.
            Unavailable, Forbidden: as the under-store raises them; nothing was written.
        """
        if self.closed:
            return
        try:
            self._spool.seek(0)
            self._volume.put(self.path, self._spool, exclusive=self._exclusive)
        finally:
            self.discard()

    def __del__(self) -> None:
        if not self.closed:
            self.discard()


class Editing:
    """The writing half of a `datafluid.engine.volume.Volume`."""

    binding: Binding
    _generation: Generation

    if TYPE_CHECKING:

        def mount_of(self, path: str) -> Mount | None: ...
        def info(self, path: str) -> Entry: ...
        def open_binary(self, path: str) -> io.BufferedReader: ...

    def check_writable(self, path: str) -> None:
        """Raise unless ``path`` may be written.

        Raises:
            ReadOnly: the dataset's accessModes, its mount or its under-store allow no writes.
            NotFound: no mount is there, or no path can be called so.
        """
        self._writable(path)

    def can(self, path: str) -> dict[str, bool]:
        """What the store below ``path`` can do."""
        mount = self.mount_of(path)
        store: Any = mount.store if mount else None
        return {
            "write": bool(self.binding.writable and mount and not mount.binding.read_only),
            "atomic_move": bool(getattr(store, "atomic_move", False)),
            "real_directories": bool(getattr(store, "real_directories", False)),
        }

    def create(self, path: str, *, exclusive: bool = False) -> Writer:
        """Write a file; it appears when the writer is closed.

        Raises:
            ReadOnly, NotFound: see `check_writable`.
            IsADirectory: a directory is there.
        """
        self._writable(path)
        self._no_directory(path)
        return Writer(self, path, exclusive=exclusive)

    def put(self, path: str, source: Any, *, exclusive: bool = False) -> None:
        """Store what a binary file holds from its position on; see `create`."""
        mount, store = self._writable(path)
        store.put(mount.key(path), source, create=exclusive)
        self._changed(mount, path)

    def delete(self, paths: Sequence[str]) -> None:
        """Delete files; those already gone are no error."""
        by_mount: dict[int, tuple[Mount, WritableUnderStore, list[str]]] = {}
        for path in paths:
            mount, store = self._writable(path)
            by_mount.setdefault(id(mount), (mount, store, []))[2].append(path)
        for mount, store, found in by_mount.values():
            try:
                store.delete([mount.key(path) for path in found])
            finally:
                for path in found:
                    self._changed(mount, path)

    def copy(self, source: str, target: str, *, overwrite: bool = True) -> None:
        """Copy a file; within one mount the store does it.

        Raises:
            AlreadyExists: without ``overwrite``, when something is at ``target``.
        """
        mount, store = self._writable(target)
        self._no_directory(target)
        if self.mount_of(source) is mount:
            store.copy(mount.key(source), mount.key(target), overwrite=overwrite)
            self._changed(mount, target)
        else:
            self._copy_across(source, target, overwrite=overwrite)

    def move(self, source: str, target: str, *, overwrite: bool = True) -> None:
        """Rename; atomic only where `can` says ``atomic_move`` and both are in one mount."""
        origin, _ = self._writable(source)
        mount, store = self._writable(target)
        if origin is mount:
            store.move(mount.key(source), mount.key(target), overwrite=overwrite)
            self._changed(mount, source)
            self._changed(mount, target)
        else:
            self._copy_across(source, target, overwrite=overwrite)
            self.delete([source])

    def mkdir(self, path: str) -> None:
        """Make a directory and its parents, where the store has directories; elsewhere it is nothing."""
        mount, store = self._writable(path)
        store.make_directory(mount.key(path))
        self._changed(mount, path)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory, where the store has directories; elsewhere it is nothing."""
        mount, store = self._writable(path)
        if store.real_directories:
            store.delete([mount.key(path)])
        self._changed(mount, path)

    def _copy_across(self, source: str, target: str, *, overwrite: bool) -> None:
        import shutil

        with self.open_binary(source) as file, self.create(target, exclusive=not overwrite) as writer:
            shutil.copyfileobj(file, writer, 1 << 20)

    def _writable(self, path: str) -> tuple[Mount, WritableUnderStore]:
        shown = f"fluid://{self.binding.namespace}/{self.binding.name}/{path}"
        if not addressable(path):
            raise NotFound(f"{path!r} cannot be the name of a file.", hint="Leave out empty, `.` and `..` parts.")
        if not self.binding.writable:
            raise ReadOnly(
                f"{shown}: the dataset is read-only.", hint="Add ReadWriteMany to its spec.accessModes to write."
            )
        mount = self.mount_of(path)
        if mount is None:
            raise NotFound(f"{shown} lies in no mount.", hint="Write below one of the dataset's mounts.")
        if mount.binding.read_only:
            raise ReadOnly(f"{shown}: its mount is read-only.", hint="Take readOnly away from the mount.")
        store: UnderStore = mount.store
        if not isinstance(store, WritableUnderStore):
            raise ReadOnly(f"{shown}: {store.display_url} cannot be written.", hint="Mount a store that can.")
        return mount, store

    def _no_directory(self, path: str) -> None:
        try:
            found = self.info(path)
        except NotFound:
            return
        if found.type == "directory":
            raise IsADirectory(f"{path!r} is a directory.", hint="Name a file.")

    def _changed(self, mount: Mount, path: str) -> None:
        mount.listing.changed(mount.key(path))
        self._generation.bump()
