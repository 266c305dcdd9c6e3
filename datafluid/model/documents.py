"""YAML documents as plain data, with the line on which each value stands.

Words without quotes are read as kubectl reads them: see `datafluid.model.scalars`. The size, the depth and the aliases
of a text are bounded, so that no file can make us use much memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from datafluid.errors import Invalid
from datafluid.model.lint.finding import Finding
from datafluid.model.scalars import meaning

__all__ = ["Document", "malformed", "parse"]

_LARGEST = 8 << 20  # characters of a source
_MOST_ALIASES = 200
_MOST_NODES = 500_000
_DEEPEST = 100
_BEYOND = ("it is nested or repeated beyond measure.", "Write it out without anchors.")
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document of a source.

    Args:
        index: Which, from 0; empty documents do not count.
        line: Where it begins, from 1.
        data: What it says.
        positions: The line of each path.
    """

    index: int
    line: int
    data: Any
    positions: Mapping[_Path, int]


def parse(text: str) -> list[Document]:
    """Read YAML; what the documents say is not looked at.

    Raises:
        Invalid: it is not YAML, has a key twice, or is larger or more entangled than any manifest.

    Example:
        >>> [document.data for document in parse("mode: 0400\\n---\\nb: [1, 'yes', yes]")]
        [{'mode': 256}, {'b': [1, 'yes', True]}]
    """
    if len(text) > _LARGEST:
        raise malformed("it is larger than 8 MiB.", "Split it.", None)
    try:
        nodes = list(yaml.compose_all(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise malformed(
            f"it is not YAML: {error.problem or error.context or 'unreadable'}.",
            "Check indentation, quotes and brackets.",
            mark.line + 1 if mark else None,
        ) from None
    except yaml.YAMLError:
        raise malformed("it is not YAML: it holds a character that YAML does not allow.", "Remove it.", None) from None
    found: list[Any] = []
    for node in nodes:
        if node is None or _is_empty(node):
            continue
        positions: dict[_Path, int] = {}
        data = _Builder(positions).build(node, ())
        line = node.start_mark.line + 1
        found.append(Document(index=len(found), line=line, data=data, positions=positions))
    return found


def malformed(message: str, hint: str, line: int | None) -> Invalid:
    """The error for a text, or a line of it, that can be no manifest."""
    finding = Finding(code="DF001", severity="error", path="", message=message, hint=hint, line=line)
    return Invalid(finding.placed(), hint=hint, findings=[finding])


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """PyYAML's scanner and composer, bounded; scalars are resolved by `_Builder`."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = self._aliases = 0

    def get_event(self) -> Any:
        """The next event; the composer takes each once."""
        event = super().get_event()
        if isinstance(event, yaml.CollectionStartEvent):
            self._depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            self._depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            self._aliases += 1
        if self._depth > _DEEPEST or self._aliases > _MOST_ALIASES:
            raise malformed(*_BEYOND, event.start_mark.line + 1)
        return event


class _Builder:
    """Turns nodes into data, noting the line of each path."""

    def __init__(self, positions: dict[_Path, int]) -> None:
        self._positions = positions
        self._nodes = 0

    def build(self, node: yaml.Node, path: _Path) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        self._positions.setdefault(path, line)
        if self._nodes > _MOST_NODES or len(path) > _DEEPEST:
            raise malformed(*_BEYOND, line)
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, number)) for number, child in enumerate(node.value)]
        return self._mapping(node, path)

    def _mapping(self, node: Any, path: _Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise malformed("a key is not a plain word.", "Write keys as text.", line)
            key = key_node.value
            if key == "<<" and key_node.style is None:
                merged |= self._merge(value_node, path, line)
                continue
            if key in data:
                raise malformed(f"the key {key[:80]!r} stands twice in one mapping.", "Remove one of them.", line)
            self._positions[(*path, key)] = line
            data[key] = self.build(value_node, (*path, key))
        return {**merged, **data}

    def _merge(self, node: yaml.Node, path: _Path, line: int) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Any] = {}
        for part in reversed(parts):
            value = self.build(part, path)
            if not isinstance(value, dict):
                raise malformed("only mappings can be merged with '<<'.", "Name an anchored mapping.", line)
            found |= value
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text: str = node.value
    tag = node.tag.rpartition(":")[2]
    if node.style is not None or (tag == "str" and node.tag.startswith("tag:yaml.org") and not _is_plain(node)):
        return text
    return meaning(text)


def _is_plain(node: yaml.ScalarNode) -> bool:
    """Whether the text stands without quotes and without an explicit ``!!str``."""
    buffer = node.start_mark.buffer
    pointer = node.start_mark.pointer
    return node.style is None and (buffer or "")[pointer : pointer + 1] != "!"


def _is_empty(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None and not node.value
