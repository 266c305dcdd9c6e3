"""A manifest while it is being wrapped: things are added, nothing that is there is changed, all of it is told.

The only place that writes. What is added again is found and left, which makes wrapping idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.errors import Invalid
from datafluid.model.plain import Path, as_map, as_text, dotted, look, show
from datafluid.workload.report import Entry, Report, What

__all__ = ["Draft", "copied", "not_a"]


def copied(value: Any) -> Any:
    """A copy of plain data that shares nothing with it.

    Example:
        >>> copied({"a": ({"b": 1},)})
        {'a': [{'b': 1}]}
    """
    if isinstance(value, Mapping):
        return {key: copied(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [copied(below) for below in value]
    return value


class Draft:
    """A copy of a manifest that grows, what goes with it, and the report.

    Args:
        manifest: What is wrapped; it is not touched.
        beside: What is applied with it anyway.
    """

    def __init__(self, manifest: Mapping[str, Any], beside: Iterable[Mapping[str, Any]] = ()) -> None:
        self.data: dict[str, Any] = copied(manifest)
        self._beside = {_identity(each): each for each in beside}
        self.extras: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._entries: dict[Entry, None] = {}

    @property
    def report(self) -> Report:
        """What was told so far, each thing once."""
        return Report(tuple(self._entries))

    def tell(self, what: What, message: str, *, path: Path = (), fix: str = "") -> None:
        """Put something into the report."""
        self._entries.setdefault(Entry(what=what, message=message, path=dotted(path), fix=fix))

    def look(self, path: Path) -> Any:
        """What is at a path now; None where nothing is."""
        return look(self.data, path)

    def put(self, path: Path, value: Any, why: str, *, fix: str = "") -> bool:
        """Set a field that nobody has set.

        Returns:
            Whether it says ``value`` now; if not, the report says what the user has there.
        """
        there = self.look(path)
        if there is None:
            self._parent(path)[path[-1]] = copied(value)
            self.tell("done", why, path=path)
            return True
        if there == value:
            return True
        self.tell("not done", f"{why} It says {show(there)}, which was left.", path=path, fix=fix)
        return False

    def replace(self, path: Path, value: Any, why: str) -> None:
        """Set a field to what contains what was there, and say so."""
        if self.look(path) != value:
            self._parent(path)[path[-1]] = copied(value)
            self.tell("done", why, path=path)

    def add(self, path: Path, item: Mapping[str, Any], why: str, *, key: str = "name", complete: bool = False) -> bool:
        """Append an item to a list of items that are told apart by a key.

        Args:
            path: The list.
            item: The item.
            why: What it is, for the report.
            key: What tells items apart.
            complete: Add to an item of that key what it lacks.

        Returns:
            Whether an item that says all this is there now; if not, the report says what differs.
        """
        items = self._list(path)
        for index, each in enumerate(items):
            if isinstance(each, Mapping) and each.get(key) == item[key]:
                return self._agrees((*path, index), each, item, why, complete)
        items.append(copied(item))
        self.tell("done", why, path=(*path, len(items) - 1))
        return True

    def append(self, path: Path, item: Mapping[str, Any], why: str) -> None:
        """Append an item to a list, unless one that is equal is there."""
        items = self._list(path)
        if item not in items:
            items.append(copied(item))
            self.tell("done", why, path=(*path, len(items) - 1))

    def accompany(self, manifest: Mapping[str, Any], why: str) -> None:
        """Add an object that goes with the workload, unless one of its name does anyway."""
        kind, namespace, name = identity = _identity(manifest)
        there = self._beside.get(identity)
        if there is None:
            self.extras[identity] = copied(manifest)
            self.tell("done", why)
        elif there != manifest:
            differing = ", ".join(sorted(key for key in manifest.keys() | there if there.get(key) != manifest.get(key)))
            place = f"{namespace}/{name}".lstrip("/")
            self.tell("not done", f"{why} Your {kind} {place} is there already, with another {differing}, and stays.")

    def _agrees(self, path: Path, there: Mapping[str, Any], item: Mapping[str, Any], why: str, complete: bool) -> bool:
        unsaid = (None,) if complete else ()
        differing = sorted(name for name, value in item.items() if there.get(name) not in (*unsaid, value))
        if differing:
            self.tell("not done", f"{why} Yours is there already, with another {', '.join(differing)}.", path=path)
            return False
        for name in sorted(item.keys() - {name for name, value in there.items() if value is not None}):
            self._parent((*path, name))[name] = copied(item[name])
            self.tell("done", why, path=(*path, name))
        return True

    def _list(self, path: Path) -> list[Any]:
        items = self.look(path)
        if items is None:
            items = self._parent(path)[path[-1]] = []
        if not isinstance(items, list):
            raise not_a("list", path)
        return items

    def _parent(self, path: Path) -> Any:
        """What holds the last step of a path; the mappings above it are made."""
        at: Any = self.data
        for index, step in enumerate(path[:-1]):
            below = look(at, (step,))
            if below is None and isinstance(step, str) and isinstance(at, dict):
                below = at[step] = {}
            if not isinstance(below, dict | list):
                raise not_a("mapping", path[: index + 1])
            at = below
        if isinstance(at, list) != isinstance(path[-1], int):
            raise not_a("mapping", path[:-1])
        return at


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    metadata = as_map(manifest.get("metadata"))
    return as_text(manifest.get("kind")), as_text(metadata.get("namespace")), as_text(metadata.get("name"))


def not_a(what: str, path: Path) -> Invalid:
    """The refusal of a manifest that has something else where its API has a list, or a mapping."""
    return Invalid(f"{dotted(path) or 'the manifest'} is not a {what}.", hint="Write it as the kind's API has it.")
