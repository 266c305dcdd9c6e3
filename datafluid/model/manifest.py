"""Manifests: YAML in, models; models in, YAML.

`load` reads a source strictly into models, `objects` takes it as it is written, and `dump` writes text that we and
kubectl read back to the same values. The YAML itself is read by `datafluid.model.documents`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from datafluid.errors import Invalid
from datafluid.model.base import Resource
from datafluid.model.documents import malformed, parse
from datafluid.model.kinds import KINDS
from datafluid.model.lint.finding import Finding
from datafluid.model.scalars import meaning
from datafluid.model.source import file_of, read_file

__all__ = ["dump", "load", "members", "objects", "parse", "rebuilt", "refusal"]

_LINES = re.compile(r"[^\s\x00-\x1f\x7f-\xa0].*\S\n?", re.DOTALL)
_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_TAGS = {bool: "bool", int: "int", float: "float", type(None): "null"}


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
        raise malformed("it is not a manifest of a Fluid kind.", f"The kinds are: {', '.join(KINDS)}.", None)
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
                raise malformed(
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
        raise malformed(
            f"a {type(source).__name__} is no manifest.", "Give YAML text, a path, a dict or a model.", None
        )


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
