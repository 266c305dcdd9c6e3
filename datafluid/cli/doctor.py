"""``datafluid doctor``: is this machine fit?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from datafluid.cli.errors import ExitCode
from datafluid.cli.escape import safe
from datafluid.cli.output import Report, ReportOption, as_data, echo, paint
from datafluid.cli.session import Session, command

if TYPE_CHECKING:
    from datafluid.engine.health import Check

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @command(app)
    def doctor(session: Session, output: ReportOption = Report.table) -> None:
        """Check the machine: disks, permissions, clock, processes, databases, a running serve, every under-store.

        Exit code 1 when something will not work.
        """
        from datafluid.local.checkup import check_all

        checks = check_all(session.context)
        plain = [
            {"name": each.name, "status": each.status, "message": each.message, "hint": each.hint} for each in checks
        ]
        if not as_data(plain, output):
            _show(checks, names=output is Report.name)
        if any(each.status == "fail" for each in checks):
            raise typer.Exit(ExitCode.FAILURE)


def _show(checks: Iterable[Check], *, names: bool) -> None:
    for each in checks:
        if names:
            echo(f"{each.status} {each.name}")
            continue
        print(f"{paint(each.status)}{' ' * (6 - len(each.status))}{safe(each.name)}: {safe(each.message)}")
        if each.hint:
            echo(f"      {each.hint}")
