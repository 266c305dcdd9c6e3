"""The only part of a diagnosis that asks anybody: one picture, by a number of calls that no pod or node adds to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from datafluid.diagnosis.masking import mask, mask_text, masked_values
from datafluid.diagnosis.picture import NODE, POD, PVC, WEBHOOK, Picture
from datafluid.errors import Forbidden, NotFound, Unavailable, Unsupported
from datafluid.model.lint.facts import OPERATIONS, REFERENCE_SCHEME, RUNTIMES, mount_points, target_dataset
from datafluid.model.lint.subject import Subject
from datafluid.model.names import dataset_id
from datafluid.model.ref import Ref
from datafluid.plane.events import EVENT, Happening, happening
from datafluid.plane.port import Cluster, ControlPlane, Manifest, SeesMetadata

__all__ = ["collect", "dataset_of"]

_SECRET = "v1/Secret"  # noqa: S105  # a kind
_FLUID_NAMESPACE = "fluid-system"
_ID = "fluid.io/dataset-id"
#: Kinds of which all objects of the namespace are looked at.
_NAMESPACED = (POD, PVC, "v1/ResourceQuota", "v1/LimitRange")
#: Kinds of which those are looked at that Fluid made for the dataset.
_WORKLOADS = ("apps/v1/StatefulSet", "apps/v1/DaemonSet")
_JOBS = ("batch/v1/Job", "batch/v1/CronJob")


def collect(plane: ControlPlane, ref: Ref, *, clock: Callable[[], float] = time.time) -> Picture:
    """Look at a dataset and at everything that it depends on.

    Args:
        plane: Where it is.
        ref: The dataset.
        clock: Seconds since the epoch.

    Returns:
        The picture. What may not be looked at is named in `Picture.unknown`; secrets are masked.

    Raises:
        Unavailable: the plane does not answer.
    """
    look = _Look(plane)
    namespace = ref.namespace
    for kind in ("Dataset", *RUNTIMES, *OPERATIONS):
        look.at(kind, namespace=namespace)
    look.at("ThinRuntimeProfile")
    for physical in _referred(look.first("Dataset", ref.name)):
        look.get(physical)
    if look.cluster:
        _cluster(look, ref)
    return look.picture(ref, clock())


def dataset_of(plane: ControlPlane, ref: Ref) -> Ref:
    """The dataset that an object belongs to: a runtime's is its namesake, an operation's stands in its spec.

    Raises:
        NotFound: there is no such operation.
        Unsupported: the kind belongs to no dataset.
    """
    if ref.kind == "Dataset":
        return ref
    if ref.kind in RUNTIMES:
        return Ref("Dataset", ref.name, ref.namespace)
    if ref.kind not in OPERATIONS:
        raise Unsupported(f"a {ref.kind} belongs to no dataset.", hint="Diagnose a dataset, a runtime or an operation.")
    namespace, name = target_dataset(Subject(data=plane.get(ref)))
    return Ref("Dataset", name, namespace)


def _cluster(look: _Look, ref: Ref) -> None:
    namespace = ref.namespace
    uid = (look.first("Dataset", ref.name) or {}).get("metadata", {}).get("uid")
    mine = {_ID: dataset_id(namespace or "", ref.name, uid=uid)}
    for kind in _NAMESPACED:
        look.at(kind, namespace=namespace)
    for kind in _WORKLOADS:
        look.at(kind, namespace=namespace, selector=mine)
    for kind in _JOBS:
        look.at(kind, namespace=namespace, selector={"fluid.io/managed-by": "fluid"})
    look.at("v1/PersistentVolume", selector=mine)
    look.at(NODE)
    look.at("apps/v1/Deployment", namespace=_FLUID_NAMESPACE)
    look.get(Ref("v1/Namespace", namespace or ""))
    look.get(Ref(WEBHOOK, "fluid-pod-admission-webhook"))


class _Look:
    """Asks, keeps what it sees, and notes what it may not see."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.cluster = isinstance(plane, Cluster)
        self.objects: dict[str, list[Manifest]] = {}
        self.unknown: dict[str, str] = {}
        self.served = self._served()

    def _served(self) -> frozenset[str]:
        if not isinstance(self.plane, Cluster):
            return frozenset()
        try:
            return self.plane.kinds()
        except Forbidden as error:
            self.unknown["discovery"] = error.message
            return frozenset()

    def at(self, kind: str, *, namespace: str | None = None, selector: Mapping[str, str] | None = None) -> None:
        """Look at the objects of a kind."""
        if self.served and kind not in self.served:
            return
        try:
            self.objects.setdefault(kind, []).extend(self.plane.list(kind, namespace=namespace, selector=selector))
        except Forbidden as error:
            self.unknown[kind] = error.rule or error.message
        except (NotFound, Unsupported):
            self.objects.setdefault(kind, [])  # the plane has no such kind

    def get(self, ref: Ref) -> None:
        """Look at one object, if it is there."""
        if self.served and ref.kind not in self.served:
            return
        try:
            found = self.plane.get(ref)
        except Forbidden as error:
            self.unknown[str(ref)] = error.rule or error.message
        except (NotFound, Unsupported):
            self.objects.setdefault(ref.kind, [])
        else:
            self.objects.setdefault(ref.kind, []).append(found)

    def first(self, kind: str, name: str) -> Manifest | None:
        """What was seen of a kind under a name."""
        return next((each for each in self.objects.get(kind, ()) if each["metadata"]["name"] == name), None)

    def picture(self, ref: Ref, now: float) -> Picture:
        """All that was seen, without secrets."""
        hidden = frozenset[str]().union(*(masked_values(each) for kind in self.objects.values() for each in kind))
        told = [_masked(each, hidden) for each in self._told(ref)]
        return Picture(
            ref=ref,
            now=now,
            cluster=self.cluster,
            objects={
                kind: tuple(Subject(data=mask(each, secrets=hidden)) for each in found)
                for kind, found in self.objects.items()
            },
            happenings=tuple(sorted(told, key=lambda each: each.event.last_seen)),
            served=self.served,
            secrets=self._secrets(ref.namespace),
            unknown=dict(self.unknown),
        )

    def _told(self, ref: Ref) -> list[Happening]:
        if self.cluster:
            self.at(EVENT, namespace=ref.namespace)
            return [happening(each) for each in self.objects.pop(EVENT, ())]
        seen = [Ref.of(each) for kind in ("Dataset", *RUNTIMES, *OPERATIONS) for each in self.objects.get(kind, ())]
        return [Happening(subject=each, event=event) for each in seen for event in self.plane.events(each)]

    def _secrets(self, namespace: str | None) -> frozenset[str] | None:
        if not isinstance(self.plane, SeesMetadata):
            return None
        try:
            return frozenset(each["metadata"]["name"] for each in self.plane.metadata(_SECRET, namespace=namespace))
        except Forbidden as error:
            self.unknown[_SECRET] = error.rule or error.message
        except (NotFound, Unsupported, Unavailable):
            self.unknown[_SECRET] = "the plane does not tell"
        return None


def _masked(told: Happening, hidden: frozenset[str]) -> Happening:
    return replace(told, event=replace(told.event, message=mask_text(told.event.message, hidden)))


def _referred(dataset: Any) -> list[Ref]:
    """The physical datasets of a reference."""
    if dataset is None:
        return []
    found = []
    for point in mount_points(Subject(data=dataset)):
        namespace, _, rest = point.removeprefix(REFERENCE_SCHEME).partition("/")
        if point.startswith(REFERENCE_SCHEME) and namespace and rest:
            found.append(Ref("Dataset", rest.partition("/")[0], namespace))
    return found
