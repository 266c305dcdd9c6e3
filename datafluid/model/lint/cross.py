"""Rules about objects that get in each other's way."""

from __future__ import annotations

from datafluid.model.lint.facts import RUNTIMES, is_reference
from datafluid.model.lint.pods import templates
from datafluid.model.lint.rule import Hit, Hits, rule
from datafluid.model.lint.subject import Scope, Subject, show
from datafluid.model.names import label_key


@rule("DF007", "One object twice", "error", source="the later one would overwrite the earlier one")
def twice(subject: Subject, scope: Scope) -> Hits:
    twins = [
        each
        for each in scope.named([subject.kind], subject.namespace, subject.name)
        if each.document < subject.document
        and each.namespace == subject.namespace
        and each.data.get("apiVersion") == subject.data.get("apiVersion")
    ]
    if subject.kind and subject.name and twins:
        yield Hit(
            ("metadata", "name"),
            f"the source already has a {show(subject.kind)} called {show(subject.name)}.",
            "Keep one of them, or give this one another name.",
        )


@rule(
    "DF112",
    "A runtime for a reference dataset",
    "error",
    kinds=tuple(RUNTIMES),
    source="Fluid: reference datasets",
)
def runtime_of_reference(subject: Subject, scope: Scope) -> Hits:
    dataset = scope.dataset(subject.namespace, subject.name)
    if dataset is None or not is_reference(dataset):
        return
    if subject.kind != "ThinRuntime" or subject.spec.get("profileName"):
        yield Hit(
            ("kind",),
            f"the dataset {show(subject.name)} is a reference and is served by the runtime it refers to.",
            f"Leave the {subject.kind} out: Fluid makes what is needed.",
        )


@rule(
    "DF120",
    "Two datasets with the same node labels",
    "warning",
    kinds=("Dataset",),
    source="golden/README.md point 12",
    plane="kubernetes",
)
def colliding_labels(subject: Subject, scope: Scope) -> Hits:
    if not (subject.namespace and subject.name):
        return
    own = label_key("s-", subject.namespace, subject.name)
    others = [each for each in scope.of_kind("Dataset") if each.document < subject.document]
    others += scope.around.of("Dataset") if scope.around is not None else []
    for other in others:
        elsewhere = other.namespace and other.namespace != subject.namespace
        if elsewhere and label_key("s-", other.namespace, other.name) == own:
            yield Hit(
                ("metadata", "name"),
                f"{show(f'{other.namespace}/{other.name}')} has the same node label {show(own)}.",
                "Rename one of the two.",
            )


@rule(
    "DF412",
    "Required datasets that cannot meet",
    "error",
    source="datafluid: Exclusive placement",
    plane="kubernetes",
)
def never_meet(subject: Subject, scope: Scope) -> Hits:
    for template in templates(subject):
        found = (scope.dataset(subject.namespace, claim) for claim in template.required)
        datasets = [dataset for dataset in found if dataset is not None]
        lonely = [each for each in datasets if each.spec.get("placement") in (None, "", "Exclusive")]
        if len(datasets) > 1 and lonely:
            names = " and ".join(show(each.name) for each in datasets[:3])
            yield Hit(
                (*template.path, "metadata", "labels"),
                f"{names} never share a node, because {show(lonely[0].name)} is Exclusive.",
                "Set placement: Shared on all of them.",
            )
