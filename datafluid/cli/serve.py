"""``datafluid serve`` and ``datafluid run-due``: schedules, and loads whose process died."""

from __future__ import annotations

import signal
import sys
import threading
from datetime import datetime
from typing import Annotated

import typer

from datafluid.cli.output import echo
from datafluid.cli.session import Session, command

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def serve(session: Session) -> None:
        """Run schedules of the whole home directory until interrupted; a second one stands by.

        Loads that run when it is interrupted go on.
        """
        stop = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda signum, frame: stop.set())
        session.client.serve(stop, tell=_tell)
        _tell("stopped")

    @command(app, "run-due")
    def run_due(
        session: Session,
        wait: Annotated[
            bool, typer.Option("--wait", help="Stay until what runs has ended (systemd needs it).")
        ] = False,
    ) -> None:
        """Run what is due now and leave: for people who have cron or systemd."""
        due = session.client.run_due(wait=wait)
        for ref in due.moved:
            echo(f"{ref} moved")
        for ref in due.running:
            echo(f"{ref} runs")
        if due.next_at is not None:
            moment = datetime.fromtimestamp(due.next_at).astimezone()
            echo(f"Next at {moment.isoformat(' ', 'seconds')}.", file=sys.stderr)


def _tell(line: str) -> None:
    echo(f"{datetime.now().astimezone().isoformat(' ', 'seconds')} {line}")
    sys.stdout.flush()
