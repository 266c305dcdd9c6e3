"""Everything that a diagnosis looks at: the objects around one dataset, frozen at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from datafluid.model.lint.facts import OPERATIONS, RUNTIMES, is_reference, target_dataset
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.ref import Ref, qualified_kind
from datafluid.plane.events import Happening

__all__ = [
    "NODE",
    "POD",
    "PVC",
    "WEBHOOK",
    "WORKLOADS",
    "Picture",
    "claims",
    "condition",
    "is_past",
    "labels_of",
    "line",
    "phase_of",
]

_PARTS = {"master": "master", "worker": "worker", "fuse": "FUSE", "client": "FUSE"}
#: What makes the pods of a runtime; a picture has those of its dataset alone.
WORKLOADS = ("apps/v1/StatefulSet", "apps/v1/DaemonSet")
POD, NODE, PVC = "v1/Pod", "v1/Node", "v1/PersistentVolumeClaim"
WEBHOOK = "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration"


@dataclass(frozen=True, kw_only=True)
class Picture(Surroundings):
    """What was seen of a dataset and of all that it depends on. Made by `collect`; secrets are masked in it.

    Args:
        ref: The dataset.
        now: When it was seen, seconds since the epoch.
        cluster: Whether it was seen on a plane of Kubernetes objects.
        happenings: Events, oldest first.
    """

    ref: Ref
    now: float
    cluster: bool = True
    happenings: tuple[Happening, ...] = ()

    def mine(self, kind: str, name: str) -> Subject | None:
        """The object of this name in the dataset's namespace."""
        return self.one(kind, name, self.namespace)

    def told(self, *kinds: str, name: str | None = None, reason: str = "", warning: bool = False) -> list[Happening]:
        """The events about objects of these kinds, oldest first; of a name, of a reason, warnings only."""
        return [
            each
            for each in self.happenings
            if each.subject.kind in kinds
            and name in (None, each.subject.name)
            and reason in ("", each.event.reason)
            and (not warning or each.event.type == "Warning")
        ]

    def about(self, subject: Subject, *, reason: str = "", warning: bool = False) -> list[Happening]:
        """The events about one object, oldest first."""
        kind = qualified_kind(as_text(subject.data.get("apiVersion")), subject.kind)
        return self.told(kind, name=subject.name, reason=reason, warning=warning)

    def said(self, subject: Subject, *, reason: str = "", warning: bool = False, last: int = 1) -> list[str]:
        """The newest events about one object, as lines of evidence."""
        return [line(each) for each in self.about(subject, reason=reason, warning=warning)[-last:]]

    @cached_property
    def dataset(self) -> Subject | None:
        """The dataset; None when there is none."""
        return self.mine("Dataset", self.ref.name)

    @property
    def phase(self) -> str:
        """The dataset's phase; empty while it has none."""
        return phase_of(self.dataset) if self.dataset else ""

    @property
    def leaving(self) -> bool:
        """Whether the dataset is being deleted."""
        return self.dataset is not None and bool(self.dataset.at("metadata", "deletionTimestamp"))

    @property
    def unbound(self) -> bool:
        """Whether it is there to stay and not Bound."""
        return self.dataset is not None and not self.leaving and self.phase in ("", "NotBound", "Failed", "Updating")

    @property
    def is_reference(self) -> bool:
        """Whether it refers to another dataset."""
        return self.dataset is not None and is_reference(self.dataset)

    @cached_property
    def runtimes(self) -> list[Subject]:
        """The runtimes of the dataset's name."""
        return [
            each for each in self.of(*RUNTIMES) if (each.namespace, each.name) == (self.ref.namespace, self.ref.name)
        ]

    @cached_property
    def operations(self) -> list[Subject]:
        """The operations on the dataset, and those of its namespace that leave the namespace out."""
        wanted = (self.ref.namespace, self.ref.name)
        return [each for each in self.of(*OPERATIONS) if target_dataset(each) == wanted]

    @cached_property
    def pods(self) -> list[Subject]:
        """The pods that Fluid made for the dataset and for its operations."""
        return [each for each in self.of(POD) if component(each, self) is not None]

    @cached_property
    def users(self) -> list[Subject]:
        """The pods of others that mount the dataset's claim and have not ended."""
        return [
            each
            for each in self.of(POD)
            if self.ref.name in claims(each)
            and component(each, self) is None
            and as_text(each.at("status", "phase")) not in ("Succeeded", "Failed")
        ]

    def component_of(self, pod: Subject) -> str:
        """Which part of the dataset a pod is: ``master``, ``worker``, ``FUSE``, ``operation``; empty for others."""
        return component(pod, self) or ""


def line(told: Happening) -> str:
    """An event as a line of evidence."""
    times = f" ({told.event.count}x)" if told.event.count > 1 else ""
    text = " ".join(told.event.message.split())
    return f"{told.subject.bare_kind} {told.subject.name}: {told.event.reason}{times}: {text}"


def is_past(told: Happening) -> bool:
    """Whether an event is one that every runtime begins with, while its dataset was not seen yet."""
    return told.event.message.startswith("No dataset can be bound to the runtime")


def phase_of(subject: Subject) -> str:
    """``status.phase``; empty while there is none."""
    return as_text(subject.at("status", "phase"))


def labels_of(subject: Subject) -> Mapping[str, Any]:
    """``metadata.labels``."""
    return as_map(subject.at("metadata", "labels"))


def condition(subject: Subject, kind: str) -> Mapping[str, Any]:
    """The condition of a type; empty when there is none."""
    found = (as_map(each) for each in as_list(subject.at("status", "conditions")))
    return next((each for each in found if each.get("type") == kind), {})


def claims(pod: Subject) -> list[str]:
    """The claims that a pod mounts."""
    volumes = (as_map(each) for each in as_list(pod.at("spec", "volumes")))
    return [name for each in volumes if (name := as_text(as_map(each.get("persistentVolumeClaim")).get("claimName")))]


def component(pod: Subject, picture: Picture) -> str | None:
    """The part of the dataset that a pod of Fluid's is: by Fluid's labels, else by the workload that made it."""
    labels, name = labels_of(pod), picture.ref.name
    if labels.get("fluid.io/managed-by") == "fluid":
        if labels.get("targetDataset") == name:
            return "operation"
        if labels.get("release") == name:
            return _part(as_text(labels.get("role")))
    owners = {as_text(as_map(each).get("name")) for each in as_list(pod.at("metadata", "ownerReferences"))}
    makers = {each.name for each in picture.of(*WORKLOADS)}  # those of this dataset only
    return next((_part(owner) for owner in sorted(owners & makers)), None)


def _part(role: str) -> str | None:
    return next((name for word, name in _PARTS.items() if role.endswith(word)), None)
