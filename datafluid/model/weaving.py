"""What was added to manifests, written into the text that they were read from: comments, quotes and order stay.

A wrap only adds, so that almost always new lines between the old ones say it all. What stands in braces or brackets
and grows is written out as a block. Whatever comes out is read again, and is only taken when it says the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from datafluid.errors import Invalid
from datafluid.model.documents import parse
from datafluid.model.manifest import dump
from datafluid.model.plain import Path, look

__all__ = ["woven"]

_MARKED = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*---\s")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A value in the text.

    Args:
        kind: What it is; ``whole`` is changed as a whole: a word, or what stands in braces or brackets.
        start: Where it begins.
        end: Behind its last character.
        keys: Where the keys of a mapping begin, and what they are.
        below: Its values.
        anchor: What an alias stands for, or what it is called.
        word: What it says, when it is a word.
        ragged: Whether it is a block of text whose last line has no end, and gets one when something comes behind it.
    """

    kind: Literal["mapping", "list", "whole", "alias"]
    start: int
    end: int
    keys: tuple[tuple[int, str], ...] = ()
    below: tuple[_Span, ...] = ()
    anchor: str | None = None
    word: str = ""
    ragged: bool = False


def woven(text: str, documents: Sequence[Any], *, first: Sequence[Mapping[str, Any]] = ()) -> str | None:
    """A text of manifests as its documents have become.

    Args:
        text: YAML that `datafluid.model.documents.parse` takes.
        documents: What each of its documents, in order, shall say.
        first: Objects to write in front of them.

    Returns:
        The text with new lines in it; None where that would not say it.

    Example:
        >>> print(woven("kind: Pod  # mine\\nspec: {a: 1}\\n", [{"kind": "Pod", "spec": {"a": 1, "b": 2}}]), end="")
        kind: Pod  # mine
        spec:
          a: 1
          b: 2
    """
    before = [document.data for document in parse(text)]
    if before == list(documents) and not first:
        return text
    roots = [span for span in _roots(text) if span.kind != "whole" or text[span.start : span.end].strip()]
    if len(before) != len(documents) or len(roots) != len(documents):
        return None
    weaver = _Weaver(text)
    for root, old, new in zip(roots, before, documents, strict=True):
        weaver.weave(root, old, new)
    result = weaver.result()
    if first:
        result = dump(first) + ("" if _MARKED.match(result) else "---\n") + result
    try:
        said = [document.data for document in parse(result)]
    except Invalid:
        return None
    return result if said == [*first, *documents] else None


def _roots(text: str) -> Iterator[_Span]:
    events = yaml.parse(text, yaml.SafeLoader)
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _span(next(events), events, text)


def _span(event: Any, events: Iterator[Any], text: str) -> _Span:
    start, end = event.start_mark.index, event.end_mark.index
    if isinstance(event, yaml.AliasEvent):
        return _Span(kind="alias", start=start, end=end, anchor=event.anchor)
    if isinstance(event, yaml.ScalarEvent):
        ragged = False
        if event.style in ("|", ">"):  # they reach to the next word
            end, ragged = len(text[:end].rstrip()), end >= len(text) and not text.endswith("\n")
        return _Span(kind="whole", start=start, end=end, anchor=event.anchor, word=event.value, ragged=ragged)
    found: list[_Span] = []
    while not isinstance(next_event := next(events), yaml.CollectionEndEvent):
        found.append(_span(next_event, events, text))
    if event.flow_style:
        return _Span(kind="whole", start=start, end=next_event.end_mark.index, anchor=event.anchor)
    end = found[-1].end
    if isinstance(event, yaml.SequenceStartEvent):
        return _Span(kind="list", start=start, end=end, below=tuple(found), anchor=event.anchor)
    keys = tuple((key.start, key.word) for key in found[::2])
    return _Span(kind="mapping", start=start, end=end, keys=keys, below=tuple(found[1::2]), anchor=event.anchor)


@dataclass(slots=True)
class _Weaver:
    """Collects what to write where."""

    text: str
    changes: list[tuple[int, int, str]] = field(default_factory=list)
    anchors: dict[str, Path] = field(default_factory=dict)
    new: Any = None

    def weave(self, root: _Span, old: Any, new: Any) -> None:
        """One document."""
        self.anchors, self.new = {}, new
        if root.kind == "whole":
            if old != new:  # no block stands on the line of a marker
                self.changes.append(
                    (root.start, root.end, "\n" * (self._column(root.start) > 0) + dump([new]).rstrip("\n"))
                )
        else:
            self._weave(root, old, new, (), 0)

    def result(self) -> str:
        """The text with all of it."""
        parts, at = [], 0
        for start, end, words in sorted(self.changes, key=lambda change: change[:2]):
            parts += [self.text[at:start], words]
            at = max(at, end)
        return "".join((*parts, self.text[at:]))

    def _weave(self, span: _Span, old: Any, new: Any, path: Path, indent: int) -> None:
        """A value whose holder is indented so far."""
        if span.anchor and span.kind != "alias":
            self.anchors[span.anchor] = path
        if span.kind == "alias":
            if look(self.new, self.anchors.get(span.anchor or "", ())) != new:
                self._replace(span, new, path, indent)
        elif span.kind == "mapping" and isinstance(new, Mapping):
            self._grow_mapping(span, old, new, path)
        elif span.kind == "list" and isinstance(new, list) and len(new) >= len(span.below):
            self._grow_list(span, old, new, path)
        elif old != new or span.ragged:
            self._replace(span, new, path, indent)

    def _grow_mapping(self, span: _Span, old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
        indent = self._column(span.keys[0][0])
        for (_, key), below in zip(span.keys, span.below, strict=True):
            if key in new:
                self._weave(below, old.get(key), new[key], (*path, key), indent)
        own = {key for _, key in span.keys}
        more = {key: value for key, value in new.items() if key not in own and (key not in old or old[key] != value)}
        if more:
            self._insert(self._end_of_line(span.end), dump([more]), indent)

    def _grow_list(self, span: _Span, old: list[Any], new: list[Any], path: Path) -> None:
        for number, (below, one, other) in enumerate(zip(span.below, old, new, strict=False)):
            self._weave(below, one, other, (*path, number), self._column(below.start) - 2)
        if more := new[len(span.below) :]:
            dash = self.text.rfind("-", 0, span.below[0].start)
            self._insert(self._end_of_line(span.end), dump([{"k": more}]).partition("\n")[2], self._column(dash))

    def _replace(self, span: _Span, new: Any, path: Path, indent: int) -> None:
        """Another value in the same place: what does not fit on its line goes below, behind a comment there."""
        if path and isinstance(path[-1], str):
            first, _, rest = dump([{"k": new}]).removeprefix("k:").partition("\n")
            first = f" &{span.anchor}{first}" if span.anchor and span.kind == "whole" else first
            start = len(self.text[: span.start].rstrip())
        else:
            first, _, rest = dump([{"k": [new]}]).partition("\n- ")[2].partition("\n")
            start = span.start
        self.changes.append((start, span.end, first))
        if rest:
            self._insert(self._end_of_line(span.end), rest, indent)

    def _insert(self, at: int, lines: str, indent: int) -> None:
        placed = "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in lines.rstrip("\n").split("\n"))
        self.changes.append((at, at, placed))

    def _end_of_line(self, at: int) -> int:
        found = self.text.find("\n", at)
        return len(self.text) if found < 0 else found

    def _column(self, at: int) -> int:
        return at - self.text.rfind("\n", 0, at) - 1
