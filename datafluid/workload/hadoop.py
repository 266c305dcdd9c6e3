"""What Hadoop's client needs to find the datasets of a workload at ``fluid://``: properties, and the file with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.workload import alluxio, jindo
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
    return {
        **properties,
        **alluxio.client_keys(draft, [each for each in reading if each.engine == "alluxio"], topology),
        **jindo.client_keys(draft, [each for each in reading if each.engine == "jindo"], topology.cluster_domain),
    }


def _link(draft: Draft, resolved: Resolved, topology: Topology) -> Link:
    uri = f"fluid://{resolved.dataset}"
    if resolved.engine is not None and resolved.physical is not None:
        below = resolved.facts.physical[2] if resolved.facts and resolved.facts.physical else ""
        own = alluxio if resolved.engine == "alluxio" else jindo
        target = own.engine_uri(resolved.physical, below, topology.cluster_domain)
        _tell_of_engine(draft, resolved, uri, target)
        return Link(namespace=resolved.namespace, dataset=resolved.name, target=target)
    why = resolved.engine_obstacle if resolved.use.via != "mount" else "as asked"
    draft.tell(
        "done" if resolved.use.via != "engine" else "not done",
        f"{uri} leads to the mount, {resolved.mount_path}: {why}. Stock Hadoop jars do; all blocks count as local.",
    )
    return Link(
        namespace=resolved.namespace, dataset=resolved.name, target=resolved.mount_path, path=resolved.use.sub_path
    )


def _tell_of_engine(draft: Draft, resolved: Resolved, uri: str, target: str) -> None:
    leads = f"{uri} leads to the engine, {target}"
    if resolved.physical is not None and not resolved.physical.runtime and resolved.physical.masters == 1:
        draft.tell(
            "warning",
            f"{uri}: its runtime is not known, so one master is assumed, and no settings of its client.",
            fix="Wrap where the runtime may be read, or give a topology that has it.",
        )
    if resolved.engine == "jindo":
        draft.tell("done", f"{leads}; block locations and local reads are its client's own affair.", fix=jindo.NEEDS)
        return
    draft.tell("done", f"{leads}; block locations are the nodes of its workers.", fix=alluxio.NEEDS)
    if resolved.without_engine is not None:
        draft.tell("warning", f"{uri}: {resolved.without_engine}.", fix="Say via=mount.")


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
