"""Why something that was deleted is still there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, command, quoted, rule
from datafluid.diagnosis.picture import POD, PVC, Picture, claims
from datafluid.model.lint.facts import RUNTIMES
from datafluid.model.lint.subject import Subject, as_list, as_text, show
from datafluid.model.names import OperationNames

_USING = re.compile(r"because Pod (?P<pod>\S+) in Namespace (?P<namespace>\S+) is using it")
_REFERRING = re.compile(r"there are datasets \[(?P<names>[^\]]*)\] mounted to it")
_ORPHANED = re.compile(r"Failed to shutdown engine .*not found")
_NO_FINALIZERS = '{"metadata":{"finalizers":null}}'


@rule("in-use", "A dataset that a pod still uses")
def in_use(picture: Picture) -> Iterator[Found]:
    if not picture.leaving or picture.dataset is None:
        return
    told = picture.about(picture.dataset, reason="ErrorDeleteDataset")[-1:]
    named = {found["pod"] for each in told if (found := _USING.search(each.event.message))}
    users = [pod.name for pod in picture.users]
    seen = picture.said(picture.dataset, reason="ErrorDeleteDataset")
    seen += [f"Pod {name} mounts the claim {picture.ref.name}" for name in users]
    own = [each for each in picture.operations if any(name.startswith(_pods_of(each)) for name in named)]
    if own:
        summary = f"The pod of {own[0].kind} {show(own[0].name)} uses it, and blocks the deletion for ever."
        yield Found(summary, seen, command("delete", own[0]))
    elif names := sorted({*users, *named}):
        who = f"pod {show(names[0])}" if len(names) == 1 else f"{len(names)} pods"
        delete = quoted("kubectl", "delete", "pod", *names[:3], "-n", picture.namespace)
        yield Found(f"It cannot go while {who} can use it.", seen, delete)


def _pods_of(operation: Subject) -> str:
    """How the names of an operation's pods begin."""
    names = OperationNames.of(operation.kind, operation.name)
    return names.job or names.pod or operation.name


@rule("referenced", "A dataset that others refer to")
def referenced(picture: Picture) -> Iterator[Found]:
    if not picture.leaving or picture.dataset is None:
        return
    told = picture.about(picture.dataset, reason="ErrorDeleteDataset")[-1:]
    said = [found["names"].split() for each in told if (found := _REFERRING.search(each.event.message))]
    names = said[0] if said else [as_text(each) for each in as_list(picture.dataset.at("status", "datasetRef"))]
    if names:
        namespace, _, name = names[0].partition("/")
        seen = picture.said(picture.dataset, reason="ErrorDeleteDataset") or [f"status.datasetRef: {', '.join(names)}"]
        summary = f"It cannot go while it is referred to by {' and '.join(show(each) for each in names[:3])}."
        yield Found(summary, seen, quoted("datafluid", "delete", "dataset", name, "-n", namespace))


@rule("leaked-finalizer", "A finalizer that nobody will take away")
def leaked_finalizer(picture: Picture) -> Iterator[Found]:
    for each in [*picture.of(*RUNTIMES), *([picture.dataset] if picture.dataset else [])]:
        finalizers = [as_text(name) for name in as_list(each.at("metadata", "finalizers"))]
        lost = any(_ORPHANED.search(told.event.message) for told in picture.about(each, warning=True))
        if each.at("metadata", "deletionTimestamp") and finalizers and lost:
            seen = [f"{each.kind} {each.name} is terminating and holds {', '.join(finalizers)}"]
            seen += picture.said(each, warning=True, last=2)
            summary = f"The {each.kind} {show(each.name)} never goes: what its controller asks for is gone already."
            yield Found(summary, seen, command("patch", each, "--type=merge", "-p", _NO_FINALIZERS))


@rule("cleaning", "A cache that is being cleaned up")
def cleaning(picture: Picture) -> Iterator[Found]:
    for runtime in picture.runtimes:
        waits = [each for each in picture.about(runtime) if "remaining cache is cleaned up" in each.event.message]
        if runtime.at("metadata", "deletionTimestamp") and waits:
            summary = "The runtime is cleaning its cache up: three tries, 20 s each, then it goes. Wait."
            wait = command("wait", runtime, "--for=delete", "--timeout=120s")
            yield Found(summary, picture.said(runtime, warning=True), wait, certain=False)


@rule("claim-in-use", "A claim that is kept by its users")
def claim_in_use(picture: Picture) -> Iterator[Found]:
    claim = picture.mine(PVC, picture.ref.name)
    if claim is None or not claim.at("metadata", "deletionTimestamp"):
        return
    users = [pod.name for pod in picture.of(POD) if claim.name in claims(pod)]
    if users and "kubernetes.io/pvc-protection" in as_list(claim.at("metadata", "finalizers")):
        seen = [f"PersistentVolumeClaim {claim.name} is terminating; Pod {name} mounts it" for name in users]
        delete = quoted("kubectl", "delete", "pod", *users[:3], "-n", picture.namespace)
        yield Found("The claim is being deleted and waits for its pods.", seen, delete)


@rule("deleting", "A deletion that goes on")
def deleting(picture: Picture) -> Iterator[Found]:
    if picture.leaving and picture.dataset is not None:
        seen = [f"deleted at {picture.dataset.at('metadata', 'deletionTimestamp')}"]
        seen += picture.said(picture.dataset, warning=True)
        wait = command("wait", picture.dataset, "--for=delete", "--timeout=120s")
        yield Found("The dataset is being deleted.", seen, wait, certain=False)
