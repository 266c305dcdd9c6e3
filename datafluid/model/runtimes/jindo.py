"""JindoRuntime."""

from __future__ import annotations

from typing import Literal

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import CleanCachePolicy, PodMetadata, RuntimeStatus, TieredStore, User, VersionSpec

__all__ = ["JindoRuntime"]


class JindoProcess(Part):
    """What every Jindo process takes."""

    properties: dict[str, str] | None = None
    env: dict[str, str] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = None
    tolerations: list[KubernetesObject] | None = None
    labels: dict[str, str] | None = None
    pod_metadata: PodMetadata | None = None
    image_pull_secrets: list[KubernetesObject] | None = None
    disabled: bool | None = None


class JindoComponent(JindoProcess):
    """A master or worker."""

    replicas: Replicas | None = None
    ports: dict[str, int] | None = None
    volume_mounts: list[KubernetesObject] | None = None


class JindoFuseMetrics(Part):
    """Prometheus figures of the FUSE client."""

    enabled: bool | None = None
    scrape_target: str | None = None


class JindoFuse(JindoProcess, VersionSpec):
    """The FUSE client."""

    args: list[str] | None = None
    clean_policy: str | None = None
    log_config: dict[str, str] | None = None
    metrics: JindoFuseMetrics | None = None


class JindoRuntimeSpec(Part):
    """How Jindo shall run. ``networkmode`` and ``cleanCachePolicy`` are for the whole runtime."""

    jindo_version: VersionSpec | None = None
    master: JindoComponent | None = None
    worker: JindoComponent | None = None
    fuse: JindoFuse | None = None
    properties: dict[str, str] | None = None
    tieredstore: TieredStore | None = None
    replicas: Int32 | None = None
    run_as: User | None = None
    user: str | None = None
    hadoop_config: str | None = None
    secret: str | None = None
    labels: dict[str, str] | None = None
    log_config: dict[str, str] | None = None
    networkmode: NetworkMode | None = None
    clean_cache_policy: CleanCachePolicy | None = None
    volumes: list[KubernetesObject] | None = None
    pod_metadata: PodMetadata | None = None
    image_pull_secrets: list[KubernetesObject] | None = None


class JindoRuntime(Resource):
    """A dataset cached by JindoCache."""

    kind: Literal["JindoRuntime"] = "JindoRuntime"
    spec: JindoRuntimeSpec | None = None
    status: RuntimeStatus | None = None
