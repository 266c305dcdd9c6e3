"""What is known of workload kinds: where their pods are described, which container counts, how they are held.

One table by API group and kind (`datafluid.workload.table`). A kind that is not in it is handled by its shape:
whatever below it has a ``spec`` with ``containers`` is a template of pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datafluid.workload.kind import Hold, TemplateAt, WorkloadKind
from datafluid.workload.table import ALL

__all__ = ["WORKLOAD_KINDS", "Hold", "TemplateAt", "WorkloadKind", "workload_kind"]

#: Every kind by API group and name. Helm values have no API group: theirs is ``helm``.
WORKLOAD_KINDS: dict[tuple[str, str], WorkloadKind] = {
    (group, each.kind): each for each in ALL for group in each.groups
}


def workload_kind(manifest: Mapping[str, Any]) -> WorkloadKind | None:
    """What is known of a manifest's kind; None when it is none of the table.

    Args:
        manifest: An object, or the values of the Trino or Presto chart (which have no ``kind``).

    Example:
        >>> workload_kind({"apiVersion": "spark.apache.org/v1", "kind": "SparkApplication"}).hold.way
        'wait'
        >>> workload_kind({"image": {"repository": "trinodb/trino"}, "worker": {}}).kind
        'TrinoValues'
    """
    if "kind" not in manifest and "apiVersion" not in manifest:
        return WORKLOAD_KINDS.get(("helm", _chart(manifest)))
    group, slash, _ = str(manifest.get("apiVersion") or "").partition("/")
    return WORKLOAD_KINDS.get((group if slash else "", str(manifest.get("kind"))))


def _chart(values: Mapping[str, Any]) -> str:
    image = values.get("image")
    repository = str(image.get("repository") or "") if isinstance(image, Mapping) else ""
    if "presto" in repository or "catalog" in values:
        return "PrestoValues"
    known = {"coordinator", "worker", "catalogs", "additionalCatalogs"}
    return "TrinoValues" if "trino" in repository or known & set(values) else ""
