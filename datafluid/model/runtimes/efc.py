"""EFCRuntime."""

from __future__ import annotations

from typing import Literal

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import CleanCachePolicy, PodMetadata, RuntimeStatus, TieredStore, VersionSpec

__all__ = ["EFCRuntime"]


class EFCProcess(Part):
    """What every EFC process takes."""

    version: VersionSpec | None = None
    properties: dict[str, str] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = None
    network_mode: NetworkMode | None = None
    pod_metadata: PodMetadata | None = None


class EFCComponent(EFCProcess):
    """A master or worker."""

    replicas: Replicas | None = None
    ports: dict[str, int] | None = None
    disabled: bool | None = None


class EFCFuse(EFCProcess):
    """The FUSE client."""

    clean_policy: str | None = None


class InitFuse(Part):
    """The container that prepares FUSE."""

    version: VersionSpec | None = None


class OSAdvise(Part):
    """Settings of the operating system."""

    os_version: str | None = None
    enabled: bool | None = None


class EFCRuntimeSpec(Part):
    """How EFC shall run."""

    master: EFCComponent | None = None
    worker: EFCComponent | None = None
    init_fuse: InitFuse | None = None
    fuse: EFCFuse | None = None
    tieredstore: TieredStore | None = None
    replicas: Int32 | None = None
    os_advise: OSAdvise | None = None
    clean_cache_policy: CleanCachePolicy | None = None
    pod_metadata: PodMetadata | None = None


class EFCRuntime(Resource):
    """A dataset cached by EFC."""

    kind: Literal["EFCRuntime"] = "EFCRuntime"
    spec: EFCRuntimeSpec | None = None
    status: RuntimeStatus | None = None
