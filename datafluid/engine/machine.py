"""The real surroundings of the controller: this machine's disks, the under-stores, the processes."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from datafluid.engine.binding import Binding
from datafluid.engine.home import Home
from datafluid.engine.processes import Processes
from datafluid.engine.reconcile.dataset import Probe
from datafluid.engine.reconcile.tiers import Machine
from datafluid.engine.reconcile.values import Totals
from datafluid.errors import CacheFull, DatafluidError, Invalid, Unsupported

__all__ = ["ThisMachine"]

_MEMORY = "/dev/shm"  # noqa: S108  # where Linux has its shared memory; only a private directory in it is used


class ThisMachine:
    """`datafluid.engine.surroundings.Surroundings`, for real.

    Args:
        home: Whose tiers, secrets and processes.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._processes = Processes(home)

    def machine(self, tier_paths: Sequence[str]) -> Machine:
        """The disks, and which of the paths cannot hold a tier."""
        memory = _MEMORY if os.access(_MEMORY, os.W_OK) else str(self._home.cache)
        found = {path: _problem(path) for path in tier_paths}
        status = os.statvfs(self._home.path)
        return Machine(
            cache=str(self._home.cache),
            memory=memory,
            free=status.f_bavail * status.f_frsize,
            unusable={path: problem for path, problem in found.items() if problem},
        )

    def ignored_options(self, dataset: Mapping[str, Any]) -> tuple[str, ...]:
        """Mount options that no under-store understands, as ``mount: option``."""
        from datafluid.model.mount_options import understand
        from datafluid.model.mount_points import scheme_of

        shared = dataset["spec"].get("sharedOptions") or {}
        found = []
        for mount in dataset["spec"].get("mounts") or ():
            options = {**shared, **(mount.get("options") or {})}
            with suppress(Invalid):  # a wrong value is for the probe to tell
                ignored = understand(scheme_of(mount["mountPoint"]), options.items()).ignored
                found += [f"{mount.get('name') or mount['mountPoint']}: {option}" for option in ignored]
        return tuple(found)

    def probe(self, binding: Binding) -> Probe:
        """Reach every mount for real, with the credentials that reads will use."""
        from datafluid.engine.understore.factory import open_store

        for mount in binding.mounts:
            try:
                store = open_store(self._home, binding, mount)
                try:
                    store.probe()
                finally:
                    store.close()
            except (DatafluidError, OSError) as error:
                where = f"mount {mount.path!r}" if mount.path else "the mount"
                final = isinstance(error, (Unsupported, Invalid))
                return Probe(error=f"Failed to reach {where}: {error}", final=final)
        return Probe()

    def count(self, binding: Binding, *, seconds: float) -> Totals | None:
        """Bytes and files of all mounts; None when that takes longer."""
        from datafluid.engine.volume import Volume
        from datafluid.model.quantity import format_size

        end = time.monotonic() + seconds
        size = files = 0
        try:
            for entry in Volume(self._home, binding).walk(""):
                size, files = size + entry.size, files + 1
                if time.monotonic() > end:
                    return None
        except (DatafluidError, OSError):
            return None
        return Totals(size=format_size(size), files=files)

    def forget(self, uid: str, *, but: Collection[str] = ()) -> None:
        """Remove what is cached of a dataset. On a disk that takes nothing more it is left to `cache clear`."""
        from datafluid.engine.cache import gone
        from datafluid.engine.cache.store import open_cache

        with suppress(CacheFull):
            gone.forget(open_cache(self._home), uid, but=but)

    def alive(self, uid: str, scheduled: int) -> bool:
        """Whether a process holds the lock of a run."""
        return self._processes.alive(uid, scheduled)

    def start(self, uid: str, scheduled: int) -> bool:
        """Start a process for a run; False when one holds its lock already."""
        return self._processes.start(uid, scheduled)


def _problem(path: str) -> str:
    """Why a directory cannot hold a tier; "" when it can."""
    if not os.path.isabs(path):
        return "the path is not absolute"
    try:
        Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or type(error).__name__
    return "" if os.access(path, os.W_OK | os.X_OK) else "it cannot be written"
