"""``python -m datafluid.engine.worker HOME UID TICK LOCK``: runs one operation and ends.

Started by `datafluid.engine.processes` with the run's lock as an open file. It reads what to do from the registry,
so nothing secret is in its arguments; it writes how far it is about once a second; it ends its run in the registry
before the lock is let go, so whoever finds the lock free and the run not ended knows that it is dead.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datafluid.engine.home import Home
from datafluid.engine.operations import Outcome, run_operation
from datafluid.engine.reconcile.values import RunSeen
from datafluid.engine.registry import Registry
from datafluid.model.ref import Ref

__all__ = ["Reporter", "main", "work"]

_PROGRESS_SECONDS = 1.0
_CANCEL_LOOK = 0.2
_CANCEL_PATIENCE = 5.0  # seconds that a cancelled load gets to end by itself


def main(arguments: Sequence[str] = sys.argv[1:]) -> int:
    """Entry point of the process."""
    home, uid, tick, _lock = arguments  # the lock is held by being open; nothing else is done with it
    return work(Home(Path(home)), uid, int(tick))


def work(home: Home, uid: str, tick: int) -> int:
    """Run a run, and take the operation's next steps, unless who waits for it has; the exit code."""
    registry = Registry(home)
    operation = registry.by_uid(uid)
    if operation is None or not _is_wanted(registry, uid, tick):
        return 0
    reporter = Reporter(registry, uid, tick)
    reporter.watch()
    outcome = run_operation(home, registry, operation, reporter.progress, reporter.cancelled)
    reporter.finish(outcome)
    from datafluid.engine.controller import Controller  # who waits for the end does not wait for these imports
    from datafluid.engine.machine import ThisMachine

    controller = Controller(registry, ThisMachine(home))
    controller.advance(Ref.of(operation))
    outcome.afterwards()
    return 0 if outcome.phase == "Complete" else 1


def _is_wanted(registry: Registry, uid: str, tick: int) -> bool:
    return any(run.scheduled == tick and run.active for run in registry.runs(uid))


@dataclass
class Reporter:
    """Between a run and the registry: progress out, cancellation in."""

    registry: Registry
    uid: str
    tick: int
    _stop: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)
    _last: Mapping[str, Any] = field(default_factory=dict)
    _written: float = field(default_factory=time.monotonic)

    def progress(self, told: Mapping[str, Any]) -> None:
        """Note how far the run is; written down about once a second."""
        self._last = told
        now = time.monotonic()
        if now - self._written >= _PROGRESS_SECONDS:
            self._written = now
            with self.registry.transaction() as records:
                records.progress_run(self.uid, self.tick, told)

    def cancelled(self) -> bool:
        """Whether somebody wants the run to stop."""
        return self._stop.is_set()

    def watch(self) -> None:
        """Look for a wish to stop, in a thread that ends with the process."""
        threading.Thread(target=self._look, name="datafluid-cancel", daemon=True).start()

    def finish(self, outcome: Outcome) -> None:
        """Write down how the run ended."""
        self._ended.set()
        with self.registry.transaction() as records:
            for dataset, totals in (outcome.totals or {}).items():
                records.tell_totals(dataset, totals)
            records.end_run(
                self.uid,
                self.tick,
                phase=outcome.phase,
                reason=outcome.reason,
                message=outcome.message,
                now=time.time(),
                progress=outcome.progress or self._last or None,
            )

    def _look(self) -> None:
        seen = -1
        while not self._ended.wait(_CANCEL_LOOK):
            generation = self.registry.generation
            if generation == seen:
                continue
            seen = generation
            if self._shall_stop():
                self._stop.set()
                self._give_up_after_a_while()
                return

    def _shall_stop(self) -> bool:
        runs: dict[int, RunSeen] = {run.scheduled: run for run in self.registry.runs(self.uid)}
        return self.tick not in runs or runs[self.tick].cancelled

    def _give_up_after_a_while(self) -> None:
        """A call that hangs in a store does not keep a cancelled run alive: what is cached so far is safe."""
        if self._ended.wait(_CANCEL_PATIENCE):
            return
        sys.stderr.write(f"The load did not stop by itself in {_CANCEL_PATIENCE:g} s.\n")  # its log
        self.finish(Outcome.cancelled())
        os._exit(1)


if __name__ == "__main__":
    code = main()
    os._exit(code)  # a thread whose store has stopped answering must not keep, or break, the end of the process
