"""The four processes of a control plane on free loopback ports: started, killed, started again."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

__all__ = ["Process", "eventually", "free_ports"]

_STOP_SECONDS = 10.0


class Process:
    """One program with its log; `start` again after `kill` or `stop` with the same arguments.

    Args:
        command: The program and its arguments.
        log: Where its output goes; appended to.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.command = list(command)
        self.log = log
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as output:
            self._running = subprocess.Popen(self.command, stdout=output, stderr=subprocess.STDOUT, cwd=self.log.parent)

    def kill(self) -> None:
        """Take it away at once, as a crash would."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None

    def stop(self) -> None:
        """Ask it to end, then see to it."""
        if self._running is not None:
            self._running.terminate()
            try:
                self._running.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._running is not None and self._running.poll() is None

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-1500:]


def eventually(ask: Callable[[], bool], *, seconds: float = 60.0, alive: Iterable[Process] = ()) -> None:
    """Wait until ``ask`` says yes.

    Raises:
        TimeoutError: it never did.
        RuntimeError: one of the processes that must be ``alive`` has ended; has the end of its log.
    """
    end = time.monotonic() + seconds
    while not ask():
        for process in alive:
            if not process.alive:
                raise RuntimeError(f"{process.command[0]} has ended: {process.tail()}")
        if time.monotonic() > end:
            raise TimeoutError(f"not after {seconds:g} s: {[process.tail() for process in alive]}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listens on, all different."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
