"""What was done to a workload, what could not be done, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["Entry", "Report"]

What = Literal["done", "note", "warning", "not done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing.

    Args:
        what: ``done``; ``note``: something to know; ``warning``: it may not do what is expected; ``not done``:
            it was asked for and could not be.
        message: One sentence, with the reason.
        path: Where in the manifest; empty for the whole.
        fix: What to write to change it: a sentence, or YAML.

    Example:
        >>> print(Entry(what="not done", message="short-circuit: its tiers are not known.", fix="Give a topology."))
        not done: short-circuit: its tiers are not known.
            Give a topology.
    """

    what: What
    message: str
    path: str = ""
    fix: str = ""

    def __str__(self) -> str:
        where = f" {self.path}:" if self.path else ""
        fix = "".join(f"\n    {line}" for line in self.fix.splitlines())
        return f"{self.what}:{where} {self.message}{fix}"


@dataclass(frozen=True, slots=True)
class Report:
    """All of it, in the order in which it was done.

    Example:
        >>> report = Report((Entry(what="done", path="spec.volumes[0]", message="the claim of team/a."),))
        >>> print(report)
        done: spec.volumes[0]: the claim of team/a.
    """

    entries: tuple[Entry, ...] = ()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __str__(self) -> str:
        return "\n".join(str(entry) for entry in self.entries)

    def of(self, *what: What) -> tuple[Entry, ...]:
        """The entries of these sorts.

        Example:
            >>> Report((Entry(what="note", message="a."), Entry(what="done", message="b."))).of("note")[0].message
            'a.'
        """
        return tuple(entry for entry in self.entries if entry.what in what)
