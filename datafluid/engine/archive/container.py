"""The container of an archive: a plain tar whose members are numbered and named after their bytes.

Any `tar` lists it. It is read block by block and not through `tarfile`: a member is a regular file with the next number
and nothing else, so no path, link, device, sparse map or extended header can trick whoever unpacks, and what a
header says costs no memory.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datafluid.engine.cache.checksum import combine, piece_digest, pieces, range_digest
from datafluid.engine.cache.filling import PieceHasher
from datafluid.engine.cache.identity import suffix_of
from datafluid.errors import CacheFull, Corrupt, Invalid, NotFound

__all__ = ["ArchiveReader", "ArchiveWriter", "Member", "reading", "writing"]

_BLOCK = 512
_COPY = 1 << 20
_LARGEST_DOCUMENT = 32 << 20
_DOCUMENT = ".json"
_NAME = re.compile(r"(?P<number>\d{10})-(?P<digest>[0-9a-f]{32})(?P<suffix>(?:\.[A-Za-z0-9_]{1,8}){0,2})\Z")
_AGAIN = "Copy the archive again, or pack it anew; what was unpacked before is kept."


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of an archive: where its bytes are, and what their checksum must be."""

    number: int
    digest: bytes
    suffix: str
    start: int
    size: int


class ArchiveWriter:
    """Writes an archive; made by `writing`.

    Args:
        fd: A new file.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._position = 0
        self._number = 0

    def add_document(self, document: Mapping[str, Any]) -> None:
        """Add a JSON document."""
        data = json.dumps(document, separators=(",", ":")).encode("ascii")
        self._header(piece_digest(data), _DOCUMENT, len(data))
        self._write(data)
        self._pad(len(data))

    def add_file(self, fd: int, size: int, checksum: bytes, key: str, told: Callable[[int], None]) -> bool:
        """Add the bytes of an open file; False, and nothing is added, when they do not match their checksum.

        Args:
            told: Gets the bytes that are behind, now and then.
        """
        begun, hasher, position = self._position, PieceHasher(0), 0
        self._header(checksum, suffix_of(key), size)
        while position < size and (data := os.pread(fd, min(_COPY, size - position), position)):
            hasher.update(data)
            self._write(data)
            position += len(data)
            told(position)
        if position < size or combine(digest for _, _, digest in hasher.finish()) != checksum:
            os.ftruncate(self._fd, begun)
            self._position, self._number = begun, self._number - 1
            return False
        self._pad(size)
        return True

    def finish(self) -> int:
        """Write the end, down to the disk; the bytes of the whole archive."""
        self._write(bytes(2 * _BLOCK))
        os.fsync(self._fd)
        return self._position

    def _header(self, digest: bytes, suffix: str, size: int) -> None:
        info = tarfile.TarInfo(f"{self._number:010}-{digest.hex()}{suffix}")
        info.size, info.mode = size, 0o400
        self._write(info.tobuf(tarfile.GNU_FORMAT, "ascii", "strict"))
        self._number += 1

    def _pad(self, size: int) -> None:
        self._write(bytes(-size % _BLOCK))

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.pwrite(self._fd, view, self._position)
            self._position += written
            view = view[written:]


class ArchiveReader:
    """Reads an archive; made by `reading`. Trusts nothing in it.

    Args:
        fd: The open file.
        name: What messages call it.

    Attributes:
        position: Where the next member begins.
        size: Bytes of the file.
    """

    def __init__(self, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
        self._number = 0
        self.position = 0
        self.size = os.fstat(fd).st_size

    def next(self) -> Member | None:
        """The next member; None at the end.

        Raises:
            Corrupt: the archive ends early, or holds something that datafluid did not write.
        """
        block = os.pread(self._fd, _BLOCK, self.position)
        if len(block) < _BLOCK:
            raise self.broken("it ends early")
        if not any(block):
            return None
        member = self._parse(block)
        self._number += 1
        self.position = member.start + member.size + -member.size % _BLOCK
        if self.position > self.size:
            raise self.broken("it ends early")
        return member

    def document(self, member: Member | None) -> dict[str, Any]:
        """The JSON object that a member is.

        Raises:
            Corrupt: it is none, or damaged.
        """
        if member is None or member.suffix != _DOCUMENT or member.size > _LARGEST_DOCUMENT:
            raise self.refusal("has no document where one must be")
        data = os.pread(self._fd, member.size, member.start)
        if piece_digest(data) != member.digest:
            raise self.broken("a document does not match its checksum")
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise self.refusal("has a document that is no JSON object")
        return document

    def is_sound(self, member: Member) -> bool:
        """Whether a file's bytes match their checksum."""
        ranges = ((member.start + start, member.start + end) for start, end in pieces(member.size))
        return combine(range_digest(self._fd, start, end) for start, end in ranges) == member.digest

    def blocks(self, member: Member) -> Iterator[tuple[int, bytes]]:
        """The bytes of a file with their offsets in it, in pieces of a MiB."""
        for start in range(0, member.size, _COPY):
            yield start, os.pread(self._fd, min(_COPY, member.size - start), member.start + start)

    def broken(self, what: str) -> Corrupt:
        """The error that says what became of the archive on its way."""
        return Corrupt(f"{self._name} is damaged: {what}.", hint=_AGAIN)

    def refusal(self, what: str) -> Corrupt:
        """The error that says what datafluid would not have written."""
        return Corrupt(f"{self._name} is not an archive of datafluid: it {what}.", hint="Check where it comes from.")

    def _parse(self, block: bytes) -> Member:
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError):
            raise self.refusal("has a block that is no header") from None
        found = _NAME.match(info.name)
        if info.type != tarfile.REGTYPE or info.linkname or found is None or info.size < 0:
            raise self.refusal(f"has a member {info.name!r}")
        if int(found["number"]) != self._number:
            raise self.refusal(f"has member {int(found['number'])} where {self._number} must be")
        digest = bytes.fromhex(found["digest"])
        start = self.position + _BLOCK
        return Member(number=self._number, digest=digest, suffix=found["suffix"], start=start, size=info.size)


@contextmanager
def writing(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive beside ``path``; it takes the name when it is whole.

    Raises:
        CacheFull: the disk is full.
        NotFound: its directory is not there.
        Invalid: it is a directory.
    """
    if path.is_dir():
        raise Invalid(f"{path} is a directory.", hint="Name a file in it.")
    if not path.parent.is_dir():
        raise NotFound(f"there is no directory {path.parent}.", hint="Make it, or name another file; it comes last.")
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        error.filename = str(path)  # which is what the caller knows
        raise
    try:
        writer = ArchiveWriter(fd)
        yield writer
        writer.finish()
        os.rename(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT) and not isinstance(error, CacheFull):
            raise CacheFull(f"the disk of {path} is full.", hint="Free some space, or pack fewer datasets.") from error
        raise
    finally:
        os.close(fd)
        with suppress(FileNotFoundError):
            os.unlink(temporary)


@contextmanager
def reading(path: Path) -> Iterator[ArchiveReader]:
    """Open an archive.

    Raises:
        Invalid: it is no regular file.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Invalid(f"{path} is no file.", hint="Name an archive that `datafluid cache pack` wrote.")
        yield ArchiveReader(fd, str(path))
    finally:
        os.close(fd)
