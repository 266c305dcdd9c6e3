"""Unpacking: declare what another home had declared, and take in its files, each checked before a byte is written."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datafluid.engine.archive.container import ArchiveReader, Member, reading
from datafluid.engine.archive.declaring import declare
from datafluid.engine.archive.listings import Directory, Listed, adopt
from datafluid.engine.archive.packing import FORMAT, Progress, own_mounts
from datafluid.engine.binding import Binding, TierBinding
from datafluid.engine.cache.checksum import combine
from datafluid.engine.cache.filling import Inflow
from datafluid.engine.cache.sealed import Sealed
from datafluid.engine.cache.store import CacheStore, open_cache
from datafluid.engine.generation import Generation
from datafluid.engine.home import Home
from datafluid.engine.understore.port import ObjectInfo
from datafluid.errors import CacheFull, Corrupt, Unsupported

__all__ = ["Unpacked", "unpack"]

_SHOWN = 5
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What came out of an archive.

    Args:
        packed: When it was packed.
        objects: Objects that are declared now and were not before, ``Kind/namespace/name``.
        files: Files that are cached now and were not before.
        bytes: Their bytes.
        present: Files that were cached already.
    """

    packed: str
    objects: tuple[str, ...]
    files: int
    bytes: int
    present: int


def unpack(home: Home, file: Path, progress: Progress) -> Unpacked:
    """Take in an archive. A file is there whole or not at all, so one that was interrupted can be unpacked again.

    Args:
        progress: Told the bytes of the archive that are behind, and all of them.

    Raises:
        Corrupt: the archive is damaged, or not ours; files that were sound are kept.
        Conflict: something is declared otherwise here; nothing was changed.
        Invalid: what it declares does not pass admission; nothing was changed.
        CacheFull: there is no room.
        Unsupported: a newer datafluid wrote it.
    """
    with reading(file) as archive:
        header = _header(archive)
        declared = declare(home, header["objects"], header)
        bindings = {(each.namespace, each.name): each for found in declared if (each := found.binding) is not None}
        _need_room(header, bindings)
        files = _Files(open_cache(home), archive, bindings, progress)
        try:
            while (member := archive.next()) is not None:
                files.take(member)
        finally:
            files.settle()
            Generation(home.generation).bump()
        if files.damaged:
            raise _damaged(archive, files)
    return Unpacked(
        packed=header["packed"],
        objects=tuple(str(each.ref) for each in declared if each.new),
        files=files.files,
        bytes=files.bytes,
        present=files.present,
    )


def _header(archive: ArchiveReader) -> dict[str, Any]:
    header = archive.document(archive.next())
    written = header.get("datafluid")
    if isinstance(written, int) and written > FORMAT:
        raise Unsupported(f"a newer datafluid wrote this archive (format {written}).", hint="Upgrade datafluid.")
    objects = header.get("objects")
    if (
        written != FORMAT
        or not isinstance(objects, list)
        or not all(isinstance(each, dict) for each in objects)
        or not _MOMENT.fullmatch(str(header.get("packed")))
        or not all(isinstance(header.get(key), dict) for key in ("totals", "bytes"))
    ):
        raise archive.refusal("does not begin as one")
    return header


def _need_room(header: Mapping[str, Any], bindings: Mapping[tuple[str, str], Binding]) -> None:
    """Unpacking more than fits would only evict what was unpacked before."""
    from datafluid.model.quantity import format_size

    wanted: dict[tuple[TierBinding, ...], int] = {}
    for (namespace, name), binding in bindings.items():
        size = header["bytes"].get(f"{namespace}/{name}")
        wanted[binding.tiers] = wanted.get(binding.tiers, 0) + (size if isinstance(size, int) else 0)
    for tiers, size in wanted.items():
        quota = sum(tier.quota for tier in tiers)
        if size > quota:
            raise CacheFull(
                f"{format_size(size)} do not fit into the cache of {format_size(quota)}.",
                hint="Declare a runtime with a larger tieredstore for the dataset, then unpack again.",
            )


def _damaged(archive: ArchiveReader, files: _Files) -> Corrupt:
    shown = ", ".join(files.damaged[:_SHOWN]) + (", …" if len(files.damaged) > _SHOWN else "")
    return archive.broken(f"{len(files.damaged)} of its files do not match their checksums: {shown}")


class _Files:
    """Directories and files, as they come."""

    def __init__(
        self,
        cache: CacheStore,
        archive: ArchiveReader,
        bindings: Mapping[tuple[str, str], Binding],
        progress: Progress,
    ) -> None:
        self._cache = cache
        self._archive = archive
        self._bindings = bindings
        self._progress = progress
        self._announced: list[tuple[str, Listed]] = []  # what may follow: key and entry
        self._origin = ""
        self._tiers: tuple[TierBinding, ...] = ()
        self.files = self.bytes = self.present = 0
        self.damaged: list[str] = []

    def take(self, member: Member) -> None:
        """Take in the next member."""
        key, entry = self._expected(member)
        if entry is None:
            self._directory(self._archive.document(member))
            return
        info = ObjectInfo(key=key, size=entry.size, version=entry.version, mtime=entry.mtime)
        wanted = self._cache.wanted(self._origin, info)
        if self._cache.sealed.find(wanted.id) is not None:
            self.present += 1
        elif not self._archive.is_sound(member):
            self.damaged.append(key)
        else:
            self._fill(member, info)
        self._progress(self._archive.position, self._archive.size)

    def settle(self) -> None:
        """Write what came down to the disk: it need not be checked again after a loss of power."""
        self._cache.sealed.make_durable(
            list(dict.fromkeys(tier for each in self._bindings.values() for tier in each.tiers))
        )

    def _expected(self, member: Member) -> tuple[str, Listed | None]:
        """The file that a member is; None for the next directory. Files that were announced may be left out."""
        for place, (key, entry) in enumerate(self._announced):
            if (entry.checksum, entry.size) == (member.digest, member.size):
                del self._announced[: place + 1]
                return key, entry
        return "", None

    def _directory(self, document: Mapping[str, Any]) -> None:
        try:
            directory = Directory.from_json(document)
            namespace, name = document["dataset"]
            binding = self._bindings[namespace, name]
            self._origin = dict(own_mounts(binding))[document.get("mount", "")]
        except (ValueError, KeyError, TypeError):
            raise self._archive.refusal("has a document that is no directory of a dataset that it declares") from None
        self._tiers = binding.tiers
        self._announced = [(directory.key(each), each) for each in directory.entries if each.checksum is not None]
        adopt(self._cache, self._origin, directory, time.time())

    def _fill(self, member: Member, info: ObjectInfo) -> None:
        (filling,) = self._cache.begin([(self._cache.wanted(self._origin, info), info.size)], self._tiers)
        if isinstance(filling, CacheFull):
            raise filling
        if isinstance(filling, Sealed):
            self.present += 1
            return
        try:
            inflow = Inflow(filling, 0, info.size)
            for offset, block in self._archive.blocks(member):
                inflow.add(block)
                self._progress(member.start + offset, self._archive.size)
            inflow.finish()
            extents = inflow.take()
            if combine(digest for _, _, digest in extents) != member.digest:
                raise self._archive.broken("it changed while it was read")
            self._cache.record([(filling, extents)])
        finally:
            self._cache.close([filling])
        self.files, self.bytes = self.files + 1, self.bytes + info.size
