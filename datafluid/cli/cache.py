"""``datafluid cache …``."""

from __future__ import annotations

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Look at the cache and change what it holds.", no_args_is_help=True)
    app.add_typer(group, name="cache")
