"""The only part of a diagnosis that asks anybody: one picture, by a number of calls that no pod or node adds to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from datafluid.diagnosis.masking import mask, mask_text, masked_values
from datafluid.diagnosis.picture import NODE, POD, PVC, WEBHOOK, WORKLOADS, Picture
from datafluid.errors import Unsupported
from datafluid.model.lint.facts import OPERATIONS, RUNTIMES, target_dataset
from datafluid.model.lint.subject import Subject
from datafluid.model.names import dataset_id
from datafluid.model.ref import Ref
from datafluid.model.relations import physical_refs
from datafluid.plane.events import EVENT, Happening, happening
from datafluid.plane.looking import Look
from datafluid.plane.port import ControlPlane

__all__ = ["collect", "dataset_of"]

_FLUID_NAMESPACE = "fluid-system"
_ID = "fluid.io/dataset-id"
#: Kinds of which all objects of the namespace are looked at.
_NAMESPACED = (POD, PVC, "v1/ResourceQuota", "v1/LimitRange")
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
    look = Look(plane)
    namespace = ref.namespace
    for kind in ("Dataset", *RUNTIMES, *OPERATIONS):
        look.at(kind, namespace=namespace)
    look.at("ThinRuntimeProfile")
    if "Dataset" in look.unknown:
        look.get(ref)  # one may be allowed to see this one and not all
    dataset = look.first("Dataset", ref.name)
    for owner, name in physical_refs(dataset) if dataset else ():
        look.get(Ref("Dataset", name, owner))
    if look.cluster:
        _cluster(look, ref)
    return _picture(look, ref, clock())


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


def _cluster(look: Look, ref: Ref) -> None:
    namespace = ref.namespace
    uid = (look.first("Dataset", ref.name) or {}).get("metadata", {}).get("uid")
    mine = {_ID: dataset_id(namespace or "", ref.name, uid=uid)}
    for kind in _NAMESPACED:
        look.at(kind, namespace=namespace)
    for kind in WORKLOADS:
        look.at(kind, namespace=namespace, selector=mine)
    for kind in _JOBS:
        look.at(kind, namespace=namespace, selector={"fluid.io/managed-by": "fluid"})
    look.at("v1/PersistentVolume", selector=mine)
    look.at(NODE)
    look.at("apps/v1/Deployment", namespace=_FLUID_NAMESPACE)
    look.get(Ref("v1/Namespace", namespace or ""))
    look.get(Ref(WEBHOOK, "fluid-pod-admission-webhook"))


def _picture(look: Look, ref: Ref, now: float) -> Picture:
    """All that was seen, without secrets."""
    hidden = frozenset[str]().union(*(masked_values(each) for kind in look.objects.values() for each in kind))
    told = sorted((_masked(each, hidden) for each in _told(look, ref)), key=lambda each: each.event.last_seen)
    secrets = look.secrets([ref.namespace or ""])
    return Picture(
        ref=ref,
        namespace=ref.namespace or "",
        now=now,
        cluster=look.cluster,
        objects={
            kind: tuple(Subject(data=mask(each, secrets=hidden)) for each in found)
            for kind, found in look.objects.items()
        },
        happenings=tuple(told),
        served=look.served,
        secrets=secrets,
        unknown=dict(look.unknown),
    )


def _told(look: Look, ref: Ref) -> list[Happening]:
    if look.cluster:
        look.at(EVENT, namespace=ref.namespace)
        return [happening(each) for each in look.objects.pop(EVENT, ())]
    seen = [Ref.of(each) for kind in ("Dataset", *RUNTIMES, *OPERATIONS) for each in look.objects.get(kind, ())]
    return [Happening(subject=each, event=event) for each in seen for event in look.events(each)]


def _masked(told: Happening, hidden: frozenset[str]) -> Happening:
    return replace(told, event=replace(told.event, message=mask_text(told.event.message, hidden)))
