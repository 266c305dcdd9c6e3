"""The processes of operations: each run is an executed process of its own, alive while it holds a kernel lock.

The lock is taken before the process exists and handed to it as an open file, so there is no moment at which a
started run looks dead.
"""

from __future__ import annotations

import os
import subprocess
import sys

from datafluid.engine.home import Home
from datafluid.engine.locks import FileLock
from datafluid.errors import Unavailable

__all__ = ["Processes"]


class _Run(subprocess.Popen[bytes]):
    """A process that may outlive us: leaving it running is no mistake to warn of."""

    def __del__(self) -> None:
        """Nothing: `Processes.start` reaps those that have ended."""


_OURS: list[_Run] = []  # reaped when they have ended, so that they do not stay as zombies


class Processes:
    """Starts and watches the processes of one home.

    Args:
        home: Whose.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def alive(self, uid: str, scheduled: int) -> bool:
        """Whether a process holds the lock of a run."""
        lock = self._lock(uid, scheduled)
        if not lock.try_acquire():
            return True
        lock.release()
        return False

    def start(self, uid: str, scheduled: int) -> bool:
        """Start a process for a run; False when one holds its lock already.

        Raises:
            Unavailable: this Python cannot start itself.
        """
        _OURS[:] = [process for process in _OURS if process.poll() is None]
        lock = self._lock(uid, scheduled)
        if not lock.try_acquire():
            return False
        try:
            _OURS.append(self._execute(uid, scheduled, lock.fileno()))
        finally:
            lock.release()  # the child's copy keeps it locked
        return True

    def _execute(self, uid: str, scheduled: int, lock: int) -> _Run:
        if not sys.executable:
            raise Unavailable("this program has no Python to run loads with.", hint="Run `datafluid serve`.")
        command = [sys.executable, "-P", "-m", "datafluid.engine.worker", str(self._home.path), uid, str(scheduled)]
        self._home.logs.mkdir(mode=0o700, exist_ok=True)
        log = os.open(self._home.logs / f"{uid}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            return _Run(
                [*command, str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._home.path,
                pass_fds=[lock],
                start_new_session=True,  # Ctrl-C at a terminal is for the one who watches, not for the load
            )
        except OSError as error:
            raise Unavailable(
                f"{sys.executable} cannot be started: {error.strerror}.", hint="Run `datafluid doctor`."
            ) from error
        finally:
            os.close(log)

    def _lock(self, uid: str, scheduled: int) -> FileLock:
        return FileLock(self._home.locks / f"operation-{uid}", start=scheduled, length=1)
