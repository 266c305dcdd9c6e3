"""The objects around a pod, as the webhook asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from datafluid.model.plain import as_map, as_text

__all__ = ["World"]


class World:
    """Manifests by kind, namespace and name; of two of the same name the later one counts.

    Args:
        objects: Datasets, runtimes, claims, volumes and DaemonSets. Whatever else is among them does not matter.
    """

    def __init__(self, objects: Iterable[Mapping[str, Any]]) -> None:
        self._objects = {_identity(each): each for each in objects}

    def get(self, kind: str, name: str, namespace: str = "") -> Mapping[str, Any] | None:
        """The object of a kind with this name; None when there is none."""
        return self._objects.get((kind, namespace, name))


def _identity(manifest: Mapping[str, Any]) -> tuple[str, str, str]:
    kind = as_text(manifest.get("kind"))
    metadata = as_map(manifest.get("metadata"))
    namespace = "" if kind == "PersistentVolume" else as_text(metadata.get("namespace")) or "default"
    return kind, namespace, as_text(metadata.get("name"))
