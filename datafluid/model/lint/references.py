"""Rules about reference datasets: ``dataset://<namespace>/<name>`` as the only mount."""

from __future__ import annotations

import re

from datafluid.model.lint.credentials import show_url
from datafluid.model.lint.facts import REFERENCE_SCHEME, is_reference, mount_points
from datafluid.model.lint.mounts import points
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, as_list
from datafluid.model.names import is_dns1035_label

_DATASET = ("Dataset",)
_REFERENCE = re.compile(r"dataset://([^/]+)/([^/]+)(/.*)?", re.DOTALL)


@rule(
    "DF109",
    "A dataset reference beside other mounts",
    "error",
    kinds=_DATASET,
    source="Fluid: reference datasets",
)
def reference_alone(subject: Subject, scope: Scope) -> Hits:
    if is_reference(subject) and len(as_list(subject.at("spec", "mounts"))) > 1:
        yield Hit(
            ("spec", "mounts"),
            "a dataset that refers to another one can have no other mount.",
            "Make one dataset for each reference, and keep the other mounts in a dataset of their own.",
        )


@rule(
    "DF110",
    "A dataset reference spelled wrong",
    "error",
    kinds=_DATASET,
    source="Fluid: reference datasets",
)
def reference_spelling(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        if not point.lower().startswith("dataset:"):
            continue
        matched = _REFERENCE.fullmatch(point)
        if matched is None or not is_dns1035_label(matched[2]):
            hint = f"Write {REFERENCE_SCHEME}<namespace>/<dataset>, and a path below it if need be."
            yield Hit(path, f"{show_url(point)} names no dataset.", hint)
        elif (matched[1], matched[2]) == (subject.namespace, subject.name):
            yield Hit(path, "the dataset refers to itself.", "Name the dataset that holds the data.")


@rule(
    "DF111",
    "A reference to a reference dataset",
    "error",
    kinds=_DATASET,
    source="Fluid: reference datasets",
)
def reference_nested(subject: Subject, scope: Scope) -> Hits:
    for path, point in points(subject):
        matched = _REFERENCE.fullmatch(point)
        target = scope.dataset(matched[1], matched[2]) if matched else None
        if target is None or target is subject or not is_reference(target):
            continue
        behind = next((each for each in mount_points(target) if each.startswith(REFERENCE_SCHEME)), "")
        yield Hit(
            path,
            f"{show_url(point)} is a reference dataset itself, and references do not nest.",
            f"Refer to {show_url(behind)} directly.",
        )
