"""Objects as rows: the columns that kubectl prints for the same kind."""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableSequence, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from datafluid.cli.output import Output, age, as_json, as_yaml, echo, table

if TYPE_CHECKING:
    from datafluid.model.kinds import Kind
    from datafluid.plane.port import Manifest

__all__ = ["dig", "qualified_name", "show", "show_by_context", "since"]

_WIDE = 10


def show(
    objects: Sequence[Manifest],
    output: Output,
    *,
    one: bool = False,
    namespaces: bool = False,
    widths: MutableSequence[int] | None = None,
) -> None:
    """Print objects of one kind or several.

    Args:
        one: It was asked for by name: JSON is the object itself, not a List.
        namespaces: Tables get a first column with the namespace.
        widths: For a table of one kind that is printed bit by bit, see `table`.
    """
    if output is Output.json:
        as_json(objects[0] if one else {"apiVersion": "v1", "kind": "List", "items": list(objects)})
    elif output is Output.yaml:
        as_yaml(objects)
    elif output is Output.name:
        for each in objects:
            echo(qualified_name(each))
    else:
        _tables(objects, wide=output is Output.wide, namespaces=namespaces, widths=widths)


def show_by_context(found: Mapping[str, Sequence[Manifest]], output: Output) -> None:
    """Print the objects of several contexts: tables get a first column with the context."""
    if output is Output.json:
        as_json({name: list(objects) for name, objects in found.items()})
    elif output is Output.yaml:
        as_yaml([{"context": name, "items": list(objects)} for name, objects in found.items()])
    elif output is Output.name:
        for name, objects in found.items():
            for each in objects:
                echo(f"{name}/{qualified_name(each)}")
    else:
        _tables_by_context(found, wide=output is Output.wide)


def _tables_by_context(found: Mapping[str, Sequence[Manifest]], *, wide: bool) -> None:
    from datafluid.model.kinds import find_kind

    groups: dict[str, list[tuple[str, Manifest]]] = {}
    for name, objects in found.items():
        for each in objects:
            groups.setdefault(each["kind"], []).append((name, each))
    for number, (kind_name, group) in enumerate(groups.items()):
        if number:
            print()
        kind = find_kind(kind_name)
        columns = [column for column in kind.columns if wide or column.priority < _WIDE]
        first = ["Namespace", "Name"] if kind.namespaced else ["Name"]
        rows = [[name, *_row(each, first, kind, len(groups) > 1, wide)] for name, each in group]
        table(["Context", *first, *(column.name for column in columns)], rows)


def qualified_name(manifest: Mapping[str, Any]) -> str:
    """What ``kubectl -o name`` calls it: ``dataset.data.fluid.io/imagenet``."""
    return f"{manifest['kind'].lower()}.data.fluid.io/{manifest['metadata']['name']}"


def _tables(objects: Sequence[Manifest], *, wide: bool, namespaces: bool, widths: MutableSequence[int] | None) -> None:
    from datafluid.model.kinds import find_kind

    groups: dict[str, list[Manifest]] = {}
    for each in objects:
        groups.setdefault(each["kind"], []).append(each)
    for number, (name, group) in enumerate(groups.items()):
        if number:
            print()
        kind = find_kind(name)
        columns = [column for column in kind.columns if wide or column.priority < _WIDE]
        first = ["Namespace", "Name"] if namespaces and kind.namespaced else ["Name"]
        rows = [_row(each, first, kind, len(groups) > 1, wide) for each in group]
        table([*first, *(column.name for column in columns)], rows, widths=widths)


def _row(manifest: Manifest, first: Sequence[str], kind: Kind, several: bool, wide: bool) -> list[object]:
    metadata = manifest["metadata"]
    name = qualified_name(manifest) if several else metadata["name"]
    start = [metadata.get("namespace"), name] if len(first) > 1 else [name]
    columns = [column for column in kind.columns if wide or column.priority < _WIDE]
    return [*start, *(_cell(manifest, column.json_path) for column in columns)]


def _cell(manifest: Manifest, path: str) -> object:
    value = dig(manifest, path)
    return since(value) if path == ".metadata.creationTimestamp" else value


def dig(manifest: Mapping[str, Any], path: str) -> Any:
    """The value at a JSON path of plain fields (``.status.cacheStates.cached``), or None."""
    value: Any = manifest
    for part in path.strip(".").split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def since(timestamp: object) -> str | None:
    """How long ago an RFC 3339 timestamp was; None when it is not one."""
    if not isinstance(timestamp, str):
        return None
    try:
        return age(time.time() - datetime.fromisoformat(timestamp).timestamp())
    except ValueError:
        return None
