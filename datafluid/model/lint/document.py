"""Rules about what every object has: apiVersion, kind, metadata."""

from __future__ import annotations

import re

from datafluid.model.kinds import KINDS
from datafluid.model.lint.facts import FLUID_API, FLUID_KINDS, closest
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_map, as_text, show
from datafluid.model.names import is_namespace_name
from datafluid.model.plain import texts

_GROUP = FLUID_API.partition("/")[0]
_CLUSTER_SCOPED = tuple(name for name, kind in KINDS.items() if not kind.namespaced)
_OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_GONE = {"GooseFSRuntime": "GooseFSRuntime was removed from Fluid; AlluxioRuntime is nearest."}


@rule("DF001", "Text that is no YAML", "error", source="YAML")
def no_yaml(subject: Subject, scope: Scope) -> Hits:
    """Told while parsing, before there is any object to look at."""
    return iter(())


@rule("DF002", "An object without kind or apiVersion", "error", source="Kubernetes API")
def no_kind(subject: Subject, scope: Scope) -> Hits:
    if not subject.data:
        path = "" if subject.file else ", or a path that ends in .yaml, .yml or .json"
        yield Hit((), "no object is in it.", f"Write a mapping with apiVersion and kind{path}.")
        return
    for field in ("apiVersion", "kind"):
        if not as_text(subject.data.get(field)):
            example = FLUID_API if field == "apiVersion" else "Dataset"
            yield Hit((), f"the object has no {field}.", f"Add {field}: {example}, or what it is.")


@rule("DF003", "A kind that Fluid does not have", "error", source="Fluid")
def unknown_kind(subject: Subject, scope: Scope) -> Hits:
    in_group = as_text(subject.data.get("apiVersion")).partition("/")[0] == _GROUP
    if in_group and subject.kind and subject.kind not in FLUID_KINDS:
        meant = closest(subject.kind, FLUID_KINDS)
        hint = _GONE.get(subject.kind) or (
            f"Did you mean {meant}?" if meant else f"Fluid has {', '.join(FLUID_KINDS)}."
        )
        yield Hit(("kind",), f"Fluid has no kind {show(subject.kind)}.", hint)


@rule("DF004", "A kind of Fluid in another API", "error", kinds=FLUID_KINDS, source="Fluid")
def wrong_api(subject: Subject, scope: Scope) -> Hits:
    api = as_text(subject.data.get("apiVersion"))
    unlikely = subject.kind == "Dataset" and api and not api.startswith(_GROUP) and "fluid" not in api
    if api and api != FLUID_API and not unlikely:
        yield Hit(("apiVersion",), f"{subject.kind} is not in {show(api)}.", f"Write apiVersion: {FLUID_API}.")


@rule("DF005", "An object without a name", "error", source="Kubernetes API")
def no_name(subject: Subject, scope: Scope) -> Hits:
    if subject.kind and not subject.name and not as_text(subject.at("metadata", "generateName")):
        path = ("metadata",) if as_map(subject.data.get("metadata")) else ()
        yield Hit(path, "the object has no name.", "Set metadata.name.")


@rule("DF006", "A name that Kubernetes refuses", "error", kinds=FLUID_KINDS, source="Kubernetes API, DNS-1123")
def bad_name(subject: Subject, scope: Scope) -> Hits:
    if subject.name and not _OBJECT_NAME.fullmatch(subject.name):
        hint = "Use lower case letters, digits, dashes and dots, a letter or digit first and last."
        yield Hit(("metadata", "name"), f"{show(subject.name)} is no name for an object.", hint)
    if subject.namespace and not is_namespace_name(subject.namespace):
        hint = "Use at most 63 lower case letters, digits and dashes, a letter or digit first and last."
        yield Hit(("metadata", "namespace"), f"{show(subject.namespace)} is no name for a namespace.", hint)


@rule(
    "DF008",
    "A namespace on a kind that has none",
    "warning",
    kinds=_CLUSTER_SCOPED,
    source="Fluid: scope cluster",
)
def no_such_scope(subject: Subject, scope: Scope) -> Hits:
    if subject.namespace:
        yield Hit(
            ("metadata", "namespace"),
            f"a {subject.kind} belongs to the cluster, not to a namespace.",
            "Leave metadata.namespace out.",
        )


@rule("DF009", "An authored status", "info", kinds=FLUID_KINDS, source="datafluid: status is never sent")
def status(subject: Subject, scope: Scope) -> Hits:
    if subject.data.get("status"):
        yield Hit(("status",), "the status is the plane's to write; this one is ignored.", "Leave status out.")


@rule("DF014", "Text that is not UTF-8", "error", source="Kubernetes API, JSON")
def not_utf8(subject: Subject, scope: Scope) -> Hits:
    for path, text in texts(subject.data):
        if not _is_utf8(text):
            hint = "Write it in UTF-8; a file whose name is not can be loaded with its directory."
            yield Hit(path, f"{show(text)} is not UTF-8, and no object can hold it.", hint)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@rule(
    "DF015",
    "A label that Kubernetes refuses",
    "error",
    kinds=FLUID_KINDS,
    source="Kubernetes API, label values",
)
def labels(subject: Subject, scope: Scope) -> Hits:
    for field in ("labels", "annotations"):
        for key, value in as_map(subject.at("metadata", field)).items():
            path = ("metadata", field, str(key))
            if not isinstance(value, str):
                yield Hit(
                    path,
                    f"{show(value)} is not text, and {field} hold text only.",
                    "Put the value in quotes.",
                )
            elif field == "labels" and not _LABEL_VALUE.fullmatch(value):
                hint = "Use at most 63 letters, digits, dashes, dots and underscores."
                yield Hit(path, f"{show(value)} is no value for a label.", hint)
