"""The operations on datasets and which of them run after which, as a drawing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.ref import Ref

__all__ = ["OperationGraph", "predecessor_of"]

_BRANCH, _LAST, _DOWN, _NOTHING = "├─ ", "└─ ", "│  ", "   "


def predecessor_of(operation: Mapping[str, Any]) -> Ref | None:
    """What ``runAfter`` names; a namespace that is left out is the operation's own."""
    after = operation["spec"].get("runAfter")
    if not after:
        return None
    return Ref(after["kind"], after["name"], after.get("namespace") or operation["metadata"].get("namespace"))


@dataclass(frozen=True, slots=True)
class OperationGraph:
    """Operations by what they run after. Each has one predecessor at most, so it is trees, and cycles.

    Args:
        operations: Every operation, by its name.

    Example:
        >>> def load(name, phase, **spec):
        ...     metadata = {"name": name, "namespace": "team"}
        ...     return {"kind": "DataLoad", "metadata": metadata, "spec": spec, "status": {"phase": phase}}
        >>> after = {"kind": "DataLoad", "name": "first"}
        >>> print(OperationGraph.of([load("first", "Complete"), load("second", "Executing", runAfter=after)]))
        DataLoad team/first  Complete
        └─ DataLoad team/second  Executing
    """

    operations: Mapping[Ref, Mapping[str, Any]]

    @classmethod
    def of(cls, operations: Iterable[Mapping[str, Any]]) -> OperationGraph:
        """The graph of some operations, in the order in which they are given."""
        return cls({Ref.of(each): each for each in operations})

    @property
    def missing(self) -> tuple[Ref, ...]:
        """Predecessors that are not there: who runs after them waits until they are created."""
        named = (predecessor_of(each) for each in self.operations.values())
        return tuple(dict.fromkeys(ref for ref in named if ref is not None and ref not in self.operations))

    @property
    def blocked(self) -> tuple[Ref, ...]:
        """Operations that will never start as things are: behind a failed one, or in or behind a cycle."""
        return tuple(ref for ref in self.operations if self._is_blocked(ref))

    @property
    def cycles(self) -> tuple[tuple[Ref, ...], ...]:
        """Operations that wait for each other, each circle once, beginning with the one that was given first."""
        circles: dict[frozenset[Ref], tuple[Ref, ...]] = {}
        for ref in self.operations:
            if circle := self._circle(ref):
                circles.setdefault(frozenset(circle), circle)
        return tuple(circles.values())

    def __str__(self) -> str:
        lines: list[str] = []
        roots = [ref for ref in self.operations if self._before(ref) not in self.operations]
        for ref in self.missing:
            lines.append(f"{ref}  is not there")
            self._draw(self._after(ref), "", lines)
        for ref in roots:
            if self._before(ref) is None:
                lines.append(self._line(ref))
                self._draw(self._after(ref), "", lines)
        for circle in self.cycles:
            lines.append(f"{' after '.join(str(ref) for ref in (*circle, circle[0]))}: a circle, none of them starts")
            behind = [ref for member in circle for ref in self._after(member) if ref not in circle]
            self._draw(behind, "", lines)
        return "\n".join(lines)

    def _draw(self, refs: list[Ref], indent: str, lines: list[str]) -> None:
        for number, ref in enumerate(refs):
            last = number == len(refs) - 1
            lines.append(indent + (_LAST if last else _BRANCH) + self._line(ref))
            self._draw(self._after(ref), indent + (_NOTHING if last else _DOWN), lines)

    def _line(self, ref: Ref) -> str:
        status = self.operations[ref].get("status") or {}
        phase = status.get("phase") or "not begun"
        before = self._before(ref)
        waits = (status.get("waitingFor") or {}).get("operationComplete") or not status.get("phase")
        if before is None or not waits or phase in ("Executing", "Complete", "Failed"):
            return f"{ref}  {phase}"
        reason = f"waits for {before.name}"
        if self._phase(before) == "Failed":
            reason += ", which has failed: for ever"
        return f"{ref}  {phase}, {reason}"

    def _before(self, ref: Ref) -> Ref | None:
        return predecessor_of(self.operations[ref])

    def _after(self, ref: Ref) -> list[Ref]:
        return [each for each in self.operations if self._before(each) == ref]

    def _phase(self, ref: Ref) -> str | None:
        return (self.operations.get(ref, {}).get("status") or {}).get("phase")

    def _chain(self, ref: Ref) -> list[Ref]:
        """The operation and all before it, until there is none, or one comes again."""
        chain: list[Ref] = []
        current: Ref | None = ref
        while current is not None and current in self.operations and current not in chain:
            chain.append(current)
            current = self._before(current)
        return chain

    def _circle(self, ref: Ref) -> tuple[Ref, ...]:
        chain = self._chain(ref)
        return tuple(chain) if chain and self._before(chain[-1]) == ref else ()

    def _is_blocked(self, ref: Ref) -> bool:
        if self._phase(ref) in ("Executing", "Complete", "Failed") or self._before(ref) is None:
            return False
        chain = self._chain(ref)
        return self._before(chain[-1]) in chain or any(self._phase(each) == "Failed" for each in chain[1:])
