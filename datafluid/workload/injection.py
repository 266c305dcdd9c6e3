"""What is left to Fluid's webhook: the labels by which a pod reaches it, and the prefetcher's annotations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from datafluid.model.plain import as_map
from datafluid.model.podlabels import DONE, ENABLED, SERVERFUL, SERVERLESS, is_seen
from datafluid.model.prefetch import PREFETCH, prefetch_problems
from datafluid.workload.draft import Draft
from datafluid.workload.places import PodPlace
from datafluid.workload.resolve import Resolved
from datafluid.workload.topology import Topology

__all__ = ["Mode", "add_injection", "add_prefetch", "reaches_webhook"]

#: ``csi``: no webhook is needed; ``serverful``: it is asked for what it adds beside CSI (the prefetcher);
#: ``serverless`` and ``native-sidecar``: FUSE runs in the pod, which needs no CSI plugin on its node.
Mode = Literal["csi", "serverful", "serverless", "native-sidecar"]

_LABELS: dict[Mode, str] = {"serverful": SERVERFUL, "serverless": SERVERLESS, "native-sidecar": SERVERLESS}
_NO_SIDECAR = ("efc", "vineyard", "cache")
_NATIVE = """\
# values of Fluid's chart, for the whole cluster; Kubernetes 1.28 or later
webhook:
  fuseSidecar:
    sidecarInjectionMode: native-sidecar"""


def reaches_webhook(draft: Draft, place: PodPlace) -> bool:
    """Whether Fluid's webhook sees the pods as they are now."""
    path = place.template.shape.labels
    labels = as_map(draft.look(place.at(path))) if path is not None else {}
    if labels.get(ENABLED) == "false" or labels.get(DONE) == "true":
        return False
    return is_seen(labels)


def add_injection(draft: Draft, place: PodPlace, used: Iterable[Resolved], mode: Mode, topology: Topology) -> None:
    """Label the pods for the webhook, and say what a sidecar means for them."""
    if mode == "csi":
        return
    path = place.template.shape.labels
    if path is None:
        draft.tell("not done", f"{mode}: these pods' labels cannot be said here.", path=place.path)
        return
    draft.put((*place.at(path), _LABELS[mode]), "true", "by it Fluid's webhook sees the pods.")
    if mode in ("serverless", "native-sidecar"):
        _tell_of_sidecars(draft, place, list(used), mode, topology)


def _tell_of_sidecars(draft: Draft, place: PodPlace, used: list[Resolved], mode: Mode, topology: Topology) -> None:
    if mode == "native-sidecar":
        draft.tell("note", "the webhook makes native sidecars only when the whole cluster is set to it.", fix=_NATIVE)
    else:
        draft.tell(
            "warning",
            "the FUSE sidecar is one more container, which keeps a Job's pods running until Fluid's application"
            " controller unmounts it; with a native sidecar they end by themselves.",
            fix=_NATIVE,
        )
    if level := (topology.refuses_host_path(used[0].home) if used else None):
        draft.tell(
            "not done",
            f"the sidecar mounts FUSE through hostPath, which the namespace's Pod Security level ({level}) refuses.",
            path=place.path,
            fix="Use mode csi, or a namespace whose level is privileged.",
        )
    for each in used:
        if each.physical is not None and each.physical.runtime_type in _NO_SIDECAR:
            draft.tell(
                "not done",
                f"{each.dataset}: its runtime ({each.physical.runtime_type}) has no sidecar, and the webhook lets the"
                " pod pass unchanged.",
                path=place.path,
                fix="Use mode csi on nodes with Fluid's CSI plugin.",
            )


def add_prefetch(draft: Draft, place: PodPlace, used: Iterable[Resolved]) -> None:
    """Ask for files in the page cache before the workload starts; check what the annotations say in the end."""
    path = place.template.shape.annotations
    wanted = [each for each in used if each.use.prefetch is not None and each.needs_mount]
    if wanted and (path is None or not reaches_webhook(draft, place)):
        draft.tell(
            "not done",
            "prefetch: only Fluid's webhook adds the prefetcher, and it does not see these pods.",
            path=place.path,
            fix='Say mode="serverful".',
        )
        wanted = []
    if path is None:
        return
    if wanted:
        _annotate(draft, place, wanted)
    annotations = as_map(draft.look(place.at(path)))
    if annotations.get(f"{PREFETCH}inject") != "true":
        return
    for name, problem, hint in prefetch_problems(annotations):
        draft.tell(
            "warning",
            f"{problem}, so Fluid's webhook injects nothing at all into the pods.",
            path=(*place.at(path), f"{PREFETCH}{name}"),
            fix=hint,
        )


def _annotate(draft: Draft, place: PodPlace, wanted: list[Resolved]) -> None:
    asked = [(each.claim, each.use.prefetch) for each in wanted if each.use.prefetch is not None]
    globs = [f"pvc://{claim}/{glob}" for claim, prefetch in asked for glob in prefetch.files or ("**",)]
    images = sorted({prefetch.image for _, prefetch in asked if prefetch.image})
    annotations = {
        "inject": "true",
        "file-list": ";".join(dict.fromkeys(globs)),
        "async-prefetch": "false" if any(prefetch.wait for _, prefetch in asked) else "true",
        "prefetch-timeout-seconds": str(max(prefetch.timeout for _, prefetch in asked)),
        **({"image": images[0]} if images else {}),
    }
    path = place.template.shape.annotations or ()
    for name, value in annotations.items():
        draft.put((*place.at(path), f"{PREFETCH}{name}"), value, "files are read into the page cache first.")
    if not images:
        draft.tell(
            "note",
            "no prefetcher image is named; where the webhook has none either, it injects nothing at all.",
            path=place.at(path),
            fix="Name one: Prefetch(image=…).",
        )
