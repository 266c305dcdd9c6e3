"""Packing: what is declared, what is known of directories, and every complete cached file. Asks no under-store."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datafluid.engine.archive.container import ArchiveWriter, writing
from datafluid.engine.archive.listings import Directory, Listed, directories
from datafluid.engine.binding import Binding
from datafluid.engine.cache.identity import CachedName, content_id
from datafluid.engine.cache.store import CacheStore
from datafluid.engine.cache.upkeep import sealed_bytes
from datafluid.engine.reconcile.relations import runtime_of
from datafluid.engine.reconcile.values import rfc3339
from datafluid.engine.registry import Registry
from datafluid.errors import NotFound
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of, physical_refs
from datafluid.plane.port import Manifest

__all__ = ["FORMAT", "Packed", "own_mounts", "pack"]

FORMAT = 1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What went into an archive.

    Args:
        objects: The declared objects, ``Kind/namespace/name``.
        files: Cached files.
        bytes: Their bytes.
        absent: Files that are known and not cached completely: they stay behind.
        damaged: Paths of cached files that did not match their checksum: they stay behind, and are fetched again.
    """

    objects: tuple[str, ...]
    files: int
    bytes: int
    absent: int
    damaged: tuple[str, ...]


def pack(registry: Registry, cache: CacheStore, wanted: Sequence[Ref], file: Path, progress: Progress) -> Packed:
    """Write an archive.

    Args:
        wanted: Datasets, with what belongs to them; none means everything that is declared.
        file: Where; one that exists is replaced when the new one is whole.
        progress: Told the bytes packed so far, and in all.

    Raises:
        NotFound: there is no such dataset.
        CacheFull: the disk is full.
    """
    objects = _chosen(registry.objects(), wanted)
    bindings = [found for each in objects if (found := _binding(registry, each)) is not None]
    sizes = {binding.uid: sealed_bytes(cache, {origin for _, origin in own_mounts(binding)}) for binding in bindings}
    with writing(file) as writer:
        writer.add_document(
            {
                "datafluid": FORMAT,
                "packed": rfc3339(time.time()),
                "objects": [_portable(registry, each) for each in objects],
                "totals": {f"{b.namespace}/{b.name}": _totals(registry, b) for b in bindings},
                "bytes": {f"{b.namespace}/{b.name}": sizes[b.uid] for b in bindings},
            }
        )
        files = _Files(cache, writer, progress, sum(sizes.values()))
        for binding in bindings:
            for mount, origin in own_mounts(binding):
                for directory in directories(cache, origin):
                    files.add(binding, mount, origin, directory)
    return Packed(
        objects=tuple(str(Ref.of(each)) for each in objects),
        files=files.files,
        bytes=files.bytes,
        absent=files.absent,
        damaged=tuple(files.damaged),
    )


def own_mounts(binding: Binding) -> list[tuple[str, str]]:
    """Path and origin of the mounts that are the dataset's own, not those of one that it refers to."""
    return [(mount.path, mount.origin) for mount in binding.mounts if mount.origin.startswith(f"{binding.uid}/")]


