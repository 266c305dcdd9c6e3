"""What a cached file is called: its identity, its checksum when sealed, and its key's suffix. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

__all__ = ["CachedName", "content_id", "suffix_of"]

_SUFFIX = re.compile(r"(?:\.[A-Za-z0-9_]{1,8}){1,2}\Z")
_NAME = re.compile(r"(?P<id>[0-9a-f]{32})(?P<checksum>[0-9a-f]{32})?(?P<suffix>(?:\.[A-Za-z0-9_]{1,8}){0,2})\Z")


def content_id(origin: str, key: str, version: str, size: int) -> bytes:
    """Names one version of one object: 16 bytes.

    Args:
        origin: The mount's origin (`datafluid.engine.binding.MountBinding`).
        key: The object's key below it.
        version: The store's version.
        size: Bytes.
    """
    parts = (origin, key, version, str(size))
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def suffix_of(key: str) -> str:
    """The suffix that readers recognise a format by, or "".

    Example:
        >>> suffix_of("a/part-0.snappy.parquet"), suffix_of("a.b/c")
        ('.snappy.parquet', '')
    """
    found = _SUFFIX.search(key.rpartition("/")[2])
    return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class CachedName:
    """The name of a cached file; a checksum says that it is complete."""

    id: bytes
    checksum: bytes | None
    suffix: str

    @classmethod
    def parse(cls, name: str) -> CachedName | None:
        """Read a file name; None when it is not one of ours."""
        found = _NAME.match(name)
        if found is None:
            return None
        checksum = found["checksum"]
        return cls(bytes.fromhex(found["id"]), bytes.fromhex(checksum) if checksum else None, found["suffix"])

    @property
    def directory(self) -> str:
        """The sub-directory it lives in."""
        return self.id[:1].hex()

    def __str__(self) -> str:
        return f"{self.id.hex()}{self.checksum.hex() if self.checksum else ''}{self.suffix}"
