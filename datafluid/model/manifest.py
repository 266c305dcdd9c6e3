"""Manifests: YAML in, models; models in, YAML.

Plain words are read as kubectl reads them: see `datafluid.model.scalars`. What is written is read back to the same
values, here and by kubectl. Input is bounded: no file can make us use much memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import yaml

from datafluid.errors import Invalid
from datafluid.model.base import Resource
from datafluid.model.kinds import KINDS
from datafluid.model.lint.finding import Finding
from datafluid.model.scalars import meaning
from datafluid.model.source import file_of, read_file

__all__ = ["Document", "dump", "load", "members", "objects", "parse", "rebuilt", "refusal"]

_LARGEST = 8 << 20  # characters of a source
_MOST_ALIASES = 200
_MOST_NODES = 500_000
_DEEPEST = 100
_LINES = re.compile(r"[^\s\x00-\x1f\x7f-\xa0].*\S\n?", re.DOTALL)
_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}
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
        raise _invalid("it is larger than 8 MiB.", "Split it.", None)
    try:
        _check_bounds(text)
        nodes = list(yaml.compose_all(text, _Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(
            f"it is not YAML: {error.problem or error.context or 'unreadable'}.",
            "Check indentation, quotes and brackets.",
            mark.line + 1 if mark else None,
        ) from None
    except yaml.YAMLError:
        raise _invalid("it is not YAML: it holds a character that YAML does not allow.", "Remove it.", None) from None
    found: list[Any] = []
    for node in nodes:
        if node is None or _is_empty(node):
            continue
        positions: dict[_Path, int] = {}
        data = _Builder(positions).build(node, ())
        line = node.start_mark.line + 1
        found.append(Document(index=len(found), line=line, data=data, positions=positions))
    return found


def load(source: Any) -> list[Resource]:
    """Read manifests strictly into models.

    Args:
        source: YAML text, a path (a ``Path``, or a string that ends in ``.yaml``, ``.yml`` or ``.json``), a dict,
            a model, or an iterable of those.

    Returns:
        The objects in order; the items of a ``List`` in its place.

    Raises:
        Invalid: something is not a manifest of a Fluid kind; carries a finding for each mistake in each document.
        NotFound: the path leads to no file.

    Example:
        >>> load("apiVersion: data.fluid.io/v1alpha1\\nkind: Dataset\\nmetadata: {name: a}\\nspec: {}")[0].metadata.name
        'a'
    """
    from pydantic import ValidationError

    from datafluid.model.lint import lint

    source = list(source) if isinstance(source, Iterator) else source
    try:
        return [KINDS[data["kind"]].model.author(data) for data in objects(source)]
    except (ValidationError, LookupError, TypeError):
        found = [finding for finding in lint(source) if finding.severity == "error"]
    if not found:
        raise _invalid("it is not a manifest of a Fluid kind.", f"The kinds are: {', '.join(KINDS)}.", None)
    raise refusal(found)


def refusal(errors: Sequence[Finding]) -> Invalid:
    """The error that refuses manifests: it tells the first finding and carries all."""
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Invalid(f"{first.placed()}{more}", hint=first.hint, findings=errors)


def dump(objects: Iterable[Resource | Mapping[str, Any]]) -> str:
    """Write manifests as YAML, one document each; `parse` reads the same values back.

    Example:
        >>> print(dump([{"kind": "Dataset", "spec": {"schedule": "0 3 * * *", "flag": "yes"}}]), end="")
        kind: Dataset
        spec:
          schedule: 0 3 * * *
          flag: 'yes'
    """
    data = [each.manifest() if isinstance(each, Resource) else dict(each) for each in objects]
    text: str = yaml.dump_all(
        data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=2**31
    )
    return text


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """PyYAML's scanner and composer; scalars are resolved by `_Builder`."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """Quotes every text that kubectl, or YAML 1.1, would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> Any:
        """What the word would be read as without quotes."""
        if kind is yaml.ScalarNode and implicit[0] and not isinstance(meant := meaning(value), str):
            return f"tag:yaml.org,2002:{_TAGS[type(meant)]}"
        return super().resolve(kind, value, implicit)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Lines stay lines where PyYAML reads them back as they are; other text is quoted."""
    style = "|" if "\n" in text and _LINES.fullmatch(text) else None
    if _BREAKS.search(text):
        style = '"'  # PyYAML takes them for ends of lines and folds them
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


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
            raise _invalid("it is nested or repeated beyond measure.", "Write it out without anchors.", line)
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
                raise _invalid("a key is not a plain word.", "Write keys as text.", line)
            key = key_node.value
            if key == "<<" and key_node.style is None:
                merged |= self._merge(value_node, path, line)
                continue
            if key in data:
                raise _invalid(f"the key {key[:80]!r} stands twice in one mapping.", "Remove one of them.", line)
            self._positions[(*path, key)] = line
            data[key] = self.build(value_node, (*path, key))
        return {**merged, **data}

    def _merge(self, node: yaml.Node, path: _Path, line: int) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        found: dict[str, Any] = {}
        for part in reversed(parts):
            value = self.build(part, path)
            if not isinstance(value, dict):
                raise _invalid("only mappings can be merged with '<<'.", "Name an anchored mapping.", line)
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


def _check_bounds(text: str) -> None:
    depth = aliases = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > _DEEPEST or aliases > _MOST_ALIASES:
            raise _invalid(
                "it is nested or repeated beyond measure.",
                "Write it out without anchors.",
                event.start_mark.line + 1 if event.start_mark else None,
            )


def objects(source: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a source as they are written, of any kind; the items of a ``List`` in its place.

    Args:
        source: As `load` takes it.

    Raises:
        Invalid: it is not YAML, or no objects.
        NotFound: the path leads to no file.
    """
    if isinstance(source, Resource):
        yield source.manifest()
    elif isinstance(source, Mapping):
        yield from members(source)
    elif isinstance(source, str | Path):
        for document in parse(_text_of(source)):
            if isinstance(document.data, str | int | float | None):
                raise _invalid(
                    f"{str(document.data)[:40]!r} is neither a manifest nor the name of a file.",
                    "Write a mapping with apiVersion and kind."
                    if file_of(source)
                    else "Give YAML text, or a path that ends in .yaml, .yml or .json.",
                    document.line,
                )
            yield from objects(document.data)
    elif isinstance(source, Iterable) and not isinstance(source, bytes):
        for part in source:
            yield from objects(part)
    else:
        raise _invalid(f"a {type(source).__name__} is no manifest.", "Give YAML text, a path, a dict or a model.", None)


