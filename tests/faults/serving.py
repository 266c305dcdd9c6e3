"""``python -m tests.faults.serving BASE SPEED``: `datafluid serve` with a clock that runs ahead.

The clock showed the real time at BASE (seconds since the epoch) and runs SPEED times as fast since.
"""

from __future__ import annotations

import signal
import sys
import threading
import time

from datafluid.engine.home import Home
from datafluid.engine.plane import EmbeddedPlane
from datafluid.engine.serve import Server


def main() -> None:
    """Serve until SIGTERM; tell on stdout."""
    base, speed = map(float, sys.argv[1:])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda signum, frame: stop.set())
    plane = EmbeddedPlane(Home.open(), clock=lambda: base + (time.time() - base) * speed)
    Server(plane, tell=lambda line: print(line, flush=True)).run(stop)


if __name__ == "__main__":
    main()
