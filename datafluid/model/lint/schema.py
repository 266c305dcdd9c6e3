"""The strict models, as rules: what an API server refuses, or drops without a word.

The models find the mistakes; here they get a code, a place and a sentence. No value of an option is repeated,
for it may be a credential in the wrong place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, get_args

from datafluid.model.lint.facts import FLUID_API, FLUID_KINDS, closest
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Path, Scope, Subject, show

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from datafluid.model.base import Resource

__all__ = ["SCHEMA_CODES"]

SCHEMA_CODES = frozenset({"DF010", "DF011", "DF012", "DF013"})
_SOURCE = "Fluid"
_PRIVATE = frozenset({"options", "sharedOptions", "parallelOptions", "properties", "env", "source", "data"})
_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "tuple": "a list",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
}
_ACTUAL = (
    (bool, "true or false"),
    (str, "text"),
    (int | float, "a number"),
    (list, "a list"),
    (Mapping, "a mapping"),
)
_SAID = re.compile(r"^(Value error|Assertion failed), ")


@rule("DF010", "An unknown field", "error", kinds=FLUID_KINDS, source="Fluid: unknown fields are pruned")
def unknown_field(subject: Subject, scope: Scope) -> Hits:
    model = _model_of(subject.kind)
    for error, path in _errors(subject, scope, "DF010"):
        name = str(error["loc"][-1])
        known = _known_fields(model, error["loc"][:-1])
        meant = closest(name, known)
        hint = f"Did you mean {meant}?" if meant else f"Known here: {', '.join(sorted(known)[:12])}."
        yield Hit(path, f"there is no field {show(name)}.", hint)


@rule("DF011", "A field that is missing", "error", kinds=FLUID_KINDS, source=_SOURCE)
def missing_field(subject: Subject, scope: Scope) -> Hits:
    for error, path in _errors(subject, scope, "DF011"):
        name = str(error["loc"][-1])
        yield Hit(path, f"the field {name} is missing.", f"Add {name}.")


@rule("DF012", "A value of the wrong type", "error", kinds=FLUID_KINDS, source=_SOURCE)
def wrong_type(subject: Subject, scope: Scope) -> Hits:
    for error, path in _errors(subject, scope, "DF012"):
        expected = _EXPECTED.get(error["type"].partition("_")[0], "something else")
        actual = next((word for kind, word in _ACTUAL if isinstance(error["input"], kind)), "nothing")
        quotes = expected == "text" and actual in ("a number", "true or false")
        hint = "Put it in quotes." if quotes else f"Write {expected}."
        yield Hit(path, f"here stands {actual} where {expected} belongs.", hint)


@rule("DF013", "A value that is not allowed", "error", kinds=FLUID_KINDS, source=_SOURCE)
def not_allowed(subject: Subject, scope: Scope) -> Hits:
    for error, path in _errors(subject, scope, "DF013"):
        said = _SAID.sub("", error["msg"]).replace("Input should be", "use", 1).rstrip(".")
        hint = f"{said[:1].upper()}{said[1:]}." if said.isprintable() else "See the field's reference."
        private = _PRIVATE & set(path) or not isinstance(error["input"], str | int | float)
        what = "this value" if private else show(error["input"])
        yield Hit(path, f"{what} is not allowed here.", hint)


def _errors(subject: Subject, scope: Scope, code: str) -> Iterator[tuple[ErrorDetails, Path]]:
    """What the model says about an object, of one code; asked once for each object."""
    if subject.data.get("apiVersion") != FLUID_API:
        return
    if id(subject) not in scope.memo:
        scope.memo[id(subject)] = _validate(subject)
    seen: set[Path] = set()
    for error in scope.memo[id(subject)]:
        path = _path(subject.data, error)
        if _code(error["type"]) == code and path not in seen:
            # A union complains once for each of its members; one complaint is enough.
            seen.update({path} if code != "DF011" else ())
            yield error, path


def _validate(subject: Subject) -> list[ErrorDetails]:
    from pydantic import ValidationError

    try:
        _model_of(subject.kind).author(subject.data)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _code(kind: str) -> str:
    if kind == "extra_forbidden":
        return "DF010"
    if kind == "missing":
        return "DF011"
    return "DF012" if kind.endswith(("_type", "_parsing", "_from_float", "_from_number")) else "DF013"


def _path(data: Any, error: ErrorDetails) -> Path:
    """Where the error is: its location as far as the data goes, without pydantic's names of union members."""
    path: list[str | int] = []
    for step in error["loc"]:
        inside = isinstance(data, Mapping) and step in data
        if not inside and not (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            break
        path.append(step)
        data = data[step]
    return tuple(path)


def _known_fields(model: type[BaseModel], path: Path) -> list[str]:
    """The names of the fields at a place in a model."""
    for step in path:
        if isinstance(step, int):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        found = next(_models_in(fields[step].annotation), None) if step in fields else None
        model = found or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    from pydantic import BaseModel

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _model_of(kind: str) -> type[Resource]:
    from datafluid.model.kinds import KINDS

    return KINDS[kind].model
