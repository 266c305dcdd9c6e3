"""Which objects have to be looked at when one of them has changed: what it depends on first, what waits for it last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from datafluid.engine.reconcile.relations import runtime_of, working_on
from datafluid.model.graph import predecessor_of
from datafluid.model.names import OPERATION_KINDS
from datafluid.model.ref import Ref
from datafluid.model.relations import operation_datasets, physical_refs, references_to
from datafluid.plane.port import Manifest

__all__ = ["dependency_order"]


def dependency_order(ref: Ref, everything: Iterable[Manifest]) -> list[Ref]:
    """An object with everything it depends on before it, and what waits for it after it.

    Args:
        ref: The object; one that does not exist is left out.
        everything: All objects that are declared.
    """
    everything = list(everything)
    ordered: dict[Ref, None] = {}
    _add(ref, {Ref.of(each): each for each in everything}, ordered)
    if ref.kind == "Dataset":
        ordered |= dict.fromkeys(working_on(ref, everything))
        ordered |= dict.fromkeys(_referring(ref, everything))
    for each in [each for each in ordered if each.kind == "Dataset"]:
        runtime = runtime_of({"metadata": {"name": each.name, "namespace": each.namespace}}, everything)
        if runtime is not None:
            ordered[Ref.of(runtime)] = None
    return list(ordered)


def _add(ref: Ref, declared: Mapping[Ref, Manifest], ordered: dict[Ref, None]) -> None:
    """Append an object, behind what it depends on."""
    manifest = declared.get(ref)
    if ref in ordered or manifest is None:
        return
    ordered[ref] = None  # before its own dependencies: a circle ends here
    for each in _dependencies(ref, manifest):
        _add(each, declared, ordered)
    ordered.pop(ref)
    ordered[ref] = None


def _dependencies(ref: Ref, manifest: Manifest) -> list[Ref]:
    if ref.kind == "Dataset":
        return [Ref("Dataset", name, namespace) for namespace, name in physical_refs(manifest)]
    if ref.kind in OPERATION_KINDS:
        predecessor = predecessor_of(manifest)
        datasets = [Ref("Dataset", name, namespace) for namespace, name in operation_datasets(manifest)]
        return datasets if predecessor is None else [*datasets, predecessor]
    return [Ref("Dataset", ref.name, ref.namespace)] if ref.kind.endswith("Runtime") else []


def _referring(dataset: Ref, everything: Iterable[Manifest]) -> Iterable[Ref]:
    """The datasets that mount this one: they are bound to what it is bound to."""
    for each in references_to(dataset, everything):
        namespace, _, name = each.partition("/")
        yield Ref("Dataset", name, namespace)
