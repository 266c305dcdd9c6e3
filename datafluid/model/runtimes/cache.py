"""CacheRuntime and CacheRuntimeClass: engines that are described rather than built in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from datafluid.model.base import Int32, KubernetesObject, Part, Quantity, Resource, Timestamp
from datafluid.model.common import Condition, PodMetadata, VersionSpec

__all__ = ["CacheRuntime", "CacheRuntimeClass"]

_ReplicasOrNone = Annotated[int, Field(ge=0, lt=2**31, json_schema_extra={"format": "int32"})]
_ATOMIC = {"x-kubernetes-list-type": "atomic"}


class ProcessMemory(Part):
    """Cache in the memory of the process."""

    quota: Quantity


class EmptyDirTier(Part):
    """Cache in an emptyDir."""

    medium: str | None = None
    quota: Quantity


class HostPathTier(Part):
    """Cache in directories of the node, each with its quota."""

    paths: Annotated[list[str], Field(min_length=1)]
    quotas: Annotated[list[Quantity], Field(min_length=1)]
    type: str | None = None


class CacheLevel(Part):
    """One tier."""

    process_memory: ProcessMemory | None = None
    empty_dir: EmptyDirTier | None = None
    host_path: HostPathTier | None = None
    high: str | None = None
    low: str | None = None


class CacheTieredStore(Part):
    """The tiers; spelled tieredStore here and tieredstore everywhere else."""

    levels: list[CacheLevel] | None = None


class CacheProcess(Part):
    """What every process takes."""

    disabled: bool | None = None
    runtime_version: VersionSpec | None = None
    options: dict[str, str] | None = None
    pod_metadata: PodMetadata | None = None
    args: Annotated[list[str], Field(json_schema_extra=_ATOMIC)] | None = None
    env: list[KubernetesObject] | None = None
    volume_mounts: list[KubernetesObject] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = Field(None, json_schema_extra={"x-kubernetes-map-type": "atomic"})
    tolerations: list[KubernetesObject] | None = None


class CacheMaster(CacheProcess):
    """The master."""

    replicas: _ReplicasOrNone | None = Field(None, json_schema_extra={"default": 1})


class CacheWorker(CacheMaster):
    """The workers."""

    tiered_store: CacheTieredStore | None = None


class CacheClient(CacheProcess):
    """The client."""

    tiered_store: CacheTieredStore | None = None
    clean_policy: Literal["OnRuntimeDeleted", "OnDemand"] | None = Field(
        None, json_schema_extra={"default": "OnRuntimeDeleted"}
    )


class CacheRuntimeSpec(Part):
    """How the engine of a class shall run."""

    runtime_class_name: str
    master: CacheMaster | None = None
    worker: CacheWorker | None = None
    client: CacheClient | None = None
    options: dict[str, str] | None = None
    pod_metadata: PodMetadata | None = None
    image_pull_secrets: list[KubernetesObject] | None = None
    volumes: list[KubernetesObject] | None = None


class ComponentStatus(Part):
    """A component's state."""

    phase: str
    reason: str | None = None
    message: str | None = None
    desired_replicas: Int32 | None = None
    current_replicas: Int32 | None = None
    available_replicas: Int32 | None = None
    unavailable_replicas: Int32 | None = None
    ready_replicas: Int32 | None = None


class CacheRuntimeStatus(Part):
    """What a plane reports."""

    value_file: str | None = None
    master: ComponentStatus | None = None
    worker: ComponentStatus | None = None
    client: ComponentStatus | None = None
    setup_duration: str | None = None
    conditions: (
        Annotated[
            list[Condition],
            Field(json_schema_extra={"x-kubernetes-list-map-keys": ["type"], "x-kubernetes-list-type": "map"}),
        ]
        | None
    ) = None
    cache_affinity: KubernetesObject | None = None
    mount_time: Timestamp | None = None
    selector: str | None = None


class CacheRuntime(Resource):
    """A dataset cached by the engine of a CacheRuntimeClass."""

    kind: Literal["CacheRuntime"] = "CacheRuntime"
    spec: CacheRuntimeSpec | None = None
    status: CacheRuntimeStatus | None = None


class ConfigMapMount(Part):
    """A ConfigMap and where it is mounted."""

    name: str | None = None
    mount_path: str | None = None


class ComponentConfigMaps(Part):
    """The ConfigMaps of a component."""

    config_maps: list[ConfigMapMount] | None = None


class SecretMountDependency(Part):
    """Whether secrets are mounted."""

    enabled: bool | None = None


class ComponentDependencies(Part):
    """What a component needs beside its pod."""

    extra_resources: ComponentConfigMaps | None = None
    secret_mount: SecretMountDependency | None = None


class ExecutionEntry(Part):
    """A command in the component's container."""

    command: list[str]
    timeout: Int32 | None = None


class ExecutionEntries(Part):
    """The commands by which Fluid drives the engine."""

    mount_ufs: ExecutionEntry | None = Field(None, alias="mountUFS")
    report_summary: ExecutionEntry | None = None


class ComponentService(Part):
    """The service of a component."""

    headless: KubernetesObject | None = None


class ComponentDefinition(Part):
    """A component of the engine."""

    options: dict[str, str] | None = None
    template: KubernetesObject | None = None
    service: ComponentService | None = None
    dependencies: ComponentDependencies | None = None
    execution_entries: ExecutionEntries | None = None


class Topology(Part):
    """The engine's components."""

    master: ComponentDefinition | None = None
    worker: ComponentDefinition | None = None
    client: ComponentDefinition | None = None


class ConfigMapDefinition(Part):
    """A ConfigMap that the class brings along."""

    name: str | None = None
    data: dict[str, str] | None = None


class ExtraResources(Part):
    """What the class brings along."""

    config_maps: list[ConfigMapDefinition] | None = None


class DataOperationSpec(Part):
    """How the engine does a data operation."""

    name: Literal["DataLoad", "DataBackup", "DataMigrate", "DataProcess"]
    image: str | None = None
    command: list[str] | None = None
    args: list[str] | None = None


class CacheRuntimeClass(Resource):
    """An engine, described; cluster-scoped. Its fields are at the top level: it has no spec."""

    kind: Literal["CacheRuntimeClass"] = "CacheRuntimeClass"
    file_system_type: str
    topology: Topology | None = None
    extra_resources: ExtraResources | None = None
    data_operation_specs: list[DataOperationSpec] | None = None
