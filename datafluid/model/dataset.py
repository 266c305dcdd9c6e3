"""The Dataset kind."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from datafluid.model.base import Int32, KubernetesObject, Part, Resource, Timestamp
from datafluid.model.common import EncryptOption, Mount, User

__all__ = ["Dataset", "DatasetSpec", "DatasetStatusFields"]


class DataRestoreLocation(Part):
    """Where a DataBackup left what a new dataset starts from."""

    path: str | None = None
    node_name: str | None = None


class CacheableNodeAffinity(Part):
    """The nodes that may hold cache: a NodeSelector."""

    required: KubernetesObject | None = None


class BoundRuntimeFields(Part):
    """A runtime that a dataset is bound to."""

    name: str | None = None
    namespace: str | None = None
    category: str | None = None
    type: str | None = None
    master_replicas: Int32 | None = None


class DatasetSpec(Part):
    """What a dataset is."""

    mounts: Annotated[list[Mount], Field(min_length=1)] | None = None
    owner: User | None = None
    node_affinity: CacheableNodeAffinity | None = None
    tolerations: list[KubernetesObject] | None = None
    access_modes: list[str] | None = None
    runtimes: list[BoundRuntimeFields] | None = None
    placement: Literal["Exclusive", "", "Shared"] | None = None
    data_restore_location: DataRestoreLocation | None = None
    shared_options: dict[str, str] | None = None
    shared_encrypt_options: list[EncryptOption] | None = None


class HCFSStatus(Part):
    """Where Hadoop clients find the dataset."""

    endpoint: str | None = None
    underlayer_file_system_version: str | None = None


class DatasetCondition(Part):
    """A condition of a dataset."""

    type: str
    status: str
    reason: str | None = None
    message: str | None = None
    last_update_time: Timestamp | None = None
    last_transition_time: Timestamp | None = None


class DatasetStatusFields(Part):
    """What a plane reports of a dataset; `datafluid.model.status.DatasetStatus` is its parsed form."""

    phase: str | None = None
    ufs_total: str | None = None
    file_num: str | None = None
    cache_states: dict[str, str] | None = None
    hcfs: HCFSStatus | None = None
    runtimes: list[BoundRuntimeFields] | None = None
    mounts: list[Mount] | None = None
    conditions: list[DatasetCondition]
    operation_ref: dict[str, str] | None = None
    dataset_ref: list[str] | None = None
    data_load_ref: str | None = None
    data_backup_ref: str | None = None


class Dataset(Resource):
    """A name for data that lives somewhere else.

    Example:
        >>> dataset = Dataset(metadata={"name": "a"}, spec={"mounts": [{"mountPoint": "s3://bucket"}]})
        >>> dataset.spec.mounts[0].mount_point
        's3://bucket'
    """

    kind: Literal["Dataset"] = "Dataset"
    spec: DatasetSpec | None = None
    status: DatasetStatusFields | None = None
