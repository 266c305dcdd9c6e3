"""VineyardRuntime."""

from __future__ import annotations

from typing import Literal

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import EncryptOption, PodMetadata, RuntimeStatus, TieredStore, VersionSpec

__all__ = ["VineyardRuntime"]


class VineyardProcess(VersionSpec):
    """What every Vineyard process takes."""

    options: dict[str, str] | None = None
    env: dict[str, str] | None = None
    resources: KubernetesObject | None = None
    network_mode: NetworkMode | None = None
    pod_metadata: PodMetadata | None = None


class VineyardComponent(VineyardProcess):
    """A worker."""

    replicas: Replicas | None = None
    ports: dict[str, int] | None = None
    node_selector: dict[str, str] | None = None
    volume_mounts: list[KubernetesObject] | None = None


class ExternalEndpoint(Part):
    """An etcd that is there already."""

    uri: str | None = None
    options: dict[str, str] | None = None
    encrypt_options: list[EncryptOption] | None = None


class VineyardMaster(VineyardComponent):
    """The master, or where to find one."""

    endpoint: ExternalEndpoint | None = None


class VineyardFuse(VineyardProcess):
    """The client."""

    clean_policy: str | None = None


class VineyardRuntimeSpec(Part):
    """How Vineyard shall run."""

    master: VineyardMaster | None = None
    worker: VineyardComponent | None = None
    fuse: VineyardFuse | None = None
    replicas: Int32 | None = None
    tieredstore: TieredStore | None = None
    disable_prometheus: bool | None = None
    pod_metadata: PodMetadata | None = None
    volumes: list[KubernetesObject] | None = None


class VineyardRuntime(Resource):
    """Objects shared through Vineyard."""

    kind: Literal["VineyardRuntime"] = "VineyardRuntime"
    spec: VineyardRuntimeSpec | None = None
    status: RuntimeStatus | None = None