def members(data: Mapping[str, Any]) -> Iterator[Any]:
    """What a document holds: the items of a ``List``, or a ``PodList``, however deep they are; else itself.

    Example:
        >>> list(members({"kind": "List", "items": [{"kind": "PodList", "items": [{"kind": "Pod"}]}, {"kind": "Job"}]}))
        [{'kind': 'Pod'}, {'kind': 'Job'}]
    """
    items = _items(data)
    if items is None:
        yield data
        return
    for each in items:
        yield from members(each) if isinstance(each, Mapping) else (each,)


def rebuilt(data: Mapping[str, Any], fresh: Iterator[Any]) -> Any:
    """The document with others in the place of its `members`, in order.

    Example:
        >>> rebuilt({"kind": "List", "items": [{"kind": "Pod"}]}, iter([{"kind": "Job"}]))
        {'kind': 'List', 'items': [{'kind': 'Job'}]}
    """
    items = _items(data)
    if items is None:
        return next(fresh)
    below = [rebuilt(each, fresh) if isinstance(each, Mapping) else next(fresh) for each in items]
    return {**data, "items": below}


def _items(data: Mapping[str, Any]) -> list[Any] | None:
    items = data.get("items") if str(data.get("kind", "")).endswith("List") else None
    return items if isinstance(items, list) else None


def _text_of(source: str | Path) -> str:
    path = file_of(source)
    return str(source) if path is None else read_file(path)


def _invalid(message: str, hint: str, line: int | None) -> Invalid:
    finding = Finding(code="DF001", severity="error", path="", message=message, hint=hint, line=line)
    return Invalid(finding.placed(), hint=hint, findings=[finding])
