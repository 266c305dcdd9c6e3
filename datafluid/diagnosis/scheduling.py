"""Why pods of a dataset find no node, or are not even made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from datafluid.diagnosis.cause import Found, quoted, rule
from datafluid.diagnosis.picture import NODE, POD, Picture, condition, is_past, labels_of, line
from datafluid.model.lint.subject import Subject, as_list, as_map, as_text, show

_MAKERS = ("apps/v1/StatefulSet", "apps/v1/DaemonSet", "batch/v1/Job")
_HOLDER = "fluid.io/dataset"
_PLACEMENTS = "custom-columns=NAME:.metadata.name,PLACEMENT:.spec.placement"
_REQUIRED = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")


@rule("no-capacity", "Nodes without room")
def no_capacity(picture: Picture) -> Iterator[Found]:
    for pod, message in _unschedulable(picture):
        lacking = sorted({found.rstrip(".") for found in re.findall(r"Insufficient ([\w./-]+)", message)})
        if lacking:
            seen = [f"Pod {pod.name}: {message}", f"it asks for {_requests(pod)}"]
            summary = f"No node has room for the {picture.component_of(pod)}: too little {' and '.join(lacking)}."
            yield Found(summary, seen, "kubectl describe nodes")
            return


@rule("exclusive", "A node that another dataset has for itself")
def exclusive(picture: Picture) -> Iterator[Found]:
    for pod, message in _unschedulable(picture):
        if "anti-affinity" in message and picture.component_of(pod) == "worker":
            others = {as_text(labels_of(each).get(_HOLDER)) for each in picture.of(POD)}
            others -= {as_text(labels_of(pod).get(_HOLDER)), ""}
            seen = [f"Pod {pod.name}: {message}", *(f"workers of {other} are there" for other in sorted(others))]
            summary = "Every node that fits has a worker of another dataset, and one of the two is Exclusive."
            yield Found(summary, seen, quoted("kubectl", "get", "dataset", "-n", picture.namespace, "-o", _PLACEMENTS))
            return


@rule("no-node-fits", "Constraints that no node meets")
def no_node_fits(picture: Picture) -> Iterator[Found]:
    for pod, message in _unschedulable(picture):
        known = "Insufficient" in message or "anti-affinity" in message
        if not known and re.search(r"affinity/selector|untolerated taint|were unschedulable", message):
            seen = [f"Pod {pod.name}: {message}", *_constraints(pod)]
            summary = f"No node meets the constraints of the {picture.component_of(pod)}."
            yield Found(summary, seen, "kubectl get nodes --show-labels")
            return


@rule("quota-exceeded", "A ResourceQuota that is used up")
def quota_exceeded(picture: Picture) -> Iterator[Found]:
    look = quoted("kubectl", "describe", "resourcequota", "-n", picture.namespace)
    yield from _refused(picture, "exceeded quota", "The namespace's ResourceQuota", look)


@rule("limit-range", "A LimitRange that refuses the pods")
def limit_range(picture: Picture) -> Iterator[Found]:
    look = quoted("kubectl", "describe", "limitrange", "-n", picture.namespace)
    words = r"(?:minimum|maximum) \S+ usage per|limit to request ratio"
    yield from _refused(picture, words, "The namespace's LimitRange", look)


@rule("pod-security", "A Pod Security level that refuses the pods")
def pod_security(picture: Picture) -> Iterator[Found]:
    look = quoted("kubectl", "get", "namespace", picture.namespace, "--show-labels")
    yield from _refused(picture, "violates PodSecurity", "The namespace's Pod Security level", look)


@rule("node-down", "A node that is not ready")
def node_down(picture: Picture) -> Iterator[Found]:
    down = {each.name for each in picture.of(NODE) if condition(each, "Ready").get("status") in ("False", "Unknown")}
    hit = [pod for pod in picture.pods if as_text(pod.at("spec", "nodeName")) in down]
    if hit:
        seen = [f"Pod {pod.name} is on {pod.at('spec', 'nodeName')}, which is not Ready" for pod in hit]
        yield Found("A node that the dataset runs on is not ready.", seen, "kubectl get nodes")


@rule("part-lost", "A runtime that lacks a part")
def part_lost(picture: Picture) -> Iterator[Found]:
    for runtime in picture.runtimes:
        for part in ("master", "worker"):
            ready = runtime.at("status", f"{part}NumberReady") or 0
            wanted = runtime.at("status", f"desired{part.title()}NumberScheduled")
            phase = as_text(runtime.at("status", f"{part}Phase"))
            if phase in ("NotReady", "PartialReady") and isinstance(wanted, int) and wanted > 0:
                seen = [f"{runtime.kind} {runtime.name}: {part}Phase {phase}, {ready} of {wanted} ready"]
                seen += [line(each) for each in picture.about(runtime, warning=True)[-1:] if not is_past(each)]
                pods = ["get", "pods", "-n", picture.namespace, "-l", f"release={picture.ref.name}", "-o", "wide"]
                summary = f"The runtime has {ready} of {wanted} {part}s."
                yield Found(summary, seen, quoted("kubectl", *pods), certain=False)


def _refused(picture: Picture, words: str, who: str, look: str) -> Iterator[Found]:
    """What the API server refused to make for the dataset, by the words in which it did."""
    names = {each.name for each in picture.of(*_MAKERS) if each.name.startswith(_owned(picture))}
    made = [each for each in picture.told(*_MAKERS, reason="FailedCreate") if each.subject.name in names]
    told = [each for each in made if re.search(words, each.event.message)]
    if told:
        subject = told[-1].subject
        yield Found(f"{who} refuses the pods of {subject.bare_kind} {show(subject.name)}.", [line(told[-1])], look)


def _owned(picture: Picture) -> tuple[str, ...]:
    return tuple(f"{name}-" for name in (picture.ref.name, *(each.name for each in picture.operations)))


def _unschedulable(picture: Picture) -> Iterator[tuple[Subject, str]]:
    for pod in picture.pods:
        told = condition(pod, "PodScheduled")
        if told.get("status") == "False" and told.get("reason") == "Unschedulable":
            yield pod, as_text(told.get("message"))


def _constraints(pod: Subject) -> list[str]:
    lines = [f"nodeSelector {key}={value}" for key, value in as_map(pod.at("spec", "nodeSelector")).items()]
    for term in as_list(pod.at(*_REQUIRED, "nodeSelectorTerms")):
        for each in (as_map(one) for one in as_list(as_map(term).get("matchExpressions"))):
            values = ", ".join(map(str, as_list(each.get("values"))))
            lines.append(f"required: {each.get('key')} {each.get('operator')} {values}".rstrip())
    return lines


def _requests(pod: Subject) -> str:
    wanted: dict[str, list[str]] = {}
    for container in as_list(pod.at("spec", "containers")):
        for name, amount in as_map(as_map(as_map(container).get("resources")).get("requests")).items():
            wanted.setdefault(str(name), []).append(str(amount))
    return ", ".join(f"{name} {' + '.join(each)}" for name, each in sorted(wanted.items())) or "nothing in particular"
