"""How a dataset's FUSE client survives: against eviction by priority, against the OOM killer by memory and QoS.

The client serves every pod of its node. When it dies all their mounts break, so what protects it is told even
though it is the runtime's and not the workload's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from datafluid.model.kinds import RUNTIMES_BY_TYPE
from datafluid.model.plain import as_list, as_map, as_text, look
from datafluid.model.quantity import format_quantity
from datafluid.workload.draft import Draft
from datafluid.workload.facts import DatasetFacts
from datafluid.workload.resolve import Resolved

__all__ = ["tell_of_fuse"]

_COMPONENT = {"cache": "client"}
_HEAP = re.compile(r"-Xmx(\d+)([kKmMgG])")
_DIRECT = re.compile(r"-XX:MaxDirectMemorySize=(\d+)([kKmMgG])")
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_GIB = 1 << 30
_PLENTY = 2 * _GIB
_MODEST = {_HEAP: "-Xmx2G", _DIRECT: "-XX:MaxDirectMemorySize=4g"}  # Alluxio's own are 16 and 32 GiB
_PRIORITY = """\
# values of Fluid's chart (this is its default)
runtime:
  criticalFusePod: true"""


def tell_of_fuse(draft: Draft, used: Iterable[Resolved]) -> None:
    """Report what leaves the FUSE clients of mounted datasets unprotected, with the YAML that mends it."""
    mounted = {each.holder: each.physical for each in used if each.needs_mount}
    for _, facts in sorted(mounted.items(), key=lambda item: item[0]):
        if facts is not None and facts.runtime_type in RUNTIMES_BY_TYPE and facts.runtime:
            _tell_of_memory(draft, facts)
    if mounted:
        draft.tell(
            "note",
            "FUSE pods are evicted last when Fluid gives them the priority system-node-critical.",
            fix=_PRIORITY,
        )


def _tell_of_memory(draft: Draft, facts: DatasetFacts) -> None:
    component = _COMPONENT.get(facts.runtime_type or "", "fuse")
    resources = as_map(look(facts.runtime, (component, "resources")))
    requests, limits = as_map(resources.get("requests")), as_map(resources.get("limits"))
    if not requests.get("memory") and not limits.get("memory"):
        problem = "has no memory of its own (QoS BestEffort), so the OOM killer takes it first"
    elif requests.get("memory", limits.get("memory")) != limits.get("memory"):
        problem = "may use more memory than it requests (QoS Burstable), so it is evicted before those that do not"
    else:
        return
    draft.tell(
        "warning",
        f"the FUSE client of {facts.namespace}/{facts.name} {problem}; then every mount on its node breaks.",
        fix=_fix(facts, component),
    )


def _fix(facts: DatasetFacts, component: str) -> str:
    """The runtime's manifest, as far as it must change: requests equal to limits make QoS Guaranteed."""
    kind = RUNTIMES_BY_TYPE[facts.runtime_type or ""].kind
    options: list[str] = []
    memory = _PLENTY
    if facts.runtime_type == "alluxio":
        options = [as_text(each) for each in as_list(look(facts.runtime, (component, "jvmOptions")))]
        options += [option for pattern, option in _MODEST.items() if not _bytes(options, pattern)]
        memory = _bytes(options, _HEAP) + _bytes(options, _DIRECT) + _GIB
    amount = format_quantity(memory)
    java = f"    jvmOptions: {json.dumps(options)}\n" if options else ""
    return (
        f"kind: {kind}\nmetadata: {{name: {facts.name}, namespace: {facts.namespace}}}\nspec:\n  {component}:\n"
        f"{java}    resources:\n"
        f'      requests: {{cpu: "1", memory: {amount}}}\n      limits: {{cpu: "1", memory: {amount}}}'
    )


def _bytes(options: Iterable[str], pattern: re.Pattern[str]) -> int:
    found = [pattern.fullmatch(option) for option in options]
    sizes = [int(each[1]) * _UNITS[each[2].lower()] for each in found if each]
    return sizes[-1] if sizes else 0
