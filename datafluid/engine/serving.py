"""The kernel lock that says whether a ``datafluid serve`` runs for a home directory; it ends with the process."""

from __future__ import annotations

from datafluid.engine.home import Home
from datafluid.engine.locks import FileLock

__all__ = ["is_serving", "serve_lock"]


def serve_lock(home: Home) -> FileLock:
    """The lock that a `serve` holds."""
    return FileLock(home.locks / "serve")


def is_serving(home: Home) -> bool:
    """Whether a `serve` is running for this home."""
    lock = serve_lock(home)
    if not lock.try_acquire():
        return True
    lock.release()
    return False
