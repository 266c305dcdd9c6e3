"""The name of one object: kind, namespace, name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.kinds import API_VERSION

__all__ = ["Ref", "qualified_kind"]


def qualified_kind(api_version: str, kind: str) -> str:
    """How a kind is named wherever a plane is asked for it: Fluid's own bare, all others behind their apiVersion.

    Example:
        >>> qualified_kind("data.fluid.io/v1alpha1", "Dataset"), qualified_kind("apps/v1", "StatefulSet")
        ('Dataset', 'apps/v1/StatefulSet')
    """
    return kind if api_version == API_VERSION else f"{api_version}/{kind}"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one object on a plane.

    Args:
        kind: ``Dataset``, ``AlluxioRuntime``, ``DataLoad``, ...; for what is not Fluid's own, ``v1/Pod``,
            ``apps/v1/StatefulSet``, ... (see `qualified_kind`).
        name: ``metadata.name``.
        namespace: ``metadata.namespace``; None for cluster-scoped kinds.

    Example:
        >>> str(Ref("Dataset", "imagenet", "team"))
        'Dataset team/imagenet'
    """

    kind: str
    name: str
    namespace: str | None = None

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Ref:
        """The reference to the object that a manifest describes."""
        metadata = manifest.get("metadata") or {}
        kind = qualified_kind(manifest.get("apiVersion", API_VERSION), manifest["kind"])
        return cls(kind, metadata["name"], metadata.get("namespace"))

    @property
    def api_version(self) -> str:
        """The group and version of its kind."""
        return self.kind.rpartition("/")[0] or API_VERSION

    @property
    def bare_kind(self) -> str:
        """Its kind as ``kind:`` in a manifest has it."""
        return self.kind.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.bare_kind} {self.namespace}/{self.name}" if self.namespace else f"{self.bare_kind} {self.name}"
