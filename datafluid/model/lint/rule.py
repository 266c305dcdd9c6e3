"""What a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from datafluid.model.lint.finding import Finding, Severity
from datafluid.model.lint.subject import Path, Plane, Scope, Subject, dotted, show

__all__ = ["Check", "Hit", "Hits", "Rule", "rule"]


class Hit(NamedTuple):
    """One place where a rule fires.

    Args:
        path: Where in the object.
        message: What is wrong, one sentence; values from outside only through `subject.show`.
        hint: What to write instead, one sentence.
    """

    path: Path
    message: str
    hint: str


Hits = Iterator[Hit]
Check = Callable[[Subject, Scope], Hits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that lint knows.

    Args:
        code: Stable; never used for something else.
        title: What is wrong, as a noun phrase for the reference page.
        severity: How bad it is on the plane that the rule is about.
        kinds: The kinds it looks at; empty: every object.
        source: Where the knowledge comes from.
        plane: The plane whose behaviour it is about; None: both.
        check: The pure function that finds the places.
    """

    code: str
    title: str
    severity: Severity
    kinds: tuple[str, ...]
    source: str
    plane: Plane | None
    check: Check

    def __call__(self, subject: Subject, scope: Scope) -> Iterator[Finding]:
        """The findings of this rule for one object.

        What only a cluster does wrong is still told on the embedded plane, one step milder: the same YAML
        goes to a cluster one day. What only the embedded plane does is told there alone.
        """
        if (self.kinds and subject.kind not in self.kinds) or (self.plane == "embedded" and scope.plane != "embedded"):
            return
        foreign = self.plane == "kubernetes" and scope.plane == "embedded"
        for hit in self.check(subject, scope):
            yield Finding(
                code=self.code,
                severity=_MILDER[self.severity] if foreign else self.severity,
                path=dotted((*subject.prefix, *hit.path)),
                message=hit.message,
                hint=hit.hint,
                document=subject.document,
                line=subject.line_of(hit.path),
                object=show(f"{subject.kind} {subject.name}".strip())[1:-1],  # escaped, and no quotes
                file=subject.file,
            )


_MILDER: dict[Severity, Severity] = {"error": "warning", "warning": "info", "info": "info"}


def rule(
    code: str,
    title: str,
    severity: Severity,
    *,
    kinds: tuple[str, ...] = (),
    source: str,
    plane: Plane | None = None,
) -> Callable[[Check], Rule]:
    """Turn a function into a rule."""

    def make(check: Check) -> Rule:
        return Rule(code=code, title=title, severity=severity, kinds=kinds, source=source, plane=plane, check=check)

    return make
