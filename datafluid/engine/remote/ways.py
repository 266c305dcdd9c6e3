"""Which ways lead from here to the bytes of a dataset on a cluster; pure.

Each is a `Way`: mounts that the under-stores know how to open, or the reason why there are none. A reference dataset
goes the ways of its physical dataset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from datafluid.engine.binding import Binding, MountBinding
from datafluid.engine.mounted import Route
from datafluid.engine.reconcile.mounts import bind_mounts, origin_of
from datafluid.model.kinds import RUNTIMES_BY_TYPE
from datafluid.model.ref import Ref
from datafluid.model.relations import physical_refs
from datafluid.redaction import redact_url

__all__ = ["GATEWAY", "Dataset", "Way", "runtimes_of", "ways"]

#: An annotation of a Dataset: where a JuiceFS S3 gateway serves it, ``http://host:port/bucket``. Fluid starts none.
GATEWAY = "datafluid.io/s3-gateway"

_UNREACHABLE = {
    "local": "is a directory of the cluster's nodes",
    "pvc": "is a volume claim of the cluster",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way.

    Args:
        route: What the filesystem calls it.
        mounts: What to open; empty when it cannot be gone.
        why: What it is; or, without mounts, why it cannot be gone.
    """

    route: Route
    mounts: tuple[MountBinding, ...] = ()
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What is known of a dataset on a cluster.

    Args:
        manifest: The Dataset.
        runtime: Its runtime; None where there is none, or it may not be read.
        physical: The datasets that it refers to, by namespace and name.
    """

    manifest: Mapping[str, Any]
    runtime: Mapping[str, Any] | None = None
    physical: Mapping[tuple[str, str], Dataset]


def ways(dataset: Dataset, *, libhdfs: bool) -> tuple[Way, ...]:
    """All ways, in the order in which they are tried.

    Args:
        libhdfs: Whether Hadoop's native client can be loaded here.
    """
    if physical_refs(dataset.manifest):
        found = {key: ways(each, libhdfs=libhdfs) for key, each in dataset.physical.items()}
        return tuple(_referred(dataset, [each[number] for each in found.values()], tuple(found)) for number in range(3))
    return _engine(dataset), _hcfs(dataset, libhdfs=libhdfs), _direct(dataset)


def _referred(dataset: Dataset, each: list[Way], keys: tuple[tuple[str, str], ...]) -> Way:
    """The same way of all physical datasets, looked at from the directory that is referred to."""
    missing = next((way for way in each if not way.mounts), None)
    if missing is not None:
        return missing
    physical = {
        key: Binding(namespace=key[0], name=key[1], uid="", mounts=way.mounts, tiers=())
        for key, way in zip(keys, each, strict=True)
    }
    why = f"{each[0].why}, of {' and '.join('/'.join(key) for key in keys)}"
    return replace(each[0], mounts=bind_mounts(dataset.manifest, physical), why=why)


def _engine(dataset: Dataset) -> Way:
    kind = next((ref.kind for ref in runtimes_of(dataset.manifest)), None)
    if kind == "AlluxioRuntime":
        if dataset.runtime is None:
            return Way(route="engine", why="its AlluxioRuntime cannot be read")
        endpoint = ((dataset.runtime.get("status") or {}).get("apiGateway") or {}).get("endpoint")
        if not endpoint:
            return Way(route="engine", why="its AlluxioRuntime has no spec.apiGateway.enabled: true")
        mount = _whole(dataset, f"alluxio+http://{endpoint}/", "engine")
        return Way(route="engine", mounts=(mount,), why=f"Alluxio's REST proxy at {endpoint}")
    if kind == "JuiceFSRuntime":
        gateway = (dataset.manifest["metadata"].get("annotations") or {}).get(GATEWAY)
        if not gateway:
            return Way(route="engine", why=f"no annotation {GATEWAY} says where a JuiceFS gateway serves it")
        parts = urlsplit(gateway)
        bucket = parts.path.strip("/")
        if parts.scheme not in ("http", "https") or not bucket or "@" in parts.netloc:
            return Way(route="engine", why=f"annotation {GATEWAY} is not http://host:port/bucket, and nothing else")
        mount = _whole(dataset, f"s3://{bucket}", "engine")
        options = (("endpoint", f"{parts.scheme}://{parts.netloc}"), ("path_style", "true"))
        return Way(
            route="engine", mounts=(replace(mount, options=options),), why=f"the JuiceFS S3 gateway at {parts.netloc}"
        )
    return Way(route="engine", why=f"a {kind} has no interface for clients outside" if kind else "it has no runtime")


def _hcfs(dataset: Dataset, *, libhdfs: bool) -> Way:
    endpoint = ((dataset.manifest.get("status") or {}).get("hcfs") or {}).get("endpoint") or ""
    if "://" not in endpoint:
        return Way(route="hcfs", why="its status has no hcfs.endpoint with a scheme")
    if not libhdfs:
        return Way(route="hcfs", why="libhdfs is not here: set HADOOP_HOME or ARROW_LIBHDFS_DIR, and CLASSPATH")
    return Way(route="hcfs", mounts=(_whole(dataset, f"hcfs+{endpoint}/", "hcfs"),), why=f"libhdfs to {endpoint}")


def _direct(dataset: Dataset) -> Way:
    for mount in dataset.manifest["spec"].get("mounts") or ():
        scheme = mount["mountPoint"].partition("://")[0]
        if scheme in _UNREACHABLE:
            return Way(route="direct", why=f"{mount['mountPoint']} {_UNREACHABLE[scheme]}")
    mounts = tuple(bind_mounts(dataset.manifest, {}))
    names = ", ".join(redact_url(mount.url) for mount in mounts)
    return Way(route="direct", mounts=mounts, why=f"the under-store, {names}" if mounts else "it has no mounts")


def _whole(dataset: Dataset, url: str, route: str) -> MountBinding:
    """The dataset as one mount: engines show the mounts below each other as a mounted volume does."""
    manifest = dataset.manifest
    origin = origin_of(manifest, route, manifest["spec"].get("mounts") or ())
    return MountBinding(path="", url=url, origin=origin, namespace=manifest["metadata"]["namespace"])


def runtimes_of(manifest: Mapping[str, Any]) -> Iterator[Ref]:
    """The runtimes that a dataset is bound to, the one that serves it first."""
    for runtime in (manifest.get("status") or {}).get("runtimes") or ():
        if kind := RUNTIMES_BY_TYPE.get(runtime.get("type")):
            yield Ref(kind.kind, runtime["name"], runtime.get("namespace") or manifest["metadata"]["namespace"])
