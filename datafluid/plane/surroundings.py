"""What lint has to know of a cluster: collected once, by a number of calls that only namespaces add to."""

from __future__ import annotations

from collections.abc import Iterable

from datafluid.model.kinds import KINDS
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.subject import Subject
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.node_report import AGENT_NAMESPACE, REPORT_LABELS
from datafluid.model.plain import as_map
from datafluid.model.ref import Ref
from datafluid.placement.resources import Amounts, amounts, pod_requests, total
from datafluid.plane.looking import Look
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["look_around"]

_WEBHOOK = Ref("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "fluid-pod-admission-webhook")
_DRIVER = Ref("storage.k8s.io/v1/CSIDriver", "fuse.csi.fluid.io")
_OF_NAMESPACE = (
    "v1/PersistentVolumeClaim",
    "v1/ResourceQuota",
    "v1/LimitRange",
    "networking.k8s.io/v1/NetworkPolicy",
)
_OF_CLUSTER = ("v1/Node", "storage.k8s.io/v1/StorageClass")


def look_around(plane: ControlPlane, subjects: Iterable[Subject], *, namespace: str) -> Surroundings:
    """Look at everything in a cluster that decides what becomes of a source.

    Args:
        plane: The cluster.
        subjects: The objects of the source.
        namespace: Where objects go that name none.

    Returns:
        What is there. What may not be looked at is named in ``unknown``, and no rule speaks about it.

    Raises:
        Unavailable: the cluster does not answer.
    """
    subjects = list(subjects)
    places = sorted({each.namespace or namespace for each in subjects})
    look = Look(plane)
    for kind in KINDS.values():
        if kind.kind == "Dataset" or not kind.namespaced:
            look.at(kind.kind)
            continue
        for place in places:
            look.at(kind.kind, namespace=place)
    for place in places:
        for each in _OF_NAMESPACE:
            look.at(each, namespace=place)
        look.get(Ref("v1/Namespace", place))
    for each in _OF_CLUSTER:
        look.at(each)
    look.at("v1/ConfigMap", namespace=AGENT_NAMESPACE, selector=REPORT_LABELS)
    look.get(_WEBHOOK)
    look.get(_DRIVER)
    needs_room = any(each.kind in RUNTIMES for each in subjects)
    secrets, free = look.secrets(places), _free(look) if needs_room else None
    return Surroundings(
        objects={kind: tuple(Subject(data=each) for each in found) for kind, found in look.objects.items()},
        namespace=namespace,
        served=look.served,
        secrets=secrets,
        free=free,
        unknown=dict(look.unknown),
    )


def _free(look: Look) -> dict[str, dict[str, int]] | None:
    """What is left on each node that takes pods; the pods themselves are counted and forgotten."""
    look.at("v1/Pod")
    pods = look.objects.pop("v1/Pod", [])
    if "v1/Pod" in look.unknown or "v1/Node" in look.unknown:
        return None
    taken: dict[str, list[Amounts]] = {}
    for pod in pods:
        if as_map(pod.get("status")).get("phase") not in ("Succeeded", "Failed"):
            taken.setdefault(as_map(pod["spec"]).get("nodeName", ""), []).append(pod_requests(pod["spec"]))
    return {
        node["metadata"]["name"]: _left(node, total(taken.get(node["metadata"]["name"], ())))
        for node in look.objects.get("v1/Node", ())
        if not as_map(node.get("spec")).get("unschedulable")
    }


def _left(node: Manifest, taken: Amounts) -> dict[str, int]:
    has = amounts(as_map(node.get("status")).get("allocatable"))
    return {name: amount - taken.get(name, 0) for name, amount in has.items()}
