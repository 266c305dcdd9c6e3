"""Data operations: DataLoad, DataMigrate, DataBackup, DataProcess."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from datafluid.model.base import Int32, KubernetesObject, Part, Replicas, Resource, Timestamp
from datafluid.model.common import Condition, EncryptOption, PodMetadata, User, VersionSpec

__all__ = ["DataBackup", "DataLoad", "DataMigrate", "DataProcess"]

OperationKind = Literal["DataLoad", "DataBackup", "DataMigrate", "DataProcess"]
Policy = Literal["Once", "Cron", "OnEvent"]
_ONCE = Field(None, json_schema_extra={"default": "Once"})


class OperationReference(Part):
    """Another operation."""

    api_version: str | None = None
    kind: OperationKind
    name: str
    namespace: str | None = None


class AffinityPreference(Part):
    """A label to follow, if possible."""

    name: str
    weight: Int32


class AffinityRequirement(Part):
    """A label to follow."""

    name: str


class AffinityStrategy(Part):
    """Where to run with regard to the operation before."""

    depend_on: OperationReference | None = None
    policy: str | None = None
    prefers: list[AffinityPreference] | None = None
    requires: list[AffinityRequirement] | None = None


class RunAfter(OperationReference):
    """The operation that must be Complete first."""

    affinity_strategy: AffinityStrategy | None = None


class WaitingStatus(Part):
    """What an operation waits for."""

    operation_complete: bool | None = None


class OperationStatusFields(Part):
    """What a plane reports of an operation; `datafluid.model.status.OperationStatus` is its parsed form."""

    phase: str
    duration: str
    conditions: list[Condition]
    infos: dict[str, str] | None = None
    last_schedule_time: Timestamp | None = None
    last_successful_time: Timestamp | None = None
    waiting_for: WaitingStatus | None = None
    node_affinity: KubernetesObject | None = None


class Scheduled(Part):
    """When an operation runs."""

    policy: Policy | None = _ONCE
    schedule: str | None = None
    run_after: RunAfter | None = None
    ttl_seconds_after_finished: Int32 | None = None


class PodPlacement(Part):
    """Where an operation's pods run."""

    pod_metadata: PodMetadata | None = None
    affinity: KubernetesObject | None = None
    tolerations: list[KubernetesObject] | None = None
    node_selector: dict[str, str] | None = None
    scheduler_name: str | None = None
    resources: KubernetesObject | None = None


class TargetDataset(Part):
    """The dataset that an operation is about."""

    name: str
    namespace: str | None = None


class TargetPath(Part):
    """What to load, and into how many copies."""

    path: str
    replicas: Int32 | None = None


class DataLoadSpec(Scheduled, PodPlacement):
    """What to load."""

    dataset: TargetDataset | None = None
    load_metadata: bool | None = None
    target: list[TargetPath] | None = None
    options: dict[str, str] | None = None


class DataLoad(Resource):
    """Warming: fetch paths of a dataset into its cache, once or on a schedule."""

    kind: Literal["DataLoad"] = "DataLoad"
    spec: DataLoadSpec | None = None
    status: OperationStatusFields | None = None


class DatasetToMigrate(Part):
    """A dataset as the source or the target of a migration."""

    name: str
    namespace: str
    path: str | None = None


class ExternalStorage(Part):
    """A store that is no dataset."""

    uri: str
    encrypt_options: list[EncryptOption] | None = None


class DataToMigrate(Part):
    """One side of a migration: a dataset or an external store."""

    dataset: DatasetToMigrate | None = None
    external_storage: ExternalStorage | None = None


class DataMigrateSpec(Scheduled, PodPlacement, VersionSpec):
    """What to copy, from where, to where."""

    source: DataToMigrate = Field(alias="from")
    to: DataToMigrate
    block: bool | None = None
    runtime_type: str | None = None
    options: dict[str, str] | None = None
    parallelism: Replicas | None = Field(None, json_schema_extra={"default": 1})
    parallel_options: dict[str, str] | None = None


class DataMigrate(Resource):
    """Copying between datasets and external stores."""

    kind: Literal["DataMigrate"] = "DataMigrate"
    spec: DataMigrateSpec | None = None
    status: OperationStatusFields | None = None


class DataBackupSpec(Part):
    """What to back up, and where to."""

    dataset: str | None = None
    backup_path: str | None = None
    run_as: User | None = None
    run_after: RunAfter | None = None
    ttl_seconds_after_finished: Int32 | None = None


class DataBackup(Resource):
    """Backing up a runtime's metadata."""

    kind: Literal["DataBackup"] = "DataBackup"
    spec: DataBackupSpec | None = None
    status: OperationStatusFields | None = None


class DatasetWithMountPath(Part):
    """A dataset, mounted into a processor."""

    name: str
    namespace: str | None = None
    mount_path: str
    sub_path: str | None = None


class JobProcessor(Part):
    """A pod that processes."""

    pod_spec: KubernetesObject | None = None


class ScriptProcessor(VersionSpec):
    """A script that processes."""

    restart_policy: Literal["Never", "OnFailure"] | None = Field(None, json_schema_extra={"default": "Never"})
    command: list[str] | None = None
    source: str
    env: list[KubernetesObject] | None = None
    volumes: list[KubernetesObject] | None = None
    volume_mounts: list[KubernetesObject] | None = None
    resources: KubernetesObject | None = None


class Processor(Part):
    """What processes: a job or a script."""

    service_account_name: str | None = None
    pod_metadata: PodMetadata | None = None
    job: JobProcessor | None = None
    script: ScriptProcessor | None = None


class DataProcessSpec(Scheduled):
    """What to process, with what."""

    dataset: DatasetWithMountPath
    processor: Processor


class DataProcess(Resource):
    """Running a job over a dataset."""

    kind: Literal["DataProcess"] = "DataProcess"
    spec: DataProcessSpec | None = None
    status: OperationStatusFields | None = None
