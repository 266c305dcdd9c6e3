"""Which loads a submission starts, and which it cannot. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.errors import Unsupported
from datafluid.model.kinds import API_VERSION, KINDS
from datafluid.model.plain import look
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of
from datafluid.model.status import DatasetStatus

__all__ = ["check_figures", "check_load", "given_load", "load_manifest"]

Manifest = dict[str, Any]

#: Runtimes that say how much is cached before a pod reads: JuiceFS counts in FUSE pods, and a held workload has none.
_COUNTING = frozenset({"AlluxioRuntime", "JindoRuntime", "CacheRuntime"})


def check_load(dataset: Mapping[str, Any], runtime: Mapping[str, Any] | None) -> None:
    """See that a dataset can be loaded.

    Raises:
        Unsupported: Fluid has no DataLoad for its runtime.
    """
    kind = None if runtime is None else KINDS.get(str(runtime.get("kind")))
    if kind is None or "DataLoad" not in kind.operations:
        name = look(dataset, ("metadata", "name"))
        what = f"a {kind.kind}" if kind else "no runtime of its own"
        raise Unsupported(
            f"dataset {name} has {what}, which cannot be loaded.",
            hint="Leave load away; of a reference dataset load the physical one.",
        )


def check_figures(dataset: Mapping[str, Any], runtime: Mapping[str, Any]) -> None:
    """See that its runtime tells how much is cached, so that one can wait for a fraction.

    Raises:
        Unsupported: it does not.
    """
    known = DatasetStatus.parse(dataset).fraction is not None
    if not known and runtime.get("kind") not in _COUNTING:
        raise Unsupported(
            f"a {runtime.get('kind')} does not tell how much is cached before somebody reads it.",
            hint="Use load=True, which waits until the DataLoad is complete.",
        )


def given_load(dataset: Mapping[str, Any], objects: Iterable[Manifest]) -> str:
    """The name of a DataLoad among the objects that loads this dataset once; "" when there is none."""
    for each in operations_of(Ref.of(dataset), objects):
        if each["kind"] == "DataLoad" and look(each, ("spec", "policy")) in (None, "Once"):
            return str(look(each, ("metadata", "name")))
    return ""


def load_manifest(dataset: Mapping[str, Any], workload: Ref) -> Manifest:
    """The DataLoad for a workload: of the same name whenever the same command is given."""
    name, namespace = (str(look(dataset, ("metadata", key))) for key in ("name", "namespace"))
    suffix = hashlib.sha256(f"{workload.kind} {workload.namespace}/{workload.name}".encode()).hexdigest()[:8]
    return {
        "apiVersion": API_VERSION,
        "kind": "DataLoad",
        "metadata": {"name": f"{name[:36].rstrip('-')}-{suffix}", "namespace": namespace},
        "spec": {
            "dataset": {"name": name, "namespace": namespace},
            "loadMetadata": True,
            "target": [{"path": "/", "replicas": 1}],
        },
    }