class _Files:
    """The part of an archive that holds bytes: directories, each followed by its files."""

    def __init__(self, cache: CacheStore, writer: ArchiveWriter, progress: Progress, total: int) -> None:
        self._cache = cache
        self._writer = writer
        self._progress = progress
        self._total = total
        self.files = self.bytes = self.absent = 0
        self.damaged: list[str] = []

    def add(self, binding: Binding, mount: str, origin: str, directory: Directory) -> None:
        """Add a directory, then what is cached of it; what is gone or damaged by then is simply not there."""
        entries = tuple(self._announced(origin, directory, entry) for entry in directory.entries)
        told = replace(directory, entries=entries).to_json()
        self._writer.add_document({"dataset": [binding.namespace, binding.name], "mount": mount, **told})
        for entry in entries:
            if entry.checksum is not None:
                self._copy(origin, directory.key(entry), entry, entry.checksum)

    def _announced(self, origin: str, directory: Directory, entry: Listed) -> Listed:
        if entry.is_directory:
            return entry
        content = content_id(origin, directory.key(entry), entry.version, entry.size)
        for (checksum,) in self._cache.db.query(
            "SELECT checksum FROM content WHERE id=? AND checksum IS NOT NULL", (content,)
        ):
            return replace(entry, checksum=checksum)
        self.absent += 1
        return entry

    def _copy(self, origin: str, key: str, entry: Listed, checksum: bytes) -> None:
        sealed = self._cache.sealed.find(content_id(origin, key, entry.version, entry.size))
        name = CachedName.parse(os.path.basename(sealed.path)) if sealed else None
        if sealed is None or name is None or name.checksum != checksum:
            self.absent += 1
            return
        try:
            fd = os.open(sealed.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:  # evicted since
            self.absent += 1
            return
        try:
            done = self.bytes
            sound = self._writer.add_file(
                fd, entry.size, checksum, key, lambda behind: self._progress(done + behind, self._total)
            )
        finally:
            os.close(fd)
        if not sound:
            self.damaged.append(sealed.path)
            self.absent += 1
            return
        self.files, self.bytes = self.files + 1, self.bytes + entry.size


def _chosen(everything: Sequence[Manifest], wanted: Sequence[Ref]) -> list[Manifest]:
    """The objects that travel. An operation that runs once has had its time where it was declared."""
    found = everything if not wanted else _belonging(everything, wanted)
    return [
        each
        for each in found
        if not each["metadata"].get("deletionTimestamp")
        and (each["kind"] not in OPERATION_KINDS or each["spec"].get("policy") == "Cron")
    ]


def _belonging(everything: Sequence[Manifest], wanted: Sequence[Ref]) -> list[Manifest]:
    """Datasets with the datasets they refer to, their runtimes and their operations."""
    known = {Ref.of(each): each for each in everything}
    found: dict[Ref, Manifest] = {}
    waiting = list(wanted)
    while waiting:
        ref = waiting.pop()
        if ref not in known:
            raise NotFound(f"there is no {ref}.", hint="`datafluid get dataset -A` lists what there is.")
        if ref in found:
            continue
        found[ref] = known[ref]
        waiting += [Ref("Dataset", name, namespace) for namespace, name in physical_refs(known[ref])]
    for each in list(found.values()):
        runtime = runtime_of(each, everything)
        belonging: Iterable[Manifest] = [*([runtime] if runtime else []), *operations_of(Ref.of(each), everything)]
        found |= {Ref.of(other): other for other in belonging}
    return list(found.values())


def _portable(registry: Registry, manifest: Manifest) -> Manifest:
    """An object as it was authored: what a controller or a server added stays behind."""
    ref, metadata = Ref.of(manifest), manifest["metadata"]
    with registry.transaction() as records:
        applied = records.applied(ref)
    authored: dict[str, Any] = {key: metadata[key] for key in ("name", "namespace") if key in metadata}
    for key in ("labels", "annotations"):
        if kept := {name: metadata[key][name] for name in applied.get(key) or () if name in metadata.get(key, {})}:
            authored[key] = kept
    return {**{key: value for key, value in manifest.items() if key != "status"}, "metadata": authored}


def _binding(registry: Registry, manifest: Manifest) -> Binding | None:
    if manifest["kind"] != "Dataset":
        return None
    return registry.find_binding(manifest["metadata"]["namespace"], manifest["metadata"]["name"])


def _totals(registry: Registry, binding: Binding) -> Mapping[str, str]:
    """What the status says of the whole dataset, cached or not."""
    manifest = registry.find(Ref("Dataset", binding.name, binding.namespace)) or {}
    status = manifest.get("status") or {}
    return {key: str(status[key]) for key in ("ufsTotal", "fileNum") if status.get(key)}
