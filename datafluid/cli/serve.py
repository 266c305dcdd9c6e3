"""``datafluid serve`` and ``datafluid run-due``: schedules."""

from __future__ import annotations

import typer

from datafluid.cli.session import Session, command

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def serve(session: Session) -> None:
        """Run due work for the whole home directory until interrupted; a second one stands by."""

    @command(app, "run-due")
    def run_due(session: Session) -> None:
        """Run what is due now and leave: for people who have cron or systemd."""
