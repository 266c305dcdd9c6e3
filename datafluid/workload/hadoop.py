"""What Hadoop's client needs to find the datasets of a workload at ``fluid://``: properties, and the file with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.model.plain import as_map, look
from datafluid.workload.alluxio import engine_uri, short_circuit
from datafluid.workload.draft import Draft
from datafluid.workload.hcfs import Link, core_site_xml, view_fs_properties
from datafluid.workload.places import ContainerPlace, PodPlace
from datafluid.workload.resolve import Resolved
from datafluid.workload.topology import Topology
from datafluid.workload.volumes import add_volume

__all__ = [
    "CONFIG_DIRECTORY",
    "CORE_SITE",
    "add_config_map",
    "core_site",
    "hadoop_properties",
    "mount_config",
    "mount_file_source",
]

CONFIG_DIRECTORY = "/etc/datafluid/hadoop"
CORE_SITE = f"{CONFIG_DIRECTORY}/core-site.xml"
_VOLUME = "fluid-hadoop"
_ALLUXIO = {
    "fs.alluxio.impl": "alluxio.hadoop.FileSystem",
    "fs.AbstractFileSystem.alluxio.impl": "alluxio.hadoop.AlluxioFileSystem",
}
_USER = "alluxio.user."


def hadoop_properties(draft: Draft, used: Iterable[Resolved], topology: Topology) -> dict[str, str]:
    """The properties for these uses, and the report of the way that each takes.

    Raises:
        Invalid: one dataset has two places.
    """
    reading = [each for each in used if each.use.api == "hcfs"]
    links = [_link(draft, each, topology) for each in reading]
    whole = {(link.namespace, link.dataset) for link in links if not link.path}
    properties = view_fs_properties(
        link for link in links if not link.path or (link.namespace, link.dataset) not in whole
    )
    engines = [each for each in reading if each.from_engine]
    return {**properties, **_client_keys(draft, engines, topology)} if engines else properties


def _link(draft: Draft, resolved: Resolved, topology: Topology) -> Link:
    uri = f"fluid://{resolved.dataset}"
    if resolved.from_engine:
        target = engine_uri(resolved, topology.cluster_domain)
        draft.tell(
            "done",
            f"{uri} leads to the engine, {target}; block locations are the nodes of its workers.",
            fix="It needs Alluxio's client jar (alluxio-shaded-client) on the class path; via=mount needs none.",
        )
        if resolved.without_engine is not None:
            draft.tell("warning", f"{uri}: {resolved.without_engine}.", fix="Say via=mount.")
        return Link(namespace=resolved.namespace, dataset=resolved.name, target=target)
    why = resolved.engine_obstacle if resolved.use.via != "mount" else "as asked"
    draft.tell(
        "done" if resolved.use.via != "engine" else "not done",
        f"{uri} leads to the mount, {resolved.mount_path}: {why}. Stock Hadoop jars do; all blocks count as local.",
    )
    return Link(
        namespace=resolved.namespace, dataset=resolved.name, target=resolved.mount_path, path=resolved.use.sub_path
    )


def _client_keys(draft: Draft, engines: Iterable[Resolved], topology: Topology) -> dict[str, str]:
    """Alluxio's: what its runtime says about clients, as far as all runtimes agree, and short-circuit."""
    said: dict[str, set[str]] = {}
    for each in engines:
        for key, value in as_map(look(each.physical.runtime if each.physical else {}, ("properties",))).items():
            if str(key).startswith(_USER):
                said.setdefault(str(key), set()).add(str(value))
    for key in sorted(key for key, values in said.items() if len(values) > 1):
        draft.tell("not done", f"{key} differs between the runtimes, and one client has one value; it is left out.")
    agreed = {key: min(values) for key, values in sorted(said.items()) if len(values) == 1}
    local = any(short_circuit(each, topology).directories for each in engines)
    return {**_ALLUXIO, **agreed, "alluxio.user.short.circuit.enabled": str(local).lower()}


def add_config_map(draft: Draft, name: str, namespace: str | None, data: Mapping[str, str], why: str) -> None:
    """Add a ConfigMap that goes with the workload."""
    why = f"the ConfigMap {name} goes with the workload: {why}"
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    draft.accompany({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(data)}, why)


def core_site(properties: Mapping[str, str]) -> dict[str, str]:
    """The data of a ConfigMap for ``HADOOP_CONF_DIR``."""
    return {"core-site.xml": core_site_xml(properties)}


def mount_config(draft: Draft, place: PodPlace, container: ContainerPlace, config_map: str) -> bool:
    """Mount the ConfigMap in a container; False when something of yours is in its way."""
    return mount_file_source(draft, place, container, _VOLUME, config_map, {"mountPath": CONFIG_DIRECTORY})


def mount_file_source(
    draft: Draft, place: PodPlace, container: ContainerPlace, name: str, config_map: str, mount: Mapping[str, Any]
) -> bool:
    """Add a volume with configuration and mount it, read-only, in a container.

    Args:
        name: What to call the volume.
        config_map: The ConfigMap with the configuration.
        mount: Where it is mounted, and what of it.
    """
    what = "the configuration of Hadoop's client."
    volume = add_volume(draft, place, name, {"configMap": {"name": config_map}}, what)
    whole = {"name": volume, **mount, "readOnly": True}
    return draft.add(container.at(container.shape.mounts), whole, what, key="mountPath", complete=True)
