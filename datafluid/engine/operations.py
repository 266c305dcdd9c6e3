"""What an operation does: from its manifest to the loader or the migration, and from their results to an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datafluid.engine.binding import Binding, MountBinding, SecretOption
from datafluid.engine.headway import Cancelled, Progress
from datafluid.engine.home import Home
from datafluid.engine.reconcile.values import Totals
from datafluid.engine.registry import Registry
from datafluid.engine.understore.factory import open_store
from datafluid.errors import DatafluidError
from datafluid.plane.port import Manifest

if TYPE_CHECKING:
    from datafluid.engine.migrate import End
    from datafluid.engine.volume import Volume

__all__ = ["Outcome", "run_operation"]

METADATA_ONLY = "loadMetadataOnly"  # the option of a DataLoad that lists and fetches no bytes
_MIGRATE_STREAMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended.

    Args:
        phase: ``Complete`` or ``Failed``.
        reason: One word for programs.
        message: One sentence for people.
        progress: The last progress.
        totals: What the datasets hold, by uid, where the run found out.
        afterwards: What is still to be done when the end is known; nobody waits for it.
    """

    phase: str
    reason: str
    message: str
    progress: Mapping[str, Any] | None = None
    totals: Mapping[str, Totals] | None = None
    afterwards: Callable[[], None] = lambda: None

    @classmethod
    def cancelled(cls, progress: Mapping[str, Any] | None = None) -> Outcome:
        """It was told to stop."""
        done = f" after {progress.get('filesDone', 0)} files" if progress else ""
        message = f"It was cancelled{done}; what it has loaded stays cached."
        return cls(phase="Failed", reason="Cancelled", message=message, progress=progress)


def run_operation(
    home: Home, registry: Registry, operation: Manifest, progress: Progress, cancelled: Cancelled
) -> Outcome:
    """Do what an operation says, here and now."""
    kind = operation["kind"]
    try:
        if kind == "DataLoad":
            return _load(home, registry, operation, progress, cancelled)
        return _migrate(home, registry, operation, progress, cancelled)
    except (DatafluidError, OSError) as error:
        return Outcome(phase="Failed", reason=type(error).__name__, message=str(error))


def _load(home: Home, registry: Registry, operation: Manifest, progress: Progress, cancelled: Cancelled) -> Outcome:
    from datafluid.engine.loader import Loader

    spec = operation["spec"]
    options = spec.get("options") or {}
    metadata_only = str(options.get(METADATA_ONLY, "")).lower() == "true"
    paths = [_relative(target["path"]) for target in spec.get("target") or [{"path": "/"}]]
    volume = _volume(home, registry, spec["dataset"], operation)
    loader = Loader(volume, progress=progress, cancelled=cancelled)
    loaded = loader.load(paths, metadata_only=metadata_only, refresh=bool(spec.get("loadMetadata")) or metadata_only)
    if loaded.cancelled:
        return Outcome.cancelled(loaded.progress)
    notes = f"; {_count(loaded.unaddressable, 'object')} cannot be named by a path" if loaded.unaddressable else ""
    totals = _totals(volume, loaded.progress) if "" in paths and not loaded.failed else None
    if loaded.failed:
        first = loaded.errors[0] if loaded.errors else ""
        message = f"{_count(loaded.failed, 'file')} could not be loaded, {loaded.files} are cached{notes}. {first}"
        return Outcome(phase="Failed", reason="LoadErrors", message=message, progress=loaded.progress)
    did = "listed" if metadata_only else "cached"
    message = f"{_count(loaded.files, 'file')} {did}{notes}."
    return Outcome(
        phase="Complete",
        reason="Loaded",
        message=message,
        progress=loaded.progress,
        totals=totals,
        afterwards=lambda: volume.cache.sealed.make_durable(volume.binding.tiers),
    )


def _migrate(home: Home, registry: Registry, operation: Manifest, progress: Progress, cancelled: Cancelled) -> Outcome:
    from datafluid.engine.migrate import migrate

    spec = operation["spec"]
    result = migrate(
        _end(home, registry, operation, spec["from"]),
        _end(home, registry, operation, spec["to"]),
        parallelism=_MIGRATE_STREAMS * max(1, int(spec.get("parallelism") or 1)),
        progress=progress,
        cancelled=cancelled,
    )
    if result.cancelled:
        return Outcome.cancelled(result.progress)
    if result.failed:
        first = result.progress["errors"][0]
        message = f"{_count(result.failed, 'file')} could not be copied, {result.copied} were. {first}"
        return Outcome(phase="Failed", reason="MigrateErrors", message=message, progress=result.progress)
    message = f"{_count(result.copied, 'file')} copied, {result.kept} were there already."
    return Outcome(phase="Complete", reason="Migrated", message=message, progress=result.progress)


def _end(home: Home, registry: Registry, operation: Manifest, end: Manifest) -> End:
    from datafluid.engine.migrate import DatasetEnd, StoreEnd

    dataset = end.get("dataset")
    if dataset:
        return DatasetEnd(_volume(home, registry, dataset, operation), _relative(dataset.get("path") or ""))
    external = end["externalStorage"]
    namespace = operation["metadata"].get("namespace", "default")
    mount = MountBinding(
        path="",
        url=external["uri"],
        origin=f"{operation['metadata']['uid']}/external",
        namespace=namespace,
        options=tuple((operation["spec"].get("options") or {}).items()),
        secrets=tuple(
            SecretOption(
                option=each["name"],
                secret=each["valueFrom"]["secretKeyRef"]["name"],
                key=each["valueFrom"]["secretKeyRef"]["key"],
            )
            for each in external.get("encryptOptions") or ()
        ),
    )
    binding = Binding(
        uid=operation["metadata"]["uid"], namespace=namespace, name="external", mounts=(mount,), tiers=(), writable=True
    )
    return StoreEnd(open_store(home, binding, mount))


def _volume(home: Home, registry: Registry, dataset: Manifest, operation: Manifest) -> Volume:
    from datafluid.engine.volume import Volume

    namespace = dataset.get("namespace") or operation["metadata"].get("namespace", "default")
    return Volume(home, registry.binding(namespace, dataset["name"]))


def _totals(volume: Volume, progress: Mapping[str, Any]) -> dict[str, Totals]:
    from datafluid.model.quantity import format_size

    return {volume.binding.uid: Totals(size=format_size(progress["bytesTotal"]), files=progress["filesTotal"])}


def _relative(path: str) -> str:
    return "/".join(part for part in path.split("/") if part and part != ".")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
