"""``datafluid …``: the command line.

Importing this package loads nothing; `main` does. Commands import what they need when they run, so that
``datafluid --help`` and tab completion answer at once.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line with ``sys.argv`` and leave the process."""
    try:
        from datafluid.cli.app import run

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
