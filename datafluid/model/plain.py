"""Reading plain data whose shape nobody vouches for: every access answers with something empty, none fails."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "Path",
    "as_list",
    "as_map",
    "as_text",
    "dotted",
    "look",
    "merge_patch",
    "show",
    "template_paths",
    "texts",
    "undotted",
]

#: Keys and indices, from the top of an object.
Path = tuple[str | int, ...]
_DEEPEST = 8
_ENDLESS = 64  # steps, which no object has: it leads into itself
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_LONGEST_SHOWN = 80
_LONGEST_INT = 256  # bits; Python refuses to print numbers of more than 4300 digits


def as_map(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def as_text(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def look(data: Any, path: Path) -> Any:
    """What is at a path; None where nothing is.

    Example:
        >>> look({"spec": {"tasks": [{"name": "a"}]}}, ("spec", "tasks", 0, "name"))
        'a'
    """
    for step in path:
        if isinstance(step, int):
            data = data[step] if isinstance(data, list) and step < len(data) else None
        else:
            data = as_map(data).get(step)
    return data


def show(value: Any) -> str:
    r"""A value from outside as it may stand in a message: quoted, escaped, short.

    Example:
        >>> print(show("\x1b[31mred"))
        '\x1b[31mred'
    """
    if isinstance(value, int) and value.bit_length() > _LONGEST_INT:
        return "a huge number"
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")


def dotted(path: Path) -> str:
    """A path as people write it.

    Example:
        >>> dotted(("spec", "mounts", 0, "options", "fs.s3a.endpoint"))
        "spec.mounts[0].options['fs.s3a.endpoint']"
    """
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _PLAIN_KEY.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += f"[{show(step)}]"
    return text


def undotted(text: str) -> Path:
    """The path that people write as keys and indices; `dotted` backwards, for keys without dots.

    Example:
        >>> undotted("spec.roles[0].template")
        ('spec', 'roles', 0, 'template')
    """
    steps = re.findall(r"[^.\[\]]+|\[\d+\]", text)
    return tuple(int(step[1:-1]) if step.startswith("[") else step for step in steps)


def template_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where pod templates stand below an object of any kind: what has a ``spec`` with ``containers``.

    Example:
        >>> list(template_paths({"spec": {"template": {"spec": {"containers": []}}}}))
        [('spec', 'template')]
    """
    if len(path) > _DEEPEST:
        return
    if isinstance(value, Mapping):
        if path and isinstance(as_map(value.get("spec")).get("containers"), list):
            yield path
            return
        for key, below in value.items():
            yield from template_paths(below, (*path, str(key)))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from template_paths(below, (*path, index))


def texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """All texts of a value, keys too, with their places.

    Example:
        >>> list(texts({"a": ["b", 1]}))
        [(('a',), 'a'), (('a', 0), 'b')]
    """
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping) and len(path) < _ENDLESS:
        for key, below in value.items():
            yield from texts(key, (*path, str(key)))
            yield from texts(below, (*path, str(key)))
    elif isinstance(value, list | tuple) and len(path) < _ENDLESS:
        for index, below in enumerate(value):
            yield from texts(below, (*path, index))


def merge_patch(target: Any, changes: Any) -> Any:
    """What a JSON merge patch (RFC 7396) makes of a value; neither is changed.

    Example:
        >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": None}, "e": 4})
        {'a': 1, 'b': {'d': 3}, 'e': 4}
    """
    if not isinstance(changes, Mapping):
        return copy.deepcopy(changes)
    kept = dict(target) if isinstance(target, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merge_patch(kept.get(key), value)
    return kept
