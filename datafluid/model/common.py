"""Parts that several kinds share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from datafluid.model.base import (
    QUANTITY_LIST_PATTERN,
    Int32,
    Int64,
    KubernetesObject,
    Part,
    Quantity,
    Timestamp,
)

__all__ = [
    "CleanCachePolicy",
    "Condition",
    "EncryptOption",
    "InitUsers",
    "Level",
    "Management",
    "MetadataSyncPolicy",
    "Mount",
    "PodMetadata",
    "RuntimeStatus",
    "SecretKeySelector",
    "TieredStore",
    "User",
    "ValueFrom",
    "VersionSpec",
]


class PodMetadata(Part):
    """Labels and annotations for pods."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class User(Part):
    """A user and group, by number and name; all four are needed."""

    uid: Int64
    gid: Int64
    user: str
    group: str


class SecretKeySelector(Part):
    """One key of a Secret."""

    name: str
    key: str | None = None


class ValueFrom(Part):
    """Where an encrypted option's value comes from."""

    secret_key_ref: SecretKeySelector | None = None


class EncryptOption(Part):
    """An option whose value is in a Secret."""

    name: str
    value_from: ValueFrom | None = None


class Mount(Part):
    """One place that a dataset's bytes come from."""

    mount_point: Annotated[str, Field(min_length=5)]
    name: Annotated[str, Field(min_length=0)] | None = None
    path: str | None = None
    options: dict[str, str] | None = None
    encrypt_options: list[EncryptOption] | None = None
    read_only: bool | None = None
    shared: bool | None = None


class VersionSpec(Part):
    """An image and its tag."""

    image: str | None = None
    image_tag: str | None = None
    image_pull_policy: str | None = None


class InitUsers(VersionSpec):
    """The container that creates users in pods."""

    env: dict[str, str] | None = None
    resources: KubernetesObject | None = None


class Level(Part):
    """One tier: a medium, its directories and its quota."""

    mediumtype: Literal["MEM", "SSD", "HDD"]
    volume_type: Literal["hostPath", "emptyDir"] | None = Field(None, json_schema_extra={"default": "hostPath"})
    volume_source: KubernetesObject | None = None
    path: Annotated[str, Field(min_length=1)] | None = None
    quota: Quantity | None = None
    quota_list: Annotated[str, Field(pattern=QUANTITY_LIST_PATTERN)] | None = None
    high: str | None = None
    low: str | None = None


class TieredStore(Part):
    """The tiers, the fastest first."""

    levels: list[Level] | None = None


class CleanCachePolicy(Part):
    """How patiently the cache is cleaned when a runtime goes."""

    grace_period_seconds: Int32 | None = Field(None, json_schema_extra={"default": 60})
    max_retry_attempts: Int32 | None = Field(None, json_schema_extra={"default": 3})


class MetadataSyncPolicy(Part):
    """Whether metadata is fetched from the under-store by itself."""

    auto_sync: bool | None = None


class Management(Part):
    """Housekeeping of a runtime."""

    clean_cache_policy: CleanCachePolicy | None = None
    metadata_sync_policy: MetadataSyncPolicy | None = None


class Condition(Part):
    """A condition of a runtime or an operation."""

    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_probe_time: Timestamp | None = None
    last_transition_time: Timestamp | None = None


class ApiGatewayStatus(Part):
    """Where a runtime's REST API is."""

    endpoint: str | None = None


class RuntimeStatus(Part):
    """The status that all runtimes but CacheRuntime have."""

    value_file: str
    master_phase: str
    worker_phase: str
    fuse_phase: str
    master_reason: str | None = None
    worker_reason: str | None = None
    fuse_reason: str | None = None
    desired_master_number_scheduled: Int32
    current_master_number_scheduled: Int32
    master_number_ready: Int32
    desired_worker_number_scheduled: Int32
    current_worker_number_scheduled: Int32
    worker_number_ready: Int32
    worker_number_available: Int32 | None = None
    worker_number_unavailable: Int32 | None = None
    desired_fuse_number_scheduled: Int32
    current_fuse_number_scheduled: Int32
    fuse_number_ready: Int32
    fuse_number_available: Int32 | None = None
    fuse_number_unavailable: Int32 | None = None
    setup_duration: str | None = None
    selector: str | None = None
    mount_time: Timestamp | None = None
    mounts: list[Mount] | None = None
    cache_states: dict[str, str] | None = None
    cache_affinity: KubernetesObject | None = None
    api_gateway: ApiGatewayStatus | None = None
    conditions: list[Condition] | None = None
