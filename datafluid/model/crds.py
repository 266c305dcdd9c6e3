"""CustomResourceDefinitions, made from the models and the table of kinds.

Structures that Kubernetes itself defines (affinity, resources, volumes, pod specs) are not described again: they
are objects whose unknown fields are kept.
"""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from datafluid.model.base import QUANTITY_PATTERN, KubernetesObject, Quantity, Resource
from datafluid.model.kinds import GROUP, KINDS, VERSION, Column, Kind

__all__ = ["crd", "generate"]

_Schema = dict[str, Any]
_QUANTITY: _Schema = {
    "anyOf": [{"type": "integer"}, {"type": "string"}],
    "pattern": QUANTITY_PATTERN,
    "x-kubernetes-int-or-string": True,
}
_INT_FORMATS = {"int32": 2**31, "int64": 2**63}


def generate() -> list[_Schema]:
    """All 14 CustomResourceDefinitions, in the order of the table of kinds."""
    return [crd(name) for name in KINDS]


def crd(kind: str) -> _Schema:
    """The CustomResourceDefinition of a kind.

    Args:
        kind: Its name, for example ``Dataset``.

    Raises:
        KeyError: there is no such kind.

    Example:
        >>> crd("Dataset")["metadata"]["name"]
        'datasets.data.fluid.io'
    """
    found = KINDS[kind]
    version: _Schema = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _top(found.model)},
    }
    if found.columns:
        version["additionalPrinterColumns"] = [_column(column) for column in found.columns]
    if found.has_status:
        version["subresources"] = _subresources(found)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{found.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": _names(found),
            "scope": "Namespaced" if found.namespaced else "Cluster",
            "versions": [version],
        },
    }


def _names(kind: Kind) -> _Schema:
    names: _Schema = {
        "kind": kind.kind,
        "listKind": f"{kind.kind}List",
        "plural": kind.plural,
        "singular": kind.singular,
    }
    if kind.in_category:
        names["categories"] = ["fluid"]
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    return names


def _column(column: Column) -> _Schema:
    shown: _Schema = {"name": column.name, "jsonPath": column.json_path, "type": column.type}
    return shown | ({"priority": column.priority} if column.priority else {})


def _subresources(kind: Kind) -> _Schema:
    if not kind.scalable:
        return {"status": {}}
    scale = {
        "specReplicasPath": ".spec.replicas",
        "statusReplicasPath": ".status.currentWorkerNumberScheduled",
    }
    if kind.selectable:
        scale["labelSelectorPath"] = ".status.selector"
    return {"scale": scale, "status": {}}


def _top(model: type[Resource]) -> _Schema:
    schema = _object(model)
    schema["properties"] |= {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    schema["required"] = [name for name in schema.get("required", ()) if name not in ("kind", "metadata")]
    if not schema["required"]:
        del schema["required"]
    return schema


def _object(model: type[BaseModel]) -> _Schema:
    properties, required = {}, []
    for name, field in sorted(model.model_fields.items(), key=lambda item: item[1].alias or item[0]):
        wire = field.alias or name
        properties[wire] = _field(field)
        if field.is_required():
            required.append(wire)
    schema: _Schema = {"type": "object", "properties": properties}
    return schema | ({"required": sorted(required)} if required else {})


def _field(field: FieldInfo) -> _Schema:
    return _refine(_type(field.annotation), field)


def _type(annotation: Any) -> _Schema:
    """The schema of a type annotation; Annotated and Optional layers are peeled off, keeping what they say."""
    if annotation == Quantity:
        return dict(_QUANTITY)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        schema = _type(arguments[0])
        for layer in arguments[1:]:
            schema = _refine(schema, layer)
        return schema
    if origin in (Union, UnionType):
        present = [argument for argument in arguments if argument is not type(None)]
        if len(present) == 2:  # int | str: the quantity, with None beside it
            return dict(_QUANTITY)
        return _type(present[0])
    if origin is Literal:
        return {"type": "string", "enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _type(arguments[0])}
    if annotation == KubernetesObject:
        return {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type(arguments[1])}
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _object(annotation)
    return {"type": {str: "string", bool: "boolean", int: "integer"}[annotation]}


def _refine(schema: _Schema, layer: Any) -> _Schema:
    """A schema with what one layer of constraints adds to it."""
    if not isinstance(layer, FieldInfo):
        return schema | _constraint(layer, schema)
    for constraint in layer.metadata:
        schema = schema | _constraint(constraint, schema)
    return schema | (layer.json_schema_extra if isinstance(layer.json_schema_extra, dict) else {})


def _constraint(constraint: Any, schema: _Schema) -> _Schema:
    """What a constraint says in a CRD. The bounds that an integer's format implies are not said again."""
    minimum = getattr(constraint, "ge", None)
    if minimum is not None and minimum not in (-bound for bound in _INT_FORMATS.values()):
        return {"minimum": minimum}
    length = getattr(constraint, "min_length", None)
    if length is not None:
        return {"minItems" if schema["type"] == "array" else "minLength": length}
    pattern = getattr(constraint, "pattern", None)
    return {"pattern": pattern} if pattern else {}
