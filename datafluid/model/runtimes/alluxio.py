"""AlluxioRuntime."""

from __future__ import annotations

from typing import Literal

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import InitUsers, Management, PodMetadata, RuntimeStatus, TieredStore, User, VersionSpec

__all__ = ["AlluxioRuntime"]


class JavaComponent(Part):
    """What every Alluxio process takes."""

    jvm_options: list[str] | None = None
    properties: dict[str, str] | None = None
    env: dict[str, str] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = None
    network_mode: NetworkMode | None = None
    volume_mounts: list[KubernetesObject] | None = None
    pod_metadata: PodMetadata | None = None
    image_pull_secrets: list[KubernetesObject] | None = None


class AlluxioComponent(JavaComponent):
    """A master, worker, job master, job worker or the API gateway."""

    replicas: Replicas | None = None
    ports: dict[str, int] | None = None
    enabled: bool | None = None


class AlluxioFuse(JavaComponent, VersionSpec):
    """The FUSE client."""

    args: list[str] | None = None
    clean_policy: str | None = None


class DataReplication(Part):
    """How many copies, and whether they are pinned."""

    replicas: Int32 | None = None
    pin: bool | None = None


class AlluxioRuntimeSpec(Part):
    """How Alluxio shall run."""

    alluxio_version: VersionSpec | None = None
    master: AlluxioComponent | None = None
    job_master: AlluxioComponent | None = None
    worker: AlluxioComponent | None = None
    job_worker: AlluxioComponent | None = None
    api_gateway: AlluxioComponent | None = None
    init_users: InitUsers | None = None
    fuse: AlluxioFuse | None = None
    properties: dict[str, str] | None = None
    jvm_options: list[str] | None = None
    tieredstore: TieredStore | None = None
    data: DataReplication | None = None
    replicas: Int32 | None = None
    run_as: User | None = None
    disable_prometheus: bool | None = None
    hadoop_config: str | None = None
    volumes: list[KubernetesObject] | None = None
    pod_metadata: PodMetadata | None = None
    management: Management | None = None
    image_pull_secrets: list[KubernetesObject] | None = None


class AlluxioRuntime(Resource):
    """A dataset cached by Alluxio."""

    kind: Literal["AlluxioRuntime"] = "AlluxioRuntime"
    spec: AlluxioRuntimeSpec | None = None
    status: RuntimeStatus | None = None
