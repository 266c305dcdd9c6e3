"""YAML in: bounded, with the line of every path, and read as kubectl reads it.

A manifest must mean the same here and on a cluster. So plain words become what kubectl makes of them: ``yes``,
``on`` and ``y`` are true, ``012`` is octal, ``1e3`` is a number; ``12:30``, dates and everything else are text.
Nothing is ever built but mappings, lists and scalars. Nesting costs no stack, and size, depth and what aliases
expand to are limited, so hostile text can neither crash the reader nor fill its memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from datafluid.model.lint.subject import show

__all__ = ["MOST_BYTES", "BadYAML", "Path", "Text", "load_documents"]

Path = tuple[str | int, ...]

MOST_BYTES = 4 << 20  # an API server takes objects of 1.5 MiB at most
_DEEPEST = 64
_MOST_VALUES = 200_000  # aliases count as often as they are used

_TRUE = frozenset({"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})
_FALSE = frozenset({"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*|0[0-7_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0b[01_]+)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", re.ASCII)
_LONGEST_NUMBER = 100
_TAG = "tag:yaml.org,2002:"
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadYAML(Exception):
    """Text that is no manifest.

    Args:
        problem: What is wrong, one sentence.
        hint: What to write instead.
        line: Where, from 1.
    """

    def __init__(self, problem: str, hint: str, line: int | None, document: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.line = line
        self.document = document


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One document of a text, before anybody asked what it means.

    Args:
        value: What it says.
        line: Where it begins, from 1.
        lines: The line of each path.
    """

    value: Any
    line: int
    lines: dict[Path, int]


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being read."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    before: int
    key: str | None = None
    merged: list[dict[str, Any]] = field(default_factory=list)


def load_documents(text: str) -> Iterator[Text]:
    """The documents of a text, in order; empty ones are left out.

    Raises:
        BadYAML: it is no YAML, has a key twice, or is larger, deeper or more repetitive than any manifest.
    """
    if len(text) > MOST_BYTES or len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise BadYAML(f"the text is longer than {MOST_BYTES >> 20} MiB.", "Split it into several files.", None)
    number = 0
    try:
        for event in (parser := _Events(text)):
            if isinstance(event, yaml.DocumentStartEvent):
                document = _Reader(parser).read()
                if document is not None:
                    yield document
                    number += 1
    except BadYAML as error:
        error.document = number
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BadYAML(
            f"the text is no YAML: {_plain(error.problem or error.context)}.",
            "Check indentation, colons, quotes and brackets around this line.",
            mark.line + 1 if mark else None,
            number,
        ) from None
    except (yaml.YAMLError, UnicodeError):
        raise BadYAML("the text holds characters that YAML does not allow.", "Save it as UTF-8.", None) from None


class _Events:
    """The events of a text."""

    def __init__(self, text: str) -> None:
        self._events = yaml.parse(text, Loader=_Parser)

    def __iter__(self) -> Iterator[yaml.Event]:
        return self

    def __next__(self) -> yaml.Event:
        return next(self._events)


