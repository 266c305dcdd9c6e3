"""Alluxio's Hadoop client in a pod: where its masters are, how it knows its node, and which files it may open itself.

A client reads a block's file itself (short-circuit) when a worker on its node has it and the worker's directory
is mounted at the same path. It takes a worker for its node's when both call themselves by the same address:
workers say the node's IP (``status.hostIP``), in the host network and in the container network alike, so a client
must say it too, and not its pod's IP.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from datafluid.model.plain import as_map, look
from datafluid.workload.agreement import agreed
from datafluid.workload.draft import Draft
from datafluid.workload.facts import DatasetFacts
from datafluid.workload.places import ContainerPlace, PodPlace
from datafluid.workload.posix import add_variable
from datafluid.workload.resolve import Resolved, stand_in
from datafluid.workload.topology import Topology
from datafluid.workload.volumes import add_volume, volume_name

__all__ = [
    "NEEDS",
    "ShortCircuit",
    "add_client",
    "add_directories",
    "client_config_name",
    "client_keys",
    "client_settings",
    "engine_uri",
    "mend_dns",
    "short_circuit",
]

#: What the pod needs beside the keys.
NEEDS = "It needs Alluxio's client jar (alluxio-shaded-client) on the class path; via=mount needs none."
_CLASSES = {
    "fs.alluxio.impl": "alluxio.hadoop.FileSystem",
    "fs.AbstractFileSystem.alluxio.impl": "alluxio.hadoop.AlluxioFileSystem",
}
_HOSTNAME = "ALLUXIO_CLIENT_HOSTNAME"
_OPTIONS = "ALLUXIO_JAVA_OPTS"
_OF_CLIENTS = ("-Dalluxio.user.", "-Dalluxio.master.hostname=", "-Dalluxio.master.rpc.")
#: Kubernetes puts the variable's value in its place; every JVM reads JAVA_TOOL_OPTIONS.
_JAVA = f"-Dalluxio.user.hostname=$({_HOSTNAME})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortCircuit:
    """Whether a client can open the blocks of its node itself.

    Args:
        directories: The workers' directories on their nodes; empty when it cannot.
        obstacle: Why it cannot, one sentence; empty when it can.
    """

    directories: tuple[str, ...] = ()
    obstacle: str = ""


def engine_uri(facts: DatasetFacts, path: str, domain: str) -> str:
    """The root of a dataset for Alluxio's client: all its masters, by their full names.

    Example:
        >>> facts = DatasetFacts(namespace="team", name="a", runtime_type="alluxio", masters=2, endpoint="alluxio://a:9")
        >>> engine_uri(facts, "", "cluster.local")
        'alluxio://a-master-0.team.svc.cluster.local:9,a-master-1.team.svc.cluster.local:9/'
    """
    masters = ",".join(f"{host}:{facts.master_port}" for host in facts.master_hosts(domain))
    return f"alluxio://{masters}/{quote(path)}"


def client_keys(draft: Draft, used: Sequence[Resolved], topology: Topology) -> dict[str, str]:
    """The classes, what the runtimes say about clients as far as all agree, and short-circuit."""
    if not used:
        return {}
    said = [as_map(look(each.physical.runtime if each.physical else {}, ("properties",))) for each in used]
    local = any(short_circuit(each, topology).directories for each in used)
    own = agreed(draft, said, prefix="alluxio.user.")
    return {**_CLASSES, **own, "alluxio.user.short.circuit.enabled": str(local).lower()}


def short_circuit(resolved: Resolved, topology: Topology) -> ShortCircuit:
    """Whether the pods of a use can read the blocks of their node without the worker."""
    facts = resolved.physical
    tiers = facts.tiers if facts else ()
    if not tiers:
        return ShortCircuit(obstacle="the directories of its tiers are not known.")
    if not all(tier.on_host for tier in tiers):
        return ShortCircuit(obstacle="a tier of it is an emptyDir, which no other pod can open.")
    if level := topology.refuses_host_path(resolved.home):
        return ShortCircuit(
            obstacle=f"namespace {resolved.home} enforces the Pod Security level {level}, which refuses hostPath."
        )
    namespace, name = resolved.holder
    return ShortCircuit(directories=tuple(f"{tier.path}/{namespace}/{name}" for tier in tiers))


def add_directories(
    draft: Draft, place: PodPlace, containers: Iterable[ContainerPlace], resolved: Resolved, topology: Topology
) -> None:
    """Mount the workers' directories at their own paths, so that the client may open blocks there.

    Never with ``type: Directory``: on a node without a worker it would keep the pod from starting.
    """
    found = short_circuit(resolved, topology)
    if found.obstacle:
        draft.tell("not done", f"short-circuit of {resolved.dataset}: {found.obstacle}", path=place.path)
        return
    if resolved.home not in topology.pod_security:
        draft.tell(
            "note",
            f"short-circuit uses hostPath; no Pod Security level of namespace {resolved.home} is known to refuse it.",
        )
    why = f"the workers' directory of {resolved.dataset}: blocks of the pod's node are read without the worker."
    for number, directory in enumerate(found.directories):
        source = {"hostPath": {"path": directory, "type": "DirectoryOrCreate"}}
        name = add_volume(draft, place, volume_name("fluid", "cache", resolved.name, str(number)), source, why)
        mount: dict[str, Any] = {"name": name, "mountPath": directory}
        if resolved.read_only:
            mount["readOnly"] = True
        for container in containers:
            draft.add(container.at(container.shape.mounts), mount, why, key="mountPath", complete=True)


def client_config_name(resolved: Resolved) -> str:
    """The ConfigMap with the client's settings in the workload's namespace: Fluid's own, or a copy."""
    namespace, name = resolved.holder
    return f"{name}-config" if namespace == resolved.home else stand_in(f"{name}-config", namespace)


