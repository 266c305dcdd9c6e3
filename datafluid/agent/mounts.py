"""The kernel's mount table, and which filesystem holds a path."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Mount", "filesystem_type", "mount_of", "read_mounts"]

_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One line of ``mountinfo``.

    Args:
        device: ``major:minor``.
        root: What of the filesystem is mounted here; ``/`` unless it is a bind mount.
        point: Where.
        filesystem: ``ext4``, ``tmpfs``, ...
        source: What was mounted, for example ``/dev/sda1``.
    """

    device: str
    root: str
    point: str
    filesystem: str
    source: str


def read_mounts(table: str = "/proc/self/mountinfo") -> list[Mount]:
    """The mount table, oldest mount first; empty where there is none. What a later mount hides is left out.

    The format is that of https://www.kernel.org/doc/Documentation/filesystems/proc.txt, section 3.5.
    """
    try:
        text = Path(table).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    found: dict[str, Mount] = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(kind) < 2:
            continue
        point = _unescaped(fields[4])
        found.pop(point, None)
        found[point] = Mount(
            device=fields[2], root=_unescaped(fields[3]), point=point, filesystem=kind[0], source=_unescaped(kind[1])
        )
    return list(found.values())


def mount_of(path: str, mounts: Iterable[Mount]) -> Mount | None:
    """The mount that holds an absolute path without symlinks."""
    holding = (each for each in mounts if path == each.point or path.startswith(each.point.rstrip("/") + "/"))
    return max(holding, key=lambda each: len(each.point), default=None)


def filesystem_type(path: str | os.PathLike[str]) -> str:
    """The type of the filesystem that holds ``path``; "" when unknown."""
    found = mount_of(os.path.realpath(path), read_mounts())
    return found.filesystem if found else ""


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text
