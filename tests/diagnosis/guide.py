"""The outputs in ``docs/guides/not-ready.md``: ``python -m tests.diagnosis.guide`` writes them anew.

A comment ``<!-- diagnose: CODE N -->`` names the N-th case of a cause; the ``text`` block after it is what
``datafluid diagnose`` prints for a cluster that is broken in that way.
"""

from __future__ import annotations

import re
from pathlib import Path

from .cases import CASES
from .world import World

__all__ = ["PAGE", "written_anew"]

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "not-ready.md"
_BLOCK = re.compile(r"(<!-- diagnose: (?P<code>[a-z-]+) (?P<number>\d+) -->\n```text\n).*?(```)", re.DOTALL)


def written_anew(page: str) -> str:
    """The page with every output as it is now."""
    return _BLOCK.sub(lambda found: f"{found[1]}{_output(found['code'], int(found['number']))}\n{found[4]}", page)


def shown_causes(page: str) -> set[str]:
    """The causes that the page has an output of."""
    return {found["code"] for found in _BLOCK.finditer(page)}


def _output(code: str, number: int) -> str:
    case = [case for case in CASES if case.code == code][number - 1]
    world = World()
    case.broken(world)
    return world.diagnose().text()


if __name__ == "__main__":
    PAGE.write_text(written_anew(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