def client_settings(config: Mapping[str, str]) -> dict[str, str]:
    """What of Fluid's ``<name>-config`` a client needs: it also holds the masters' and workers' settings, and keys.

    Example:
        >>> client_settings({"ALLUXIO_JAVA_OPTS": "-Dalluxio.user.x=1 -Daws.secretKey=k", "OTHER": "-Xmx1g"})
        {'ALLUXIO_JAVA_OPTS': '-Dalluxio.user.x=1'}
    """
    options = config.get(_OPTIONS, "").split()
    return {_OPTIONS: " ".join(option for option in options if option.startswith(_OF_CLIENTS))}


def add_client(draft: Draft, container: ContainerPlace, used: Iterable[Resolved]) -> None:
    """Give a container the client's settings, and its node's address by which workers are found to be local."""
    names = sorted({client_config_name(each) for each in used})
    if container.shape.env_from is None:
        draft.tell("not done", f"the settings of {', '.join(names)} cannot be read here.", path=container.path)
    else:
        for name in names:
            reference = {"configMapRef": {"name": name}}
            draft.append(container.at(container.shape.env_from), reference, "the settings of Alluxio's client.")
    why = "a worker of the pod's node is known by the node's IP."
    hostname: Mapping[str, Any] = {"fieldRef": {"fieldPath": "status.hostIP"}}
    if add_variable(draft, container, {"name": _HOSTNAME, "valueFrom": hostname}, why):
        _add_java_option(draft, container, why)


def mend_dns(draft: Draft, place: PodPlace) -> None:
    """A pod in the host network asks the node's resolver, which knows no Service, unless it is told otherwise."""
    shape = place.template.shape
    if shape.spec is None or shape.dns is None:
        return
    if draft.look(place.at((*shape.spec, "hostNetwork"))) is True:
        draft.put(
            place.at(shape.dns),
            "ClusterFirstWithHostNet",
            "in the host network the engine's masters are found by name only with it.",
        )


def _add_java_option(draft: Draft, container: ContainerPlace, why: str) -> None:
    path = container.at(container.shape.env or ())
    variables = [as_map(each) for each in draft.look(path) or ()]
    yours = [each for each in variables if each.get("name") == "JAVA_TOOL_OPTIONS"]
    if yours and _JAVA in str(yours[0].get("value")):
        names = [each.get("name") for each in variables]
        if names.index("JAVA_TOOL_OPTIONS") < names.index(_HOSTNAME):
            draft.tell(
                "not done",
                f"your JAVA_TOOL_OPTIONS stands before {_HOSTNAME}, so Kubernetes does not put its value in.",
                path=path,
                fix=f"Write {_HOSTNAME} before it: {{fieldRef: {{fieldPath: status.hostIP}}}}.",
            )
        return
    if yours:
        draft.tell(
            "not done",
            "you set JAVA_TOOL_OPTIONS, so the client does not learn its node, and no worker is local to it.",
            path=path,
            fix=f"Add to it: {_JAVA}\nand before it the variable {_HOSTNAME}, valueFrom status.hostIP.",
        )
        return
    add_variable(draft, container, {"name": "JAVA_TOOL_OPTIONS", "value": _JAVA}, why)
