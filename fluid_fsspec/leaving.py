"""The end of a process that has read through PyArrow.

PyArrow gives a result back while its threads still let go of the scan behind it, and of the Python filesystem and
files that belong to the scan. When the interpreter ends first, such a thread asks for the interpreter's lock, is made
to exit inside of C++, and takes the process with it: "terminate called without an active exception", after all the
work was done (arrow issue 34314; on busy machines a few exits in a hundred, with any filesystem written in Python).
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

__all__ = ["let_arrow_finish"]

_AT_MOST = 0.5  # seconds: somebody's own threads may never rest
_MOMENT = 0.02
_LOOK = 0.001
_THREADS = Path("/proc/self/task")


def let_arrow_finish() -> None:
    """Wait until the other threads of this process rest, for half a second at most; nothing to do without PyArrow."""
    if "pyarrow" not in sys.modules:
        return
    if not _THREADS.is_dir():  # no Linux: nobody can tell, and most are done in a moment
        time.sleep(_MOMENT)
        return
    deadline = time.monotonic() + _AT_MOST
    before = None
    while (now := _running()) is None or now != before:
        if time.monotonic() > deadline:
            return
        before = now
        time.sleep(_LOOK)  # without the interpreter's lock: whoever waits for it goes on


def _running() -> dict[str, str] | None:
    """How much each other thread has run so far; None while one of them wants to run."""
    spent = {}
    own = str(threading.get_native_id())
    try:
        for thread in _THREADS.iterdir():
            if thread.name != own:
                if (thread / "stat").read_text().rpartition(")")[2].split()[0] == "R":
                    return None
                spent[thread.name] = (thread / "schedstat").read_text()
    except OSError:  # a thread has ended meanwhile
        return None
    return spent
