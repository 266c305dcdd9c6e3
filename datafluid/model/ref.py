"""The name of one object: kind, namespace, name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Ref"]


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """Names one object on a plane.

    Args:
        kind: ``Dataset``, ``AlluxioRuntime``, ``DataLoad``, ...
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
        return cls(manifest["kind"], metadata["name"], metadata.get("namespace"))

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
