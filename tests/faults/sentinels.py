"""What lies in a directory tree, so that a test can say that nothing in it was touched."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

__all__ = ["tree_of"]


def tree_of(top: Path) -> dict[str, tuple[int, int, int, str]]:
    """Every name below a directory with its mode, inode, time of change, and contents (or where a link points)."""
    found = {}
    for where, directories, files in os.walk(top):
        for name in directories + files:
            path = os.path.join(where, name)
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode):
                inside = os.readlink(path)
            elif stat.S_ISREG(status.st_mode):
                inside = hashlib.sha256(Path(path).read_bytes()).hexdigest()
            else:
                inside = ""
            found[os.path.relpath(path, top)] = (status.st_mode, status.st_ino, status.st_mtime_ns, inside)
    return found
