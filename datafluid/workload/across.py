"""Datasets of other namespaces: claims and ConfigMaps stay in theirs, so a stand-in goes with the workload."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datafluid.model.kinds import API_VERSION
from datafluid.workload.alluxio import client_config_name, client_settings
from datafluid.workload.draft import Draft
from datafluid.workload.hadoop import add_config_map
from datafluid.workload.resolve import Resolved
from datafluid.workload.topology import Topology

__all__ = ["add_references"]


def add_references(draft: Draft, used: Iterable[Resolved], topology: Topology, namespace: str | None) -> None:
    """Add the reference datasets and the copied client settings.

    Args:
        namespace: The workload's; None when whoever applies it chooses.
    """
    for each in used:
        if each.is_foreign and each.needs_mount:
            _add_reference(draft, each, topology, namespace)
        if each.engine == "alluxio" and each.holder[0] != each.home:
            _copy_client_config(draft, each, namespace)


def _add_reference(draft: Draft, resolved: Resolved, topology: Topology, namespace: str | None) -> None:
    if topology.facts(resolved.home, resolved.claim) is not None:
        draft.tell("note", f"{resolved.dataset} is mounted through the reference {resolved.home}/{resolved.claim}.")
        return
    path = resolved.facts.physical[2] if resolved.facts and resolved.facts.physical else ""
    point = "dataset://" + "/".join(part for part in (*resolved.holder, path) if part)
    spec: dict[str, Any] = {"mounts": [{"mountPoint": point}]}
    if resolved.facts is not None and resolved.facts.access_modes is not None:
        spec["accessModes"] = list(resolved.facts.access_modes)
    metadata = {"name": resolved.claim, **({"namespace": namespace} if namespace else {})}
    draft.accompany(
        {"apiVersion": API_VERSION, "kind": "Dataset", "metadata": metadata, "spec": spec},
        f"a Dataset {resolved.claim} beside the workload refers to {resolved.dataset}: claims do not cross namespaces."
        f" Its URI stays fluid://{resolved.dataset}.",
    )


def _copy_client_config(draft: Draft, resolved: Resolved, namespace: str | None) -> None:
    data = resolved.physical.client_config if resolved.physical else None
    name = client_config_name(resolved)
    if data is None:
        draft.tell(
            "not done",
            f"the ConfigMap {resolved.holder[1]}-config of {resolved.holder[0]} is not known, so no copy {name} could"
            " be made; without it the pods do not start.",
            fix=f"Copy it to the workload's namespace as {name}, or give a topology that has it.",
        )
        return
    why = f"the client settings of {resolved.dataset}; what masters and workers are told is not copied."
    add_config_map(draft, name, namespace, client_settings(data), why)
