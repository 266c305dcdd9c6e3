"""Frozen snapshots of what a plane reports. Strings are parsed here, once; what is unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from datafluid.model.growth import Estimate
from datafluid.model.kinds import RUNTIMES_BY_TYPE
from datafluid.model.plain import as_list, as_map, as_text
from datafluid.model.quantity import parse_percent, parse_size

__all__ = [
    "BoundRuntime",
    "Condition",
    "DatasetStatus",
    "MountStatus",
    "OperationStatus",
    "Progress",
    "RuntimeStatus",
]

_CALCULATING = "[Calculating]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition. Conditions stay behind: `phase` says what is, a condition what once was noted."""

    type: str
    status: str
    reason: str = ""
    message: str = ""
    last_transition: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MountStatus:
    """A mount that is in effect."""

    mount_point: str
    name: str = ""
    path: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRuntime:
    """The runtime that a dataset is bound to."""

    name: str
    namespace: str
    type: str
    category: str = ""

    @property
    def kind(self) -> str:
        """Its kind, for example ``AlluxioRuntime``."""
        found = RUNTIMES_BY_TYPE.get(self.type)
        return self.type if found is None else found.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetStatus:
    """A dataset, as it was when its manifest was read.

    Args:
        phase: ``""``, ``NotBound``, ``Bound``, ``Failed``, ``Updating`` or ``DataMigrating``.
        total: Bytes in the under-stores.
        calculating: Whether the total is still being counted.
        files: Files in the under-stores.
        cached: Bytes cached.
        capacity: Bytes that the cache may hold.
        fraction: ``cached`` of ``total``, 0 to 1.
        hit_ratio: Reads answered by the cache, 0 to 1.
        as_of: When the figures were taken.
        operations: Running operations by kind.
        referenced_by: ``namespace/name`` of the datasets that refer to this one.
        waiting_for: What a wait for it still waits for; only in the snapshots that a wait reports.
        estimate: How fast it fills, and how long that still takes; likewise.
        reason: Why it is not ready yet, as far as that was told; likewise.
    """

    namespace: str
    name: str
    phase: str = ""
    total: int | None = None
    calculating: bool = False
    files: int | None = None
    cached: int | None = None
    capacity: int | None = None
    fraction: float | None = None
    hit_ratio: float | None = None
    as_of: datetime | None = None
    mounts: tuple[MountStatus, ...] = ()
    runtimes: tuple[BoundRuntime, ...] = ()
    conditions: tuple[Condition, ...] = ()
    hcfs_endpoint: str | None = None
    operations: Mapping[str, str] = field(default_factory=dict)
    referenced_by: tuple[str, ...] = ()
    waiting_for: str = ""
    estimate: Estimate | None = None
    reason: str = ""

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> DatasetStatus:
        """Read the status of a Dataset manifest; one without a status has unknown figures.

        Example:
            >>> manifest = {"metadata": {"name": "a"}, "status": {"phase": "Bound", "ufsTotal": "[Calculating]"}}
            >>> status = DatasetStatus.parse(manifest)
            >>> status.phase, status.total, status.calculating
            ('Bound', None, True)
        """
        metadata, status = as_map(manifest.get("metadata")), as_map(manifest.get("status"))
        states = as_map(status.get("cacheStates"))
        total, cached = parse_size(as_text(status.get("ufsTotal"))), parse_size(as_text(states.get("cached")))
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata.get("name") or "",
            phase=status.get("phase") or "",
            total=total,
            calculating=status.get("ufsTotal") == _CALCULATING or status.get("fileNum") == _CALCULATING,
            files=_whole(status.get("fileNum")),
            cached=cached,
            capacity=parse_size(as_text(states.get("cacheCapacity"))),
            fraction=parse_percent(as_text(states.get("cachedPercentage"))),
            hit_ratio=parse_percent(as_text(states.get("cacheHitRatio"))),
            as_of=parse_time(states.get("asOf") or status.get("asOf")),
            mounts=tuple(_mount(as_map(mount)) for mount in as_list(status.get("mounts"))),
            runtimes=tuple(_runtime(as_map(runtime)) for runtime in as_list(status.get("runtimes"))),
            conditions=_conditions(status),
            hcfs_endpoint=as_map(status.get("hcfs")).get("endpoint") or None,
            operations=dict(as_map(status.get("operationRef"))),
            referenced_by=tuple(as_list(status.get("datasetRef"))),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an operation is.

    Args:
        bytes_total: Bytes it covers; None until they were counted.
        rate: Bytes a second, lately.
        eta: Seconds that are left, by that rate.
        errors: What failed, one sentence each; the first few.
    """

    bytes_total: int | None = None
    bytes_done: int = 0
    files_total: int | None = None
    files_done: int = 0
    rate: float | None = None
    eta: float | None = None
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatus:
    """A DataLoad, DataMigrate, DataBackup or DataProcess, as it was when its manifest was read.

    Args:
        phase: ``""``, ``Pending``, ``Executing``, ``Complete`` or ``Failed``.
        duration: As Fluid writes it: ``Unfinished``, ``2m10s``, ``-``.
        waiting: Whether it waits for the operation it runs after.
        is_cron: Whether it runs again and again: then ``Complete`` is not the end.
        reason: Why it has not begun, where that is known; told by waits only.
    """

    namespace: str
    name: str
    phase: str = ""
    duration: str = ""
    progress: Progress | None = None
    last_schedule_time: datetime | None = None
    last_successful_time: datetime | None = None
    waiting: bool = False
    is_cron: bool = False
    conditions: tuple[Condition, ...] = ()
    infos: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def finished(self) -> bool:
        """Whether it has ended for good; one on a schedule never has."""
        return not self.is_cron and self.phase in ("Complete", "Failed")

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> OperationStatus:
        """Read the status of an operation's manifest.

        Example:
            >>> manifest = {"metadata": {"name": "a"}, "spec": {"policy": "Cron"}, "status": {"phase": "Complete"}}
            >>> OperationStatus.parse(manifest).finished
            False
        """
        metadata, status = manifest.get("metadata") or {}, manifest.get("status") or {}
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata.get("name") or "",
            phase=status.get("phase") or "",
            duration=status.get("duration") or "",
            progress=_progress(status.get("progress")),
            last_schedule_time=parse_time(status.get("lastScheduleTime")),
            last_successful_time=parse_time(status.get("lastSuccessfulTime")),
            waiting=bool((status.get("waitingFor") or {}).get("operationComplete")),
            is_cron=(manifest.get("spec") or {}).get("policy") == "Cron",
            conditions=_conditions(status),
            infos=dict(status.get("infos") or {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeStatus:
    """A runtime, as it was when its manifest was read. Each phase is ``""``, NotReady, PartialReady or Ready."""

    namespace: str
    name: str
    master_phase: str = ""
    worker_phase: str = ""
    fuse_phase: str = ""
    workers_ready: int | None = None
    workers_desired: int | None = None
    conditions: tuple[Condition, ...] = ()

    @classmethod
    def parse(cls, manifest: Mapping[str, Any]) -> RuntimeStatus:
        """Read the status of a runtime's manifest."""
        metadata, status = manifest.get("metadata") or {}, manifest.get("status") or {}
        return cls(
            namespace=metadata.get("namespace") or "default",
            name=metadata.get("name") or "",
            master_phase=status.get("masterPhase") or "",
            worker_phase=status.get("workerPhase") or "",
            fuse_phase=status.get("fusePhase") or "",
            workers_ready=status.get("workerNumberReady"),
            workers_desired=status.get("desiredWorkerNumberScheduled"),
            conditions=_conditions(status),
        )


