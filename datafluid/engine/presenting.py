"""The parts of a status that are not stored but found out when somebody looks: cache figures, running operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datafluid.engine.home import Home
from datafluid.engine.reconcile.values import condition, drop_condition, status_of, with_condition
from datafluid.engine.registry import Registry
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operations_of, references_to
from datafluid.plane.port import Manifest

__all__ = ["present"]

_NO_SERVE = "Nothing runs this schedule: start `datafluid serve`, or call `datafluid run-due` from cron or systemd."


def present(manifest: Manifest, home: Home, registry: Registry) -> Manifest:
    """The object with cache figures, references and running operations, as Fluid has them in its status."""
    if "status" not in manifest:
        return manifest
    if manifest["kind"] == "Dataset":
        return {**manifest, "status": _dataset(manifest, home, registry)}
    if manifest["kind"] in OPERATION_KINDS and (manifest["status"] or {}).get("phase"):
        return {**manifest, "status": _operation(manifest, home, registry)}
    return manifest


def _dataset(manifest: Manifest, home: Home, registry: Registry) -> Manifest:
    status, ref = status_of(manifest), Ref.of(manifest)
    everything = registry.objects()
    if references := list(references_to(ref, everything)):
        status["datasetRef"] = references
    if running := _running(operations_of(ref, everything)):
        status["operationRef"] = running
    binding = registry.find_binding(ref.namespace or "", ref.name)
    if binding is not None and home.cache_index.exists():
        from datafluid.engine.figures import cache_states, tier_states

        status["tiers"] = tier_states(binding)
        status["cacheStates"] = cache_states(home, binding, status.get("ufsTotal"))
    return status


def _running(operations: Any) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for each in operations:
        if (each.get("status") or {}).get("phase") == "Executing":
            found.setdefault(each["kind"], []).append(each["metadata"]["name"])
    return {kind: ",".join(names) for kind, names in found.items()}


def _operation(manifest: Manifest, home: Home, registry: Registry) -> Manifest:
    status = status_of(manifest)
    runs = registry.runs(manifest["metadata"]["uid"])
    if status["phase"] == "Executing":
        newest = next((run for run in runs if run.active), None)
        if newest is not None and newest.progress is not None:
            status["progress"] = dict(newest.progress)
    if manifest["spec"].get("policy") == "Cron":
        _tell_serve(status, home, runs)
    return status


def _tell_serve(status: Manifest, home: Home, runs: Sequence[Any]) -> None:
    from datafluid.engine.serving import is_serving

    drop_condition(status, "Served")
    if not is_serving(home):
        told: Mapping[str, Any] = condition("Served", False, "NoServe", _NO_SERVE)
        with_condition(status, told, 0.0, stamp="lastProbeTime")
