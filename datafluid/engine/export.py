"""A loaded dataset as plain files: symlinks under its real names, for programs that need paths.

Everything in the directory is reached through directory descriptors without following links, so nothing outside
of it is ever written or removed, whatever object keys or planted links say. The links are the record of what was
exported: exporting again adds what is new, points changed files to their new version and removes what is gone.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from datafluid.errors import Conflict

__all__ = ["Exported", "export_links", "remove_links"]

_MARKER = ".datafluid-export.json"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_MAX = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export left behind; as a path it is the directory.

    Args:
        directory: Where the links are.
        files: How many links there are now.
        added: Targets that are linked now and were not before.
        dropped: Targets that were linked before and are not now.
        skipped: Paths that no directory can hold: a name that is also a directory, or a name that is too long.
    """

    directory: str
    files: int
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    def __fspath__(self) -> str:
        return self.directory

    def __str__(self) -> str:
        return self.directory


def export_links(owner: str, targets: Mapping[str, str], directory: str | Path) -> Exported:
    """Make ``directory`` hold exactly one symlink for each file; files and links of others are left alone.

    Args:
        owner: Whose export it is, ``namespace/dataset``: a directory holds one.
        targets: The complete local file of each path below the dataset. Paths come from outside.
        directory: Made when it does not exist; else it is empty or holds an export of the same owner.

    Raises:
        Conflict: the directory holds something else, or a file of somebody else is in the way.
        OSError: the directory cannot be written.
    """
    root = Path(os.path.abspath(directory))
    root.mkdir(parents=True, exist_ok=True)
    wanted, skipped = _nameable(targets)
    with _opened(root) as top:
        roots = _claim(top, root, owner)
        _write_marker(top, owner, roots | {_root(path, target) for path, target in wanted.items()})
        swept = _sweep(top, wanted, roots)  # first: what was a file may be a directory now
        added, replaced = _link(top, wanted, root)
        dropped = sorted({*swept, *replaced} - set(wanted.values()))
    return Exported(
        directory=str(root),
        files=len(wanted),
        added=tuple(added),
        dropped=tuple(dropped),
        skipped=tuple(skipped),
    )


def remove_links(owner: str, directory: str | Path) -> Exported:
    """Undo `export_links`; the directory goes too when nothing of others is left in it.

    Raises:
        Conflict: the directory holds no export of ``owner``.
        FileNotFoundError: there is no such directory.
    """
    root = Path(os.path.abspath(directory))
    with _opened(root) as top:
        marked = _marker(top)
        if marked is None or marked["owner"] != owner:
            raise Conflict(f"{root} holds no export of {owner}.", hint="Check the directory.")
        dropped = _sweep(top, {}, set(marked["roots"]))
        os.unlink(_MARKER, dir_fd=top)
    with suppress(OSError):
        root.rmdir()
    return Exported(directory=str(root), files=0, dropped=tuple(dropped))


