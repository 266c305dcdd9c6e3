"""What lint has to know of a cluster: collected once, by calls to which no pod and no node adds any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from datafluid.model.kinds import KINDS
from datafluid.model.lint.facts import OPERATIONS, RUNTIMES, mount_points, target_dataset
from datafluid.model.lint.subject import Subject
from datafluid.model.lint.surroundings import Surroundings
from datafluid.model.node_report import AGENT_NAMESPACE, REPORT_LABELS
from datafluid.model.plain import as_map, as_text
from datafluid.model.ref import Ref
from datafluid.model.relations import reference_target
from datafluid.placement.resources import Amounts, amounts, pod_requests, total
from datafluid.plane.looking import Look
from datafluid.plane.port import ControlPlane, Manifest

__all__ = ["look_around"]

_WEBHOOK = Ref("admissionregistration.k8s.io/v1/MutatingWebhookConfiguration", "fluid-pod-admission-webhook")
_DRIVER = Ref("storage.k8s.io/v1/CSIDriver", "fuse.csi.fluid.io")
_CLAIM, _NODE = "v1/PersistentVolumeClaim", "v1/Node"
_LIMITS = ("v1/ResourceQuota", "v1/LimitRange", "networking.k8s.io/v1/NetworkPolicy")
_PROFILES = tuple(kind.kind for kind in KINDS.values() if not kind.namespaced)


def look_around(plane: ControlPlane, subjects: Iterable[Subject], *, namespace: str) -> Surroundings:
    """Look at everything in a cluster that decides what becomes of a source, and at nothing that does not.

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
    look, kinds = Look(plane), {each.kind for each in subjects}
    places = sorted({each.namespace or namespace for each in subjects})
    for place in sorted({*places, *(name for each in subjects for name in _mentioned(each))}):
        look.at("Dataset", namespace=place)
    for place in places:
        for kind in (*RUNTIMES, *OPERATIONS):
            look.at(kind, namespace=place)
        look.get(Ref("v1/Namespace", place))
    for ref in {ref for each in subjects for ref in _of_same_label(each, namespace)}:
        look.get(ref)
    free = _for_runtimes(look, places) if kinds & RUNTIMES.keys() else None
    if "Dataset" in kinds or kinds - KINDS.keys():
        _for_mounts(look, places, workloads=bool(kinds - KINDS.keys()))
    return Surroundings(
        objects={kind: tuple(Subject(data=each) for each in found) for kind, found in look.objects.items()},
        namespace=namespace,
        served=look.served,
        secrets=look.secrets(places) if kinds & KINDS.keys() else None,
        free=free,
        unknown=dict(look.unknown),
    )


def _mentioned(subject: Subject) -> set[str]:
    """The namespaces of other objects that an object names."""
    references = (reference_target(point) for point in mount_points(subject))
    found = {target[0] for target in references if target is not None}
    if subject.kind in OPERATIONS:
        found |= {target_dataset(subject)[0], as_text(as_map(subject.spec.get("runAfter")).get("namespace"))}
    return found - {""}


def _of_same_label(subject: Subject, namespace: str) -> Iterator[Ref]:
    """The datasets of other namespaces that would share the label keys of this one: ``a-b/c`` and ``a/b-c``."""
    words = f"{subject.namespace or namespace}-{subject.name}".split("-")
    for cut in range(1, len(words)):
        place, name = "-".join(words[:cut]), "-".join(words[cut:])
        if subject.kind == "Dataset" and place and name and place != (subject.namespace or namespace):
            yield Ref("Dataset", name, place)


def _for_runtimes(look: Look, places: Iterable[str]) -> dict[str, dict[str, int]] | None:
    """What runtimes meet: profiles, limits, nodes, disks; returns what is free on the nodes."""
    for kind in (*_PROFILES, _NODE, "storage.k8s.io/v1/StorageClass"):
        look.at(kind)
    for place in places:
        for kind in _LIMITS:
            look.at(kind, namespace=place)
    look.at("v1/ConfigMap", namespace=AGENT_NAMESPACE, selector=REPORT_LABELS)
    return _free(look)


def _for_mounts(look: Look, places: Iterable[str], *, workloads: bool) -> None:
    """What datasets and the pods that mount them meet."""
    for place in places:
        look.at(_CLAIM, namespace=place)
    if _NODE not in look.objects and not workloads:
        look.at(_NODE)
    if workloads:
        look.get(_WEBHOOK)
        look.get(_DRIVER)


def _free(look: Look) -> dict[str, dict[str, int]] | None:
    """What is left on each node that takes pods; the pods themselves are counted and forgotten."""
    look.at("v1/Pod")
    pods = look.objects.pop("v1/Pod", [])
    if "v1/Pod" in look.unknown or _NODE in look.unknown:
        return None
    taken: dict[str, list[Amounts]] = {}
    for pod in pods:
        if as_map(pod.get("status")).get("phase") not in ("Succeeded", "Failed"):
            taken.setdefault(as_map(pod["spec"]).get("nodeName", ""), []).append(pod_requests(pod["spec"]))
    return {
        node["metadata"]["name"]: _left(node, total(taken.get(node["metadata"]["name"], ())))
        for node in look.objects.get(_NODE, ())
        if not as_map(node.get("spec")).get("unschedulable")
    }


def _left(node: Manifest, taken: Amounts) -> dict[str, int]:
    has = amounts(as_map(node.get("status")).get("allocatable"))
    return {name: amount - taken.get(name, 0) for name, amount in has.items()}
