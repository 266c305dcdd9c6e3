"""``python -m tests.faults.crashing load DATASET N``, or ``unpack FILE N``: does it, and dies at its Nth step.

A step is whatever changes a file or a database: a write, a rename, a change of mode, an unlink, a commit. At a write
half of the bytes are written first. With N 0 it lives, and prints how many steps there were.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import apsw

from datafluid.client import connect
from datafluid.engine.loader import Loader

_LOCK = threading.Lock()
_steps = 0
_deadly = 0


def step(before: Callable[[], object] = lambda: None) -> None:
    """Count, and die where it is time."""
    global _steps
    with _LOCK:
        _steps += 1
        if _steps == _deadly:
            before()
            os.kill(os.getpid(), signal.SIGKILL)


def arm() -> None:
    """Let every call that changes something count."""
    real_pwritev = os.pwritev

    def pwritev(fd: int, buffers: Sequence[Any], offset: int, *rest: Any) -> int:
        whole = b"".join(bytes(buffer) for buffer in buffers)
        step(lambda: os.pwrite(fd, whole[: len(whole) // 2], offset))
        return real_pwritev(fd, buffers, offset, *rest)

    os.pwritev = pwritev  # type: ignore[assignment]
    for name in ("rename", "fchmod", "unlink", "ftruncate", "mkdir"):
        real = getattr(os, name)

        def counted(*arguments: Any, real: Any = real, **options: Any) -> Any:
            step()
            return real(*arguments, **options)

        setattr(os, name, counted)

    def commit() -> bool:
        step()
        return False

    apsw.connection_hooks.append(lambda connection: connection.set_commit_hook(commit))


def load(dataset: str) -> None:
    """Load a dataset."""
    loaded = Loader(connect().dataset(dataset).volume()).load()
    assert not loaded.failed, loaded.errors


def unpack(file: str) -> None:
    """Take in an archive."""
    connect().cache.unpack(file)


def main() -> None:
    """Do it, and die or tell."""
    global _deadly
    what, of, deadly = sys.argv[1:]
    _deadly = int(deadly)
    arm()
    {"load": load, "unpack": unpack}[what](of)
    print(_steps)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