def _nameable(targets: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The paths that a directory tree can hold, and the others."""
    directories = {path[:cut] for path in targets for cut in range(len(path)) if path[cut] == "/"}
    wanted: dict[str, str] = {}
    skipped = []
    for path, target in sorted(targets.items()):
        if path not in directories and path != _MARKER and all(map(_is_name, path.split("/"))):
            wanted[path] = target
        else:
            skipped.append(path)
    return wanted, skipped


def _is_name(name: str) -> bool:
    return name not in {"", ".", ".."} and "\0" not in name and len(os.fsencode(name)) <= _NAME_MAX


def _root(path: str, target: str) -> str:
    """The directory that tells links of ours from links of others: the tier's own, or the mount in place."""
    head, found, tail = target.partition("/.datafluid-")
    if found:
        return f"{head}{found}{tail.partition('/')[0]}"
    return target[: -len(path) - 1] if target.endswith(f"/{path}") else os.path.dirname(target)


@contextmanager
def _opened(root: Path) -> Iterator[int]:
    """A descriptor of the directory, locked against other exports."""
    top = os.open(root, _DIRECTORY)
    try:
        fcntl.flock(top, fcntl.LOCK_EX)
        yield top
    finally:
        os.close(top)


def _claim(top: int, root: Path, owner: str) -> set[str]:
    """Check that the directory may be used; the roots of the links that an earlier export made."""
    marked = _marker(top)
    if marked is not None and marked["owner"] != owner:
        raise Conflict(f"{root} holds an export of {marked['owner']}.", hint="Choose another directory.")
    if marked is None and os.listdir(top):
        raise Conflict(f"{root} is not empty.", hint="Choose an empty directory, or one that does not exist.")
    return set(marked["roots"]) if marked else set()


def _marker(top: int) -> dict[str, Any] | None:
    try:
        descriptor = os.open(_MARKER, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=top)
    except OSError:
        return None
    with open(descriptor, encoding="utf-8") as file:
        try:
            data = json.load(file)
        except ValueError:
            return None
    return data if isinstance(data, dict) and {"owner", "roots"} <= data.keys() else None


def _write_marker(top: int, owner: str, roots: set[str]) -> None:
    temporary = f"{_MARKER}.{secrets.token_hex(4)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=top)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"owner": owner, "roots": sorted(roots)}, file)
    os.rename(temporary, _MARKER, src_dir_fd=top, dst_dir_fd=top)


def _link(top: int, wanted: Mapping[str, str], root: Path) -> tuple[list[str], list[str]]:
    added, dropped = [], []
    for parent, paths in groupby(sorted(wanted, key=_by_parent), key=lambda path: path.rpartition("/")[0]):
        directory = _descend(top, parent, root)
        try:
            for path in paths:
                name, target = path.rpartition("/")[2], wanted[path]
                before = _target(directory, name, root / path)
                if before != target:
                    _point(directory, name, target)
                    added.append(target)
                    dropped += [before] if before else []
        finally:
            os.close(directory)
    return added, dropped


def _by_parent(path: str) -> tuple[str, str]:
    parent, _, name = path.rpartition("/")
    return parent, name


def _descend(top: int, parent: str, root: Path) -> int:
    """A descriptor of a directory below ``top``, made where it is missing; links on the way are refused."""
    directory = os.dup(top)
    for name in parent.split("/") if parent else ():
        try:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=directory)
            below = os.open(name, _DIRECTORY, dir_fd=directory)
        except NotADirectoryError:
            raise Conflict(f"{root / parent}: {name!r} is in the way of a directory.", hint="Move it away.") from None
        finally:
            os.close(directory)
        directory = below
    return directory


def _target(directory: int, name: str, shown: Path) -> str | None:
    """Where the link points now; None when there is nothing."""
    try:
        return os.readlink(name, dir_fd=directory)
    except FileNotFoundError:
        return None
    except OSError:
        raise Conflict(f"{shown} is in the way: it is no link.", hint="Move it away.") from None


def _point(directory: int, name: str, target: str) -> None:
    """Make or change a link in one step, so that a reader always finds one."""
    temporary = f".datafluid-{secrets.token_hex(8)}"
    os.symlink(target, temporary, dir_fd=directory)
    os.rename(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)


def _sweep(top: int, wanted: Mapping[str, str], roots: set[str]) -> list[str]:
    """Remove links of ours that are not wanted, and the directories that this empties."""
    dropped: list[str] = []
    touched: set[str] = set()
    for where, directories, files, directory in os.fwalk(".", topdown=False, follow_symlinks=False, dir_fd=top):
        below = f"{where}/"[2:] if where != "." else ""
        for name in files + directories:
            target = None if below + name in wanted else _link_target(directory, name)
            if target is not None and any(target.startswith(f"{root}/") for root in roots):
                os.unlink(name, dir_fd=directory)
                dropped.append(target)
                touched.add(where)
        for name in directories:
            if f"{where}/{name}" in touched:
                with suppress(OSError):  # it holds something of somebody else
                    os.rmdir(name, dir_fd=directory)
                    touched.add(where)
    return dropped


def _link_target(directory: int, name: str) -> str | None:
    if not stat.S_ISLNK(os.lstat(name, dir_fd=directory).st_mode):
        return None
    return os.readlink(name, dir_fd=directory)
