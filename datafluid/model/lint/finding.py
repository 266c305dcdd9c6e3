"""One thing that is wrong with a manifest, or will go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What lint says about one place.

    Args:
        code: Stable, for example ``DF101``; see ``docs/reference/lint.md``.
        severity: ``error``: it cannot work; ``warning``: it will not do what it seems to; ``info``: a fact.
        path: Where, for example ``spec.mounts[0].mountPoint``; empty for the whole document.
        message: What is wrong, one sentence. Names in it are escaped; secrets are never in it.
        hint: What to write instead.
        document: Which object of the source, from 0.
        line: The line in the source, from 1; None when it did not come from text.
        object: Which object, as its kind and name; empty when it has neither.
        file: The file that it came from; empty when it did not come from one.
    """

    code: str
    severity: Severity
    path: str
    message: str
    hint: str = ""
    document: int = 0
    line: int | None = None
    object: str = ""
    file: str = ""

    @property
    def place(self) -> str:
        """Where it is, as far as known.

        Example:
            >>> Finding(code="DF011", severity="error", path="spec.a", message="", line=5, object="Dataset x").place
            'line 5: Dataset x: spec.a'
        """
        line = f"line {self.line}" if self.line else ""
        text = f"{self.file}:{self.line}" if self.file and self.line else self.file or line
        return ": ".join(part for part in (text, self.object, self.path) if part)

    def placed(self) -> str:
        """The message with its place before it."""
        return f"{self.place}: {self.message}" if self.place else self.message
