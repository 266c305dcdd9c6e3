"""Where a pod chooses its zone or region itself: Fluid's webhook then leaves the scheduling of the pod alone."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from typing import Any

from datafluid.model.plain import Path, as_list, as_map, as_text

__all__ = ["PREFERRED", "REQUIRED", "pinned"]

#: The two lists of a node affinity.
REQUIRED, PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))


def pinned(spec: Mapping[str, Any], keys: Container[str]) -> Iterator[Path]:
    """Where a pod's spec speaks of one of these labels of nodes, as far as Fluid looks.

    A node affinity without required terms hides the ``nodeSelector``: Fluid does not look at it then.

    Example:
        >>> list(pinned({"nodeSelector": {"zone": "a"}}, {"zone"}))
        [('nodeSelector', 'zone')]
        >>> list(pinned({"nodeSelector": {"zone": "a"}, "affinity": {"nodeAffinity": {}}}, {"zone"}))
        []
    """
    node = as_map(spec.get("affinity")).get("nodeAffinity")
    above: Path = ("affinity", "nodeAffinity")
    for number, wish in enumerate(as_list(as_map(node).get(PREFERRED))):
        yield from _spoken_of(as_map(wish).get("preference"), keys, (*above, PREFERRED, number, "preference"))
    required = as_map(node).get(REQUIRED)
    for number, term in enumerate(as_list(as_map(required).get("nodeSelectorTerms"))):
        yield from _spoken_of(term, keys, (*above, REQUIRED, "nodeSelectorTerms", number))
    if node is None or required is not None:
        yield from (("nodeSelector", str(key)) for key in as_map(spec.get("nodeSelector")) if key in keys)


def _spoken_of(term: Any, keys: Container[str], path: Path) -> Iterator[Path]:
    for number, expression in enumerate(as_list(as_map(term).get("matchExpressions"))):
        if as_text(as_map(expression).get("key")) in keys:
            yield (*path, "matchExpressions", number)
