"""JuiceFSRuntime."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import InitUsers, Management, PodMetadata, RuntimeStatus, TieredStore, User, VersionSpec

__all__ = ["JuiceFSRuntime"]


class JuiceFSProcess(Part):
    """What every JuiceFS process takes. ``env`` is a list here, as in a container."""

    options: dict[str, str] | None = None
    env: list[KubernetesObject] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = None
    network_mode: NetworkMode | None = None
    volume_mounts: list[KubernetesObject] | None = None
    pod_metadata: PodMetadata | None = None


class JuiceFSComponent(JuiceFSProcess):
    """A master, worker or job worker."""

    replicas: Replicas | None = None
    ports: list[KubernetesObject] | None = None
    enabled: bool | None = None


class JuiceFSFuse(JuiceFSProcess, VersionSpec):
    """The FUSE client."""

    clean_policy: str | None = None


class JuiceFSRuntimeSpec(Part):
    """How JuiceFS shall run."""

    juicefs_version: VersionSpec | None = None
    init_users: InitUsers | None = None
    master: JuiceFSComponent | None = None
    worker: JuiceFSComponent | None = None
    job_worker: JuiceFSComponent | None = None
    fuse: JuiceFSFuse | None = None
    tieredstore: TieredStore | None = None
    configs: list[str] | None = None
    replicas: Int32 | None = None
    run_as: User | None = None
    disable_prometheus: bool | None = None
    volumes: list[KubernetesObject] | None = None
    volume_claim_templates: list[KubernetesObject] | None = Field(
        None, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    pod_metadata: PodMetadata | None = None
    management: Management | None = None


class JuiceFSRuntime(Resource):
    """A dataset cached by JuiceFS."""

    kind: Literal["JuiceFSRuntime"] = "JuiceFSRuntime"
    spec: JuiceFSRuntimeSpec | None = None
    status: RuntimeStatus | None = None
