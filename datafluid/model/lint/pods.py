"""Pod templates, wherever a kind keeps them, and what they ask of Fluid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datafluid.model.lint.subject import Path, Scope, Subject, as_list, as_map, as_text, may_be_same
from datafluid.model.plain import template_paths
from datafluid.model.podlabels import sched_labels

__all__ = [
    "Template",
    "claims_wanted_writable",
    "template_paths",
    "templates",
]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One pod template and where it stands."""

    path: Path
    data: Mapping[str, Any]

    @property
    def labels(self) -> Mapping[str, Any]:
        """The labels of the pods."""
        return as_map(as_map(self.data.get("metadata")).get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations of the pods."""
        return as_map(as_map(self.data.get("metadata")).get("annotations"))

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pods' own spec."""
        return as_map(self.data.get("spec"))

    @property
    def claims(self) -> list[str]:
        """The names of the claims that its volumes use."""
        volumes = (as_map(volume) for volume in as_list(self.spec.get("volumes")))
        names = (as_text(as_map(volume.get("persistentVolumeClaim")).get("claimName")) for volume in volumes)
        return [name for name in names if name]

    @property
    def required(self) -> list[str]:
        """The claims that a label asks for with exactly ``required``."""
        return [claim for claim, value in self.sched.values() if value == "required"]

    @property
    def sched(self) -> dict[str, tuple[str, Any]]:
        """The scheduling labels: label -> (claim, value)."""
        return {label: (claim, value) for label, claim, value in sched_labels(self.labels)}

    def at_label(self, label: str) -> Path:
        """The path of a label."""
        return (*self.path, "metadata", "labels", label)


def templates(subject: Subject) -> Iterator[Template]:
    """The pod templates of an object, wherever its kind keeps them."""
    if subject.kind == "DataProcess":
        return
    if subject.kind == "Pod":
        yield Template((), subject.data)
        return
    for path in template_paths(subject.data):
        yield Template(path, as_map(subject.at(*path)))


def claims_wanted_writable(dataset: Subject, scope: Scope) -> Iterator[str]:
    """The names of workloads in the source that say ``readOnly: false`` about the dataset's claim."""
    for subject in scope.subjects:
        if not may_be_same(subject.namespace, dataset.namespace):
            continue
        for template in templates(subject):
            for volume in as_list(template.spec.get("volumes")):
                claim = as_map(as_map(volume).get("persistentVolumeClaim"))
                if claim.get("claimName") == dataset.name and claim.get("readOnly") is False:
                    yield f"{subject.kind} {subject.name}"
