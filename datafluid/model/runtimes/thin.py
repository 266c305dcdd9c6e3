"""ThinRuntime and ThinRuntimeProfile: any storage system that has a FUSE client."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from datafluid.model.base import Int32, KubernetesObject, NetworkMode, Part, Replicas, Resource
from datafluid.model.common import Management, PodMetadata, RuntimeStatus, TieredStore, User, VersionSpec

__all__ = ["ThinRuntime", "ThinRuntimeProfile"]


class ThinProcess(VersionSpec):
    """What the worker and the FUSE client take."""

    image_pull_secrets: list[KubernetesObject] | None = None
    ports: list[KubernetesObject] | None = None
    env: list[KubernetesObject] | None = None
    resources: KubernetesObject | None = None
    node_selector: dict[str, str] | None = None
    network_mode: NetworkMode | None = None
    volume_mounts: list[KubernetesObject] | None = None
    liveness_probe: KubernetesObject | None = None
    readiness_probe: KubernetesObject | None = None


class ThinWorker(ThinProcess):
    """A worker."""

    replicas: Replicas | None = None
    enabled: bool | None = None


class ThinFuse(ThinProcess):
    """The FUSE client."""

    command: list[str] | None = None
    args: list[str] | None = None
    options: dict[str, str] | None = None
    clean_policy: str | None = None
    pod_metadata: PodMetadata | None = None
    lifecycle: KubernetesObject | None = None


class ThinRuntimeSpec(Part):
    """How it shall run; a profile gives the defaults."""

    profile_name: str | None = None
    worker: ThinWorker | None = None
    fuse: ThinFuse | None = None
    tieredstore: TieredStore | None = None
    replicas: Int32 | None = None
    run_as: User | None = None
    disable_prometheus: bool | None = None
    volumes: list[KubernetesObject] | None = None
    management: Management | None = None
    image_pull_secrets: list[KubernetesObject] | None = None


class ThinRuntime(Resource):
    """A dataset reached through a FUSE client; also what Fluid makes for a reference dataset."""

    kind: Literal["ThinRuntime"] = "ThinRuntime"
    spec: ThinRuntimeSpec | None = None
    status: RuntimeStatus | None = None


class ThinRuntimeProfileSpec(Part):
    """The defaults of a storage system."""

    file_system_type: str
    image_pull_secrets: list[KubernetesObject] | None = None
    worker: ThinWorker | None = None
    fuse: ThinFuse | None = None
    volumes: list[KubernetesObject] | None = None
    node_publish_secret_policy: (
        Literal[
            "NotMountNodePublishSecret", "MountNodePublishSecretIfExists", "CopyNodePublishSecretAndMountIfNotExists"
        ]
        | None
    ) = Field(None, json_schema_extra={"default": "MountNodePublishSecretIfExists"})


class ThinRuntimeProfile(Resource):
    """A profile for ThinRuntimes; cluster-scoped."""

    kind: Literal["ThinRuntimeProfile"] = "ThinRuntimeProfile"
    spec: ThinRuntimeProfileSpec | None = None
    status: KubernetesObject | None = None