class _Reader:
    """Reads one document from a stream of events, without recursion."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._lines: dict[Path, int] = {}
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._count = 0
        self._stack: list[_Open] = []
        self._root: Any = None

    def read(self) -> Text | None:
        first: yaml.Event | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentEndEvent):
                break
            first = first or event
            self._take(event)
        if first is None or self._root is None:
            return None
        return Text(value=self._root, line=_line(first), lines=self._lines)

    def _take(self, event: yaml.Event) -> None:
        self._count += 1
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
            return
        if self._count > _MOST_VALUES:
            raise BadYAML(
                f"the text holds more than {_MOST_VALUES:,} values, aliases counted as often as they are used.",
                "Split it, or write without aliases.",
                _line(event),
            )
        if self._needs_key():
            self._key(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.AliasEvent):
            self._put(self._resolve(event), event)
        else:
            value = _scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            self._put(value, event)

    def _needs_key(self) -> bool:
        top = self._stack[-1] if self._stack else None
        return top is not None and isinstance(top.value, dict) and top.key is None

    def _key(self, event: yaml.Event) -> None:
        top = self._stack[-1]
        if isinstance(event, yaml.AliasEvent):
            value = self._resolve(event)
            key = value if isinstance(value, str) else None
        else:
            key = event.value if isinstance(event, yaml.ScalarEvent) else None
        if key is None:
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                return
            raise BadYAML("a mapping or list cannot be a key.", "Write a plain word before the colon.", _line(event))
        assert isinstance(top.value, dict)
        if key in top.value:
            first = self._lines.get((*top.path, key))
            raise BadYAML(
                f"the key {show(key)} stands here twice, first on line {first}.",
                "Keep one: the other would be dropped without a word.",
                _line(event),
            )
        top.key = key
        self._lines[(*top.path, key)] = _line(event)

    def _path(self) -> Path:
        if not self._stack:
            return ()
        top = self._stack[-1]
        step = top.key if isinstance(top.value, dict) else len(top.value)
        assert step is not None
        return (*top.path, step)

    def _open(self, event: yaml.Event) -> None:
        if len(self._stack) >= _DEEPEST:
            raise BadYAML(f"nested deeper than {_DEEPEST}.", "No manifest is nested that deep.", _line(event))
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        if event.anchor:
            self._anchors[event.anchor] = None  # it cannot hold itself
        self._lines.setdefault(self._path(), _line(event))
        self._stack.append(_Open(value, self._path(), event.anchor, self._count))

    def _close(self) -> None:
        done = self._stack.pop()
        if isinstance(done.value, dict):
            for source in done.merged:
                for key, value in source.items():
                    done.value.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = (done.value, self._count - done.before)
        self._put(done.value, None)

    def _resolve(self, event: yaml.AliasEvent) -> Any:
        known = self._anchors.get(event.anchor)
        if known is None:
            what = "stands for what it is in" if event.anchor in self._anchors else "was never defined"
            raise BadYAML(f"the alias {show(event.anchor)} {what}.", "Write the value in its place.", _line(event))
        self._count += known[1]
        return known[0]

    def _put(self, value: Any, event: yaml.Event | None) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        if isinstance(top.value, list):
            if event is not None:
                self._lines[(*top.path, len(top.value))] = _line(event)
            top.value.append(value)
        elif top.key == "<<":
            self._merge(top, value)
        elif top.key is not None:
            top.value[top.key] = value
        top.key = None

    def _merge(self, top: _Open, value: Any) -> None:
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            line = self._lines.get((*top.path, "<<"))
            raise BadYAML("<< merges mappings only.", "Write <<: *anchor of a mapping.", line)
        top.merged += sources


def _scalar(event: yaml.Event) -> Any:
    """The value of a scalar."""
    assert isinstance(event, yaml.ScalarEvent)
    text: str = event.value
    tag = event.tag if event.tag and event.tag != "!" else None
    plain = event.implicit[0] and tag is None
    if tag in (None, f"{_TAG}str"):
        return _resolve_plain(text, event) if plain else text
    value = _resolve_plain(text, event)
    kinds = {f"{_TAG}int": int, f"{_TAG}float": int | float, f"{_TAG}bool": bool, f"{_TAG}null": type(None)}
    if tag in kinds and isinstance(value, kinds[tag]):
        return value
    raise BadYAML(f"the tag {show(tag)} means nothing here.", "Leave the tag out.", _line(event))


def _resolve_plain(text: str, event: yaml.Event) -> Any:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if not (text[0].isdigit() or text[0] in "+-."):
        return text
    if len(text) > _LONGEST_NUMBER and (_INT.fullmatch(text) or _FLOAT.fullmatch(text)):
        raise BadYAML("a number of more than 100 digits.", "Put it in quotes if it is text.", _line(event))
    if _INT.fullmatch(text):
        return _whole(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise BadYAML(f"{text} is no number that JSON has.", "Put it in quotes if it is text.", _line(event))
    return text


def _whole(text: str) -> int:
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.removeprefix("+"))
    if len(digits) > 1 and digits[0] == "0":
        base = {"x": 16, "o": 8, "b": 2}.get(digits[1].lower(), 8)
        return sign * int(digits[2:] if digits[1].isalpha() else digits, base)
    return sign * int(digits)


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1


def _plain(text: str | None) -> str:
    """What the parser says, as one clause that is fit to be shown."""
    said = (text or "cannot be read").splitlines()[0]
    return "".join(character if character.isprintable() else "?" for character in said)[:200]
