"""Several contexts side by side: what each of them holds, and which could not be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from datafluid.errors import DatafluidError
from datafluid.plane.port import Manifest

__all__ = ["Holdings", "holdings"]

_AT_ONCE = 8  # contexts asked at the same time: one that is away must not hold up the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What one context holds.

    Args:
        context: Its name.
        objects: What was asked for.
        error: Why it could not be asked; then there are no objects.
    """

    context: str
    objects: tuple[Manifest, ...] = ()
    error: DatafluidError | None = None


def holdings(
    kinds: Sequence[str],
    *,
    contexts: Sequence[str] | None = None,
    namespace: str | None = None,
    everywhere: bool = False,
    selector: Mapping[str, str] | None = None,
) -> list[Holdings]:
    """Ask several contexts for their objects. One that does not answer is told, and stops nobody.

    Args:
        kinds: The kinds of objects.
        contexts: Which contexts; None: all of the configuration.
        namespace: Of this namespace; None takes each context's own.
        everywhere: Of all namespaces.
        selector: Only objects with these labels.

    Example:
        >>> [(each.context, len(each.objects)) for each in holdings(["Dataset"], contexts=["embedded"])]
        [('embedded', 0)]
    """
    from datafluid.context import context_names

    def look(name: str) -> Holdings:
        from datafluid.client import connect

        try:
            client = connect(name)
            own = None if everywhere else namespace or client.context.namespace
            found = [
                each
                for kind in kinds
                for each in client.list(
                    kind, namespace=own if client.ref(kind, "").namespace else None, selector=selector
                )
            ]
        except DatafluidError as error:
            return Holdings(context=name, error=error)
        return Holdings(context=name, objects=tuple(found))

    names = list(context_names() if contexts is None else contexts)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(look, names))