def parse_time(text: Any) -> datetime | None:
    """An RFC 3339 time; None when there is none."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _conditions(status: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=each.get("type", ""),
            status=each.get("status", ""),
            reason=each.get("reason", ""),
            message=each.get("message", ""),
            last_transition=parse_time(each.get("lastTransitionTime")),
        )
        for each in map(as_map, as_list(status.get("conditions")))
    )


def _mount(mount: Mapping[str, Any]) -> MountStatus:
    return MountStatus(
        mount_point=mount.get("mountPoint", ""),
        name=mount.get("name", ""),
        path=mount.get("path", ""),
        read_only=bool(mount.get("readOnly")),
    )


def _runtime(runtime: Mapping[str, Any]) -> BoundRuntime:
    return BoundRuntime(
        name=runtime.get("name", ""),
        namespace=runtime.get("namespace", ""),
        type=runtime.get("type", ""),
        category=runtime.get("category", ""),
    )


def _progress(progress: Mapping[str, Any] | None) -> Progress | None:
    if not progress:
        return None
    return Progress(
        bytes_total=progress.get("bytesTotal"),
        bytes_done=progress.get("bytesDone") or 0,
        files_total=progress.get("filesTotal"),
        files_done=progress.get("filesDone") or 0,
        rate=progress.get("rate"),
        eta=progress.get("etaSeconds"),
        errors=tuple(progress.get("errors") or ()),
    )


def _whole(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None
