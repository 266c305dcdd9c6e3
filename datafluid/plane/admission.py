"""What a manifest must pass before a plane takes it: strictly parsed, and without lint errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from datafluid.errors import Invalid
from datafluid.model.names import OPERATION_KINDS
from datafluid.plane.port import Manifest

__all__ = ["admit", "must_be_named", "without_server_fields"]

_SERVER_FIELDS = (
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "uid",
)


def admit(resource: Mapping[str, Any], *, plane: Literal["embedded", "kubernetes"] = "embedded") -> Manifest:
    """The object as it will be stored: as authored, without what only a server sets.

    Args:
        resource: A manifest of one of Fluid's kinds.
        plane: Where it is going.

    Raises:
        Invalid: an unknown kind or field, a wrong value, or plain-text credentials; carries every finding.
    """
    from datafluid.model import manifest
    from datafluid.model.lint import lint

    authored = without_server_fields(resource)
    errors = [finding for finding in lint(authored, plane=plane) if finding.severity == "error"]
    if errors:
        raise manifest.refusal(errors)
    (model,) = manifest.load(authored)
    return _with_namespaces(model.manifest())


def must_be_named(resource: Mapping[str, Any]) -> None:
    """Raise where an object does not say what it is.

    Raises:
        Invalid: it has no apiVersion, kind or name.
    """
    metadata = resource.get("metadata")
    found = {
        "apiVersion": resource.get("apiVersion"),
        "kind": resource.get("kind"),
        "metadata.name": metadata.get("name") if isinstance(metadata, Mapping) else None,
    }
    for field, value in found.items():
        if not isinstance(value, str) or not value:
            raise Invalid(f"the object has no {field}.", hint=f"Set {field}.")


def without_server_fields(resource: Mapping[str, Any]) -> Manifest:
    """A manifest without its status and the metadata that only a server sets."""
    authored = {key: value for key, value in resource.items() if key != "status"}
    metadata = authored.get("metadata") or {}
    authored["metadata"] = {key: metadata[key] for key in metadata if key not in _SERVER_FIELDS}
    return authored


def _with_namespaces(manifest: Manifest) -> Manifest:
    """Name the namespaces that are left out; Fluid would wait for ever for a dataset without one."""
    from datafluid.model.kinds import find_kind

    if find_kind(manifest["kind"]).namespaced:
        manifest["metadata"].setdefault("namespace", "default")
    dataset = (manifest.get("spec") or {}).get("dataset")
    if manifest["kind"] in OPERATION_KINDS and isinstance(dataset, dict):
        dataset.setdefault("namespace", manifest["metadata"]["namespace"])
    return manifest
